"""Assets: units, contacts, racks, switches, ports, VLANs, pools, servers and their places."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_assets"
down_revision = "0001_tickets"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "racks",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("blocked", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_racks")),
    )
    op.create_table(
        "servers",
        sa.Column("id", sa.String(length=253), nullable=False),
        sa.Column("unit", sa.String(length=80), nullable=False),
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_servers")),
    )
    op.create_index("ix_servers_state", "servers", ["state"], unique=False)
    op.create_table(
        "switches",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("credentials", sa.String(length=80), nullable=False),
        sa.Column("host_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_switches")),
    )
    op.create_table(
        "units",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
    )
    op.create_table(
        "vlans",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vlans")),
    )
    op.create_table(
        "contacts",
        sa.Column("unit", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["units.id"], name=op.f("fk_contacts_unit")),
        sa.PrimaryKeyConstraint("unit", "email", name=op.f("pk_contacts")),
    )
    op.create_table(
        "place_units",
        sa.Column("rack", sa.String(length=80), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("server", sa.String(length=253), nullable=False),
        sa.ForeignKeyConstraint(["rack"], ["racks.id"], name=op.f("fk_place_units_rack")),
        sa.ForeignKeyConstraint(["server"], ["servers.id"], name=op.f("fk_place_units_server")),
        sa.PrimaryKeyConstraint("rack", "unit", name=op.f("pk_place_units")),
    )
    op.create_index("ix_place_units_server", "place_units", ["server"], unique=False)
    op.create_table(
        "pools",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("vlan", sa.Integer(), nullable=False),
        sa.Column("network", sa.String(length=20), nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("first", sa.String(length=16), nullable=False),
        sa.Column("last", sa.String(length=16), nullable=False),
        sa.Column("dns", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["vlan"], ["vlans.id"], name=op.f("fk_pools_vlan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pools")),
    )
    op.create_table(
        "ports",
        sa.Column("switch", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("rack", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["rack"], ["racks.id"], name=op.f("fk_ports_rack")),
        sa.ForeignKeyConstraint(["switch"], ["switches.id"], name=op.f("fk_ports_switch")),
        sa.PrimaryKeyConstraint("switch", "name", name=op.f("pk_ports")),
    )
    op.create_table(
        "places",
        sa.Column("server", sa.String(length=253), nullable=False),
        sa.Column("rack", sa.String(length=80), nullable=False),
        sa.Column("bottom_unit", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("switch", sa.String(length=80), nullable=False),
        sa.Column("port", sa.String(length=80), nullable=False),
        sa.Column("vlan", sa.Integer(), nullable=False),
        sa.Column("pool", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["pool"], ["pools.id"], name=op.f("fk_places_pool")),
        sa.ForeignKeyConstraint(["rack"], ["racks.id"], name=op.f("fk_places_rack")),
        sa.ForeignKeyConstraint(["server"], ["servers.id"], name=op.f("fk_places_server")),
        sa.ForeignKeyConstraint(["vlan"], ["vlans.id"], name=op.f("fk_places_vlan")),
        sa.PrimaryKeyConstraint("server", name=op.f("pk_places")),
        sa.UniqueConstraint("address", name="uq_places_address"),
        sa.UniqueConstraint("switch", "port", name="uq_places_port"),
    )
