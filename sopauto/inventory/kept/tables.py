"""The tables of the monthly inventory: a section that did not change is kept once, for all months and servers."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from sopauto.store.tables import Moment, metadata

scans = Table(
    "scans",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("begun_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("wanted", Integer, nullable=False),
    Column("only", Text, nullable=False),  # JSON, the servers that were named
)

months = Table(
    "inventory_months",
    metadata,
    Column("month", String(7), primary_key=True),  # 2026-11
    Column("scan", Integer, ForeignKey("scans.id"), nullable=False),
    Column("reported_at", Moment),
)

sections = Table(
    "sections",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the content
    Column("base", Integer, ForeignKey("sections.id")),  # the section that it is packed against
    Column("depth", Integer, nullable=False),  # how many have to be read before this one
    Column("content", LargeBinary, nullable=False),  # inventory/kept/packing.py
)

readings = Table(
    "readings",
    metadata,
    Column("scan", Integer, ForeignKey("scans.id"), primary_key=True),
    Column("server", String(253), primary_key=True),
    Column("taken_at", Moment, nullable=False),
    Column("parts", Text),  # JSON, section to number; NULL: there is a reason instead
    Column("reason", String(20), nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_readings_server", "server", "taken_at"),
)
