"""Reminders of overdue rows: each letter once per entry of a row, also when two processes remind at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_reminders"
down_revision = "0002_assets"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "reminders",
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("step", sa.String(length=80), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name=op.f("fk_reminders_ticket")),
        sa.PrimaryKeyConstraint("ticket", "step", "round", "kind", name=op.f("pk_reminders")),
    )
