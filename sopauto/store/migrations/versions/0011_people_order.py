"""Entries of one second have an order, also those of two tickets: which people file came first can be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_people_order"
down_revision = "0010_cards"


def upgrade() -> None:
    """Give what is there a number by its time, and bring back the triggers that refuse to change it."""
    columns = ("ticket", "number", "people", "at")
    kept = sa.table("people_seen", *(sa.column(name) for name in columns))
    rows = op.get_bind().execute(sa.select(kept).order_by(kept.c.at, kept.c.ticket, kept.c.number)).all()
    op.drop_table("people_seen")
    op.create_table(
        "people_seen",
        sa.Column("sequence", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("people", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["people"], ["documents.sha256"], name=op.f("fk_people_seen_people")),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name=op.f("fk_people_seen_ticket")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_people_seen")),
    )
    op.create_index("ix_people_seen_people", "people_seen", ["people", "at"], unique=False)
    op.create_index("ix_people_seen_at", "people_seen", ["at"], unique=False)
    op.create_index("uq_people_seen_entry", "people_seen", ["ticket", "number"], unique=True)
    for row in rows:
        op.get_bind().execute(sa.insert(kept).values(dict(zip(columns, row, strict=True))))
    if op.get_bind().dialect.name == "sqlite":
        for change in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER people_seen_no_{change} BEFORE {change.upper()} ON people_seen "
                f"BEGIN SELECT RAISE(ABORT, 'people_seen are append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER people_seen_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON people_seen "
        "FOR EACH STATEMENT EXECUTE FUNCTION people_seen_append_only()"
    )
