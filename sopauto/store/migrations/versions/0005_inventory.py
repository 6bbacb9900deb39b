"""The monthly inventory: scans, what came of each server, and sections that are kept once. Mail without a ticket."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_inventory"
down_revision = "0004_access"

NAMES = {"fk": "fk_%(table_name)s_%(column_0_name)s"}
"""SQLite does not tell the names of its keys."""


def upgrade() -> None:
    """Make the tables; let a message belong to no ticket: the month's inventory is mailed without one."""
    op.create_table(
        "scans",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("only", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scans")),
    )
    op.create_table(
        "inventory_months",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("scan", sa.Integer(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["scan"], ["scans.id"], name=op.f("fk_inventory_months_scan")),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_inventory_months")),
    )
    op.create_table(
        "sections",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("base", sa.Integer()),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["base"], ["sections.id"], name=op.f("fk_sections_base")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sections")),
        sa.UniqueConstraint("digest", name=op.f("uq_sections_digest")),
    )
    op.create_table(
        "readings",
        sa.Column("scan", sa.Integer(), nullable=False),
        sa.Column("server", sa.String(length=253), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("parts", sa.Text()),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["scan"], ["scans.id"], name=op.f("fk_readings_scan")),
        sa.PrimaryKeyConstraint("scan", "server", name=op.f("pk_readings")),
    )
    op.create_index("ix_readings_server", "readings", ["server", "taken_at"])
    with op.batch_alter_table("outbox", naming_convention=NAMES) as outbox:
        outbox.drop_constraint("fk_outbox_ticket", type_="foreignkey")
