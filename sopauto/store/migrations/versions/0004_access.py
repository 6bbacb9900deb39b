"""Access to rooms: grants, the time in which doors knew their cards, reviews, entries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_access"
down_revision = "0003_reminders"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "access_grants",
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("card", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("identity", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("zones", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("escort", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("faulty_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name=op.f("fk_access_grants_ticket")),
        sa.PrimaryKeyConstraint("ticket", name=op.f("pk_access_grants")),
        sa.UniqueConstraint("serial", name=op.f("uq_access_grants_serial")),
        sa.UniqueConstraint("card", name=op.f("uq_access_grants_card")),
    )
    op.create_index("ix_access_grants_state", "access_grants", ["state", "valid_until"], unique=False)
    op.create_index("ix_access_grants_identity", "access_grants", ["identity"], unique=False)
    op.create_table(
        "access_spans",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket"], ["access_grants.ticket"], name=op.f("fk_access_spans_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_spans")),
    )
    op.create_index("ix_access_spans_ticket", "access_spans", ["ticket", "opened_at"], unique=False)
    op.create_index("ix_access_spans_time", "access_spans", ["opened_at", "closed_at"], unique=False)
    # Two workers that open the same card at once cannot both have done it.
    open_only = sa.text("closed_at IS NULL")
    op.create_index(
        "uq_access_spans_open",
        "access_spans",
        ["ticket"],
        unique=True,
        sqlite_where=open_only,
        postgresql_where=open_only,
    )
    op.create_table(
        "access_reviews",
        sa.Column("review", sa.String(length=40), nullable=False),
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["review"], ["tickets.id"], name=op.f("fk_access_reviews_review")),
        sa.ForeignKeyConstraint(["ticket"], ["access_grants.ticket"], name=op.f("fk_access_reviews_ticket")),
        sa.PrimaryKeyConstraint("review", "ticket", name=op.f("pk_access_reviews")),
    )
    op.create_index("ix_access_reviews_ticket", "access_reviews", ["ticket", "at"], unique=False)
    op.create_table(
        "access_events",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("card", sa.String(length=40), nullable=False),
        sa.Column("zone", sa.String(length=80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("at", "card", "zone", name=op.f("pk_access_events")),
    )
