"""Which entry was signed under which people file, and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_people"
down_revision = "0008_looks"


def upgrade() -> None:
    """Make the table, and the triggers that refuse to change it."""
    op.create_table(
        "people_seen",
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("people", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["people"], ["documents.sha256"], name=op.f("fk_people_seen_people")),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name=op.f("fk_people_seen_ticket")),
        sa.PrimaryKeyConstraint("ticket", "number", name=op.f("pk_people_seen")),
    )
    op.create_index("ix_people_seen_people", "people_seen", ["people", "at"], unique=False)
    op.create_index("ix_people_seen_at", "people_seen", ["at"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        for change in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER people_seen_no_{change} BEFORE {change.upper()} ON people_seen "
                f"BEGIN SELECT RAISE(ABORT, 'people_seen are append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION people_seen_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'people_seen are append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER people_seen_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON people_seen "
        "FOR EACH STATEMENT EXECUTE FUNCTION people_seen_append_only()"
    )
