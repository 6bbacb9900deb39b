"""The tables of the assets. What a server takes stands in `places` and `place_units`: unique keys keep it to one."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from sopauto.store.tables import metadata

units = Table(
    "units",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("name", Text, nullable=False),
)

contacts = Table(
    "contacts",
    metadata,
    Column("unit", String(80), ForeignKey("units.id"), primary_key=True),
    Column("email", String(254), primary_key=True),
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False),
)

racks = Table(
    "racks",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("location", Text, nullable=False),
    Column("height", Integer, nullable=False),
    Column("blocked", Text, nullable=False),  # unit numbers, joined by commas
)

switches = Table(
    "switches",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("platform", String(40), nullable=False),
    Column("host", String(253), nullable=False),
    Column("port", Integer, nullable=False),
    Column("credentials", String(80), nullable=False),
    Column("host_key", Text, nullable=False),
)

ports = Table(
    "ports",
    metadata,
    Column("switch", String(80), ForeignKey("switches.id"), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("rack", String(80), ForeignKey("racks.id")),
)

vlans = Table(
    "vlans",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
)

pools = Table(
    "pools",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("vlan", Integer, ForeignKey("vlans.id"), nullable=False),
    Column("network", String(20), nullable=False),
    Column("gateway", String(16), nullable=False),
    Column("first", String(16), nullable=False),
    Column("last", String(16), nullable=False),
    Column("dns", Text, nullable=False),  # addresses, joined by commas
)

servers = Table(
    "servers",
    metadata,
    Column("id", String(253), primary_key=True),
    Column("unit", String(80), nullable=False),
    Column("ticket", String(40), nullable=False),
    Column("brand", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("height", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("features", Text, nullable=False),
    Column("mac", String(17)),
    Index("ix_servers_state", "state"),
)

places = Table(
    "places",
    metadata,
    Column("server", String(253), ForeignKey("servers.id"), primary_key=True),
    Column("rack", String(80), ForeignKey("racks.id"), nullable=False),
    Column("bottom_unit", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("switch", String(80), nullable=False),
    Column("port", String(80), nullable=False),
    Column("vlan", Integer, ForeignKey("vlans.id"), nullable=False),
    Column("pool", String(80), ForeignKey("pools.id"), nullable=False),
    Column("address", String(16), nullable=False),
    UniqueConstraint("switch", "port", name="uq_places_port"),
    UniqueConstraint("address", name="uq_places_address"),
)

place_units = Table(
    "place_units",
    metadata,
    Column("rack", String(80), ForeignKey("racks.id"), primary_key=True),
    Column("unit", Integer, primary_key=True),
    Column("server", String(253), ForeignKey("servers.id"), nullable=False),
    Index("ix_place_units_server", "server"),
)
