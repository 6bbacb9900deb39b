"""Under which people file each entry was signed. Fulfils `tickets.storage.PeopleBook`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, insert, or_, select

from sopauto.store import tables
from sopauto.tickets.storage import Place, Seen, Span

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
        """Return each people file with its first and its last entry, by the first."""
        c = tables.people_seen.c
        first, last = func.min(c.at), func.max(c.at)
        grouped = select(c.people, first.label("first"), last.label("last"), func.count().label("entries"))
        rows = [dict(row) for row in self._connection.execute(grouped.group_by(c.people)).mappings()]
        spans = [Span(since=self._first_of(row["people"], row.pop("first")), **row) for row in rows]
        return sorted(spans, key=lambda span: span.since.place)

    def last_under(self, people: Collection[str], before: Place) -> Seen | None:
        """Return the last entry before a place that was signed under one of these people files."""
        c = tables.people_seen.c
        earlier = or_(c.at < before[0], and_(c.at == before[0], c.sequence < before[1]))
        query = select(tables.people_seen).where(c.people.in_(people), earlier)
        row = self._connection.execute(query.order_by(c.at.desc(), c.sequence.desc()).limit(1)).mappings().first()
        return Seen(**row) if row else None

    def of(self, ticket: str) -> Sequence[Seen]:
        """Return what is written about a ticket's entries, by their number."""
        c = tables.people_seen.c
        query = select(tables.people_seen).where(c.ticket == ticket).order_by(c.number)
        return [Seen(**row) for row in self._connection.execute(query).mappings()]

    def at(self, moment: datetime) -> Sequence[Seen]:
        """Return the entries of one moment."""
        c = tables.people_seen.c
        query = select(tables.people_seen).where(c.at == moment).order_by(c.sequence)
        return [Seen(**row) for row in self._connection.execute(query).mappings()]

    def _first_of(self, people: str, at: datetime) -> Seen:
        c = tables.people_seen.c
        query = select(tables.people_seen).where(c.people == people, c.at == at).order_by(c.sequence).limit(1)
        return Seen(**self._connection.execute(query).mappings().one())
