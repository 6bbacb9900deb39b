"""The tables, for SQLite and PostgreSQL alike. `migrations/` makes them; a test holds the two against each other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.engine import Dialect


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC: SQLite knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Refuse naive datetimes and turn aware ones to UTC."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime has no place here")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: Any | None, _: Dialect) -> datetime | None:
        """Return the moment in UTC."""
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

tickets = Table(
    "tickets",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),  # the order of opening
    Column("id", String(40), nullable=False, unique=True),
    Column("prefix", String(40), nullable=False),  # prefix and year of the id
    Column("procedure", String(80), nullable=False),
    Column("unit", String(80), nullable=False),
    Column("state", String(12), nullable=False),
    Column("step", String(80), nullable=False),
    Column("since", Moment, nullable=False),
    Column("due", Moment),
    Column("title", Text, nullable=False),
    Column("waits_for", String(20)),
    Column("entries", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Column("content", Text, nullable=False),  # the whole ticket as JSON (ticket_json.py)
    Index("ix_tickets_state", "state", "sequence"),
    Index("ix_tickets_procedure", "procedure", "sequence"),
    Index("ix_tickets_due", "due"),
    Index("ix_tickets_prefix", "prefix", "sequence"),
    Index("ix_tickets_waits", "waits_for", "since"),
)

entries = Table(
    "entries",
    metadata,
    Column("ticket", String(40), ForeignKey("tickets.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("prev", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("signature", Text, nullable=False),
    Column("key", Text, nullable=False),
    # Two tickets that were opened at once cannot both follow the same one: the chain of openings does not fork.
    # (Where `number = 1`: the migration says so. Said here, it would load PostgreSQL's dialect at every start.)
    Index("uq_entries_opening", "prev", unique=True, sqlite_where=text("number = 1")),
)

people_seen = Table(
    "people_seen",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),  # tells entries of one second apart
    Column("ticket", String(40), ForeignKey("tickets.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("people", String(64), ForeignKey("documents.sha256"), nullable=False),  # as the signed text says
    Column("at", Moment, nullable=False),  # as the signed text says
    Index("uq_people_seen_entry", "ticket", "number", unique=True),
    Index("ix_people_seen_people", "people", "at"),
    Index("ix_people_seen_at", "at"),
)

documents = Table(
    "documents",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("media_type", String(80), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("ticket", String(40), ForeignKey("tickets.id"), primary_key=True),
    Column("step", String(80), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("worker", Text, nullable=False),
    Column("person", String(64), nullable=False),
    Column("order", String(64), nullable=False),
    Column("begun_at", Moment, nullable=False),
    Column("lease_until", Moment, nullable=False),
    Column("outcome", String(12)),
    Column("ended_at", Moment),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("ticket", String(40), nullable=False),  # or what else it is about: `inventaris-2026-11`
    Column("to", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("queued_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_try", Moment),  # NULL: nothing left to do
    Column("sent_at", Moment),
    Column("message_id", Text),
    Column("reason", Text),
    Column("refused", Boolean, nullable=False, default=False),
    Column("attached", String(64), ForeignKey("documents.sha256")),
    Column("attached_name", Text),
    Index("ix_outbox_next_try", "next_try"),
)

reminders = Table(
    "reminders",
    metadata,
    Column("ticket", String(40), ForeignKey("tickets.id"), primary_key=True),
    Column("step", String(80), primary_key=True),
    Column("round", Integer, primary_key=True),  # how often the ticket had entered the step
    Column("kind", String(12), primary_key=True),
    Column("to", Text, nullable=False),
    Column("queued_at", Moment, nullable=False),
)

host_keys = Table(
    "host_keys",
    metadata,
    Column("server", String(253), primary_key=True),
    Column("key", Text, nullable=False),
    Column("pinned_at", Moment, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("server", String(253), nullable=False),
    Column("taken_at", Moment, nullable=False),
    Column("document", String(64), ForeignKey("documents.sha256"), nullable=False),
    Index("ix_snapshots_server", "server", "taken_at"),
)

looks = Table(
    "looks",
    metadata,
    Column("ticket", String(40), ForeignKey("tickets.id"), primary_key=True),
    Column("person", String(64), primary_key=True),
    Column("plan", String(64), primary_key=True),  # SHA-256 of the plan's document
    Column("at", Moment, nullable=False),
)

APPEND_ONLY = ("entries", "documents", "people_seen")
"""Tables on which triggers refuse update and delete (design rule 4)."""
