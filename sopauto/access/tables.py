"""The tables of access to rooms: grants, the time in which doors knew their cards, reviews, entries."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, String, Table, Text, text

from sopauto.store.tables import Moment, metadata

grants = Table(
    "access_grants",
    metadata,
    Column("ticket", String(40), ForeignKey("tickets.id"), primary_key=True),
    Column("serial", Integer, nullable=False, unique=True),
    Column("card", String(40), nullable=False, unique=True),
    Column("unit", String(80), nullable=False),
    Column("name", Text, nullable=False),
    Column("identity", String(40), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("zones", Text, nullable=False),  # with a comma before, between and after: a zone is found as `,zone,`
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    Column("escort", Text, nullable=False),
    Column("approved_by", String(64), nullable=False),
    Column("approved_at", Moment, nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", Text, nullable=False),
    Column("fault", Text, nullable=False),
    Column("faulty_since", Moment),
    Column("card_made_at", Moment),
    Index("ix_access_grants_state", "state", "valid_until"),
    Index("ix_access_grants_identity", "identity"),
)

spans = Table(
    "access_spans",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("ticket", String(40), ForeignKey("access_grants.ticket"), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("closed_at", Moment),
    Column("closed_by", Text, nullable=False),
    Index("ix_access_spans_ticket", "ticket", "opened_at"),
    Index("ix_access_spans_time", "opened_at", "closed_at"),
    # A card stands open once. (Where `closed_at IS NULL`: the migration says so for PostgreSQL, see `tables.entries`.)
    Index("uq_access_spans_open", "ticket", unique=True, sqlite_where=text("closed_at IS NULL")),
)

reviews = Table(
    "access_reviews",
    metadata,
    Column("review", String(40), ForeignKey("tickets.id"), primary_key=True),
    Column("ticket", String(40), ForeignKey("access_grants.ticket"), primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("answer", String(20)),
    Column("by", Text, nullable=False),
    Column("at", Moment),
    Index("ix_access_reviews_ticket", "ticket", "at"),
)

events = Table(
    "access_events",
    metadata,
    Column("at", Moment, primary_key=True),
    Column("card", String(40), primary_key=True),
    Column("zone", String(80), primary_key=True),
    Column("day", Date, nullable=False),  # at the office, where days begin at another moment than in UTC
)
