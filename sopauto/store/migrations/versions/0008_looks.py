"""Who was shown which plan: nobody approves a plan unseen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_looks"
down_revision = "0007_mend_rewritten"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "looks",
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name=op.f("fk_looks_ticket")),
        sa.PrimaryKeyConstraint("ticket", "person", "plan", name=op.f("pk_looks")),
    )
