"""Under which people file each entry was signed. Fulfils `tickets.storage.PeopleBook`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from sopauto.store import tables
from sopauto.tickets.storage import Seen, Span

if TYPE_CHECKING:
    from sqlalchemy import Connection


class SqlPeopleBook:
    """Which entry carries the digest of which people file, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, seen: Seen) -> None:
        """Write under which people file an entry was signed."""
        values = {name: getattr(seen, name) for name in ("ticket", "number", "people", "at")}
        self._connection.execute(insert(tables.people_seen).values(values))

    def spans(self) -> Sequence[Span]:
        """Return each people file with the first and the last moment of its entries, by the first."""
        c = tables.people_seen.c
        first, last = func.min(c.at).label("first"), func.max(c.at).label("last")
        query = (
            select(c.people, first, last, func.count().label("entries")).group_by(c.people).order_by(first, c.people)
        )
        return [Span(**row) for row in self._connection.execute(query).mappings()]

    def first_of(self, people: str) -> Seen:
        """Return the first entry that was signed under a people file."""
        c = tables.people_seen.c
        query = select(tables.people_seen).where(c.people == people).order_by(c.at, c.ticket, c.number).limit(1)
        return Seen(**self._connection.execute(query).mappings().one())

    def last_under(self, people: Collection[str], before: datetime) -> Seen | None:
        """Return the last entry before a moment that was signed under one of these people files."""
        c = tables.people_seen.c
        query = select(tables.people_seen).where(c.people.in_(people), c.at < before)
        row = self._connection.execute(query.order_by(c.at.desc(), c.ticket, c.number).limit(1)).mappings().first()
        return Seen(**row) if row else None

    def of(self, ticket: str) -> Sequence[Seen]:
        """Return what is written about a ticket's entries, by their number."""
        c = tables.people_seen.c
        query = select(tables.people_seen).where(c.ticket == ticket).order_by(c.number)
        return [Seen(**row) for row in self._connection.execute(query).mappings()]

    def at(self, moment: datetime) -> Sequence[Seen]:
        """Return the entries of one moment."""
        c = tables.people_seen.c
        query = select(tables.people_seen).where(c.at == moment).order_by(c.ticket, c.number)
        return [Seen(**row) for row in self._connection.execute(query).mappings()]
