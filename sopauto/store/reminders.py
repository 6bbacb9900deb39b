"""Reading and writing the letters about overdue rows. Fulfils `tickets.storage.Reminders`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, insert, select

from sopauto.store import tables
from sopauto.store.ticket_json import read_ticket
from sopauto.tickets.model import State, Ticket
from sopauto.tickets.storage import Kind, Reminder

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection


class SqlReminders:
    """The letters about overdue rows, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def overdue(self, at: datetime) -> Sequence[tuple[Ticket, datetime]]:
        """Return the open tickets whose present row should have been done by then, and since when; oldest first."""
        c = tables.tickets.c
        query = select(c.content, c.due).where(*_late(at)).order_by(c.due, c.sequence)
        return [(read_ticket(row.content), row.due) for row in self._connection.execute(query)]

    def of(self, ticket: Ticket) -> Sequence[Reminder]:
        """Return the letters about the ticket's present entry of its present row."""
        c = tables.reminders.c
        present = (c.ticket == ticket.id, c.step == ticket.step, c.round == ticket.rounds[ticket.step])
        query = select(tables.reminders).where(*present).order_by(c.queued_at)
        rows = self._connection.execute(query).mappings()
        return [Reminder(**{**row, "kind": Kind(row["kind"])}) for row in rows]

    def add(self, reminder: Reminder) -> None:
        """Keep a letter; its key refuses a second one of that kind for the same entry of the row."""
        values = {name: getattr(reminder, name) for name in ("ticket", "step", "round", "to", "queued_at")}
        self._connection.execute(insert(tables.reminders).values({**values, "kind": reminder.kind.value}))

    def forgotten(self, at: datetime) -> int:
        """Count the tickets that were overdue by then and have no letter about it."""
        tickets, c = tables.tickets.c, tables.reminders.c
        told = exists().where(c.ticket == tickets.id, c.queued_at >= tickets.since)
        return self._connection.scalar(select(func.count()).where(*_late(at), ~told)) or 0


def _late(at: datetime) -> tuple[ColumnElement[bool], ...]:
    c = tables.tickets.c
    return c.state == State.OPEN.value, c.due < at
