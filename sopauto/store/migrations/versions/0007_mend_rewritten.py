"""Give databases what their version number promised: early versions of 0001, 0004 and 0005 were other files once.

A database of those days has the number, but not each table: without access (0005 followed 0003 for a while), without
the months of the inventory, with the door of an event, with a key of entries that lets no ticket follow another.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007_mend_rewritten"
down_revision = "0006_attachments"


def upgrade() -> None:
    """Make what is missing and take away what was dropped; nothing happens to a database that has it all."""
    there = sa.inspect(op.get_bind())
    tables = set(there.get_table_names())
    if "access_grants" not in tables:
        _landed("0004_access").upgrade()
    elif any(column["name"] == "door" for column in there.get_columns("access_events")):
        with op.batch_alter_table("access_events") as events:
            events.drop_column("door")
    if "inventory_months" not in tables:
        _make_months()
    if not any(index["name"] == "uq_entries_opening" for index in there.get_indexes("entries")):
        _let_tickets_follow()


def _landed(revision: str) -> Any:
    """Return the module of a landed migration: what it makes is what it always made."""
    script = op.get_context().opts["script"]
    return script.get_revision(revision).module


def _make_months() -> None:
    op.create_table(
        "inventory_months",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("scan", sa.Integer(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["scan"], ["scans.id"], name=op.f("fk_inventory_months_scan")),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_inventory_months")),
    )


def _let_tickets_follow() -> None:
    """Let only openings have a predecessor of their own, not all entries."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table("entries") as entries:
        entries.drop_constraint("uq_entries_prev", type_="unique")
    op.create_index(
        "uq_entries_opening",
        "entries",
        ["prev"],
        unique=True,
        sqlite_where=sa.text("number = 1"),
        postgresql_where=sa.text("number = 1"),
    )
    for change in ("update", "delete") if sqlite else ():  # SQLite makes the table anew, without its triggers
        op.execute(
            f"CREATE TRIGGER entries_no_{change} BEFORE {change.upper()} ON entries "
            f"BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END"
        )
