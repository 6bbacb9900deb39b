"""Reading and writing tickets, journal, documents and attempts. Fulfils `tickets.storage.Reader` and `Writer`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import func, insert, select, true, update

from sopauto.errors import BadInput, Conflict, Contended
from sopauto.journal.entry import Entry
from sopauto.store import tables
from sopauto.store.ticket_json import read_ticket, write_ticket
from sopauto.tickets.model import ZERO, Attempt, Outcome, State, Ticket
from sopauto.tickets.storage import Mail, Part, Row, Stand
from sopauto.work import Artifact, sha256

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from sopauto.store.assets import SqlRegister
    from sopauto.store.people import SqlPeopleBook
    from sopauto.store.reminders import SqlReminders

T = TypeVar("T")
Parts = Mapping[Part[Any], Callable[[Any], Any]]
"""What makes each domain's own part of a transaction from its connection."""


class SqlReader:
    """A consistent view of the store."""

    def __init__(self, connection: Connection, parts: Parts) -> None:
        self._connection = connection
        self._parts = parts
        self._made: dict[Part[Any], Any] = {}

    @cached_property
    def assets(self) -> SqlRegister:
        """The assets, in the same transaction."""
        from sopauto.store.assets import SqlRegister

        return SqlRegister(self._connection)

    def part(self, part: Part[T]) -> T:
        """Return a domain's own part of the same transaction."""
        if part not in self._made:
            self._made[part] = self._parts[part](self._connection)
        made: T = self._made[part]
        return made

    @cached_property
    def reminders(self) -> SqlReminders:
        """The reminders of overdue rows, in the same transaction."""
        from sopauto.store.reminders import SqlReminders

        return SqlReminders(self._connection)

    @cached_property
    def people(self) -> SqlPeopleBook:
        """Under which people file each entry was signed, in the same transaction."""
        from sopauto.store.people import SqlPeopleBook

        return SqlPeopleBook(self._connection)

    def ticket(self, ticket_id: str) -> Ticket:
        """Return a ticket; raises BadInput (unknown id)."""
        query = select(tables.tickets.c.content).where(tables.tickets.c.id == ticket_id)
        content = self._connection.scalar(query)
        if content is None:
            raise BadInput(f"there is no ticket {ticket_id!r}", mend="see `inv ticket.list`")
        return read_ticket(content)

    def due(self, ticket_id: str) -> datetime | None:
        """Return by when the ticket's present step should be done."""
        return self._connection.scalar(select(tables.tickets.c.due).where(tables.tickets.c.id == ticket_id))

    def entries(self, ticket_id: str) -> Sequence[Entry]:
        """Return the ticket's entries in order of their number."""
        entries = tables.entries
        return self._entries(select(entries).where(entries.c.ticket == ticket_id).order_by(entries.c.number))

    def last_entry(self, ticket_id: str) -> Entry | None:
        """Return the ticket's newest entry (None: there is no such ticket)."""
        entries = tables.entries
        query = select(entries).where(entries.c.ticket == ticket_id).order_by(entries.c.number.desc()).limit(1)
        return next(iter(self._entries(query)), None)

    def server_time(self) -> datetime | None:
        """Return what the clock of the database server says (None: the database is a file of this machine)."""
        if self._connection.dialect.name != "postgresql":
            return None
        at: datetime | None = self._connection.scalar(select(func.clock_timestamp()))
        return at

    def last_opening(self) -> str:
        """Return the digest of the first entry of the ticket opened last (`ZERO` when there is none)."""
        entries, tickets = tables.entries, tables.tickets
        last = select(tickets.c.id).order_by(tickets.c.sequence.desc()).limit(1).scalar_subquery()
        first = self._entries(select(entries).where(entries.c.ticket == last, entries.c.number == 1))
        return first[0].digest if first else ZERO

    def openings(self) -> Sequence[Entry]:
        """Return the first entry of each ticket, in the order in which the tickets were opened."""
        entries, tickets = tables.entries, tables.tickets
        query = select(entries).join(tickets, tickets.c.id == entries.c.ticket).where(entries.c.number == 1)
        return self._entries(query.order_by(tickets.c.sequence))

    def entry(self, ticket_id: str, number: int) -> Entry | None:
        """Return one entry (None: there is none)."""
        c = tables.entries.c
        found = self._entries(select(tables.entries).where(c.ticket == ticket_id, c.number == number))
        return found[0] if found else None

    def stands(self, ticket_id: str | None = None) -> Sequence[Stand]:
        """Return how each ticket (or one) stands, in the order in which the tickets were opened."""
        t, e = tables.tickets.c, tables.entries.c
        only = e.ticket == ticket_id if ticket_id else true()
        counted = self._connection.execute(select(e.ticket, func.count()).where(only).group_by(e.ticket))
        kept: dict[str, int] = {row[0]: row[1] for row in counted}
        joined = select(tables.entries).join(tables.tickets, t.id == e.ticket).where(only)
        opening, end = (
            {entry.ticket: entry for entry in self._entries(joined.where(e.number == number))}
            for number in (1, t.entries)
        )
        rows = select(t.id, t.entries, t.head, t.state, t.step).where(t.id == ticket_id if ticket_id else true())
        return [
            Stand(
                ticket=row.id,
                entries=row.entries,
                head=row.head,
                row=row.step if row.state == State.OPEN.value else row.state,
                kept=kept.get(row.id, 0),
                opening=opening.get(row.id),
                end=end.get(row.id),
            )
            for row in self._connection.execute(rows.order_by(t.sequence))
        ]

    def strays(self) -> Sequence[str]:
        """Return the ids of tickets that have entries and are not among the tickets."""
        t, e = tables.tickets.c, tables.entries.c
        query = select(e.ticket).outerjoin(tables.tickets, t.id == e.ticket).where(t.id.is_(None))
        return list(self._connection.scalars(query.distinct().order_by(e.ticket)))

    def next_id(self, prefix: str, year: int) -> str:
        """Return the id that the next ticket of this prefix gets: PREFIX-YEAR-0001."""
        tickets = tables.tickets
        stem = f"{prefix}-{year}"
        query = select(tickets.c.id).where(tickets.c.prefix == stem).order_by(tickets.c.sequence.desc()).limit(1)
        last = self._connection.scalar(query)
        number = int(last.rpartition("-")[2]) + 1 if last else 1
        return f"{stem}-{number:04}"

    def document(self, digest: str) -> bytes:
        """Return a document's content by its SHA-256; raises BadInput (unknown)."""
        query = select(tables.documents.c.content).where(tables.documents.c.sha256 == digest)
        content = self._connection.scalar(query)
        if content is None:
            raise BadInput(f"there is no document {digest!r}", mend="see `inv ticket.show`")
        return bytes(content)

    def rows(
        self,
        *,
        limit: int,
        after: str | None = None,
        state: State | None = None,
        procedure: str | None = None,
        overdue_at: datetime | None = None,
    ) -> Sequence[Row]:
        """Return one page of tickets, the newest first; `after` is the last id of the page before."""
        c = tables.tickets.c
        query = select(c.id, c.procedure, c.unit, c.state, c.step, c.since, c.due, c.title)
        if after is not None:
            query = query.where(c.sequence < self._sequence(after))
        if state is not None:
            query = query.where(c.state == state.value)
        if procedure is not None:
            query = query.where(c.procedure == procedure)
        if overdue_at is not None:
            query = query.where(c.due < overdue_at)
        found = self._connection.execute(query.order_by(c.sequence.desc()).limit(limit)).mappings()
        return [Row(**{**row, "state": State(row["state"])}) for row in found]

    def waiting(self, reason: str) -> Sequence[Ticket]:
        """Return the tickets that wait for something, the one that has waited longest first."""
        c = tables.tickets.c
        query = select(c.content).where(c.waits_for == reason).order_by(c.since, c.sequence)
        return [read_ticket(content) for content in self._connection.scalars(query)]

    def now(self) -> datetime:
        """Return the time by the one clock that all workers share, the database's: leases count by it."""
        if self._connection.dialect.name == "postgresql":
            moment: datetime = self._connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
            return moment.astimezone(UTC)
        told = self._connection.exec_driver_sql("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')").scalar_one()
        return datetime.fromisoformat(told)

    def attempts(self, ticket_id: str, step: str) -> Sequence[Attempt]:
        """Return the attempts at a step in order of their number."""
        c = tables.attempts.c
        query = select(tables.attempts).where(c.ticket == ticket_id, c.step == step).order_by(c.number)
        rows = self._connection.execute(query).mappings()
        return [Attempt(**{**row, "outcome": row["outcome"] and Outcome(row["outcome"])}) for row in rows]

    def worked(self) -> Sequence[tuple[Ticket, Attempt]]:
        """Return the attempts that ended as done (or partly), with their tickets, the oldest first."""
        c, tickets = tables.attempts.c, tables.tickets
        ended = c.outcome.in_([Outcome.DONE.value, Outcome.PARTLY.value])
        query = select(tickets.c.content, tables.attempts).join(tickets, tickets.c.id == c.ticket).where(ended)
        found = [dict(row) for row in self._connection.execute(query.order_by(c.ended_at)).mappings()]
        return [
            (read_ticket(row.pop("content")), Attempt(**{**row, "outcome": Outcome(row["outcome"])})) for row in found
        ]

    def pinned_host_key(self, server: str) -> str | None:
        """Return the host key pinned for a server."""
        return self._connection.scalar(select(tables.host_keys.c.key).where(tables.host_keys.c.server == server))

    def looked(self, ticket_id: str, person: str, plan: str) -> bool:
        """Tell whether a person was shown a plan of a ticket; `plan` is the SHA-256 of its document."""
        c = tables.looks.c
        query = select(c.plan).where(c.ticket == ticket_id, c.person == person, c.plan == plan)
        return self._connection.scalar(query) is not None

    def snapshots(self, server: str) -> Sequence[tuple[datetime, str]]:
        """Return (taken at, document digest) of the server's inventories, the oldest first."""
        c = tables.snapshots.c
        query = select(c.taken_at, c.document).where(c.server == server).order_by(c.taken_at, c.id)
        return [(row.taken_at, row.document) for row in self._connection.execute(query)]

    def counts(self) -> dict[str, int]:
        """Return how many rows the tables have."""
        return {
            table.name: self._connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (tables.tickets, tables.entries, tables.documents, tables.outbox)
        }

    def _sequence(self, ticket_id: str) -> int:
        found: int | None = self._connection.scalar(
            select(tables.tickets.c.sequence).where(tables.tickets.c.id == ticket_id)
        )
        if found is None:
            raise BadInput(f"there is no ticket {ticket_id!r}", where="--after", mend="see `inv ticket.list`")
        return found

    def _entries(self, query: Any) -> list[Entry]:
        rows = self._connection.execute(query).mappings()
        return [Entry(**{**row, "body": bytes(row["body"])}) for row in rows]


class SqlWriter(SqlReader):
    """One transaction: all of it is kept, or none."""

    def append(self, entry: Entry, ticket: Ticket, *, due: datetime | None, title: str) -> None:
        """Add an entry and the ticket's new state; raises Conflict when somebody acted meanwhile."""
        values = _columns(ticket, due, title)
        if entry.number == 1:
            if self.last_opening() != entry.prev:
                raise Contended("another ticket was opened meanwhile; nothing was written", mend="repeat the command")
            self._connection.execute(insert(tables.tickets).values(**values))
        else:
            self._replace(entry, values)
        self._connection.execute(
            insert(tables.entries).values(
                ticket=entry.ticket,
                number=entry.number,
                prev=entry.prev,
                body=entry.body,
                signature=entry.signature,
                key=entry.key,
            )
        )

    def _replace(self, entry: Entry, values: dict[str, Any]) -> None:
        c = tables.tickets.c
        changed = self._connection.execute(
            update(tables.tickets)
            .where(c.id == entry.ticket, c.head == entry.prev, c.entries == entry.number - 1)
            .values(**values)
        )
        if changed.rowcount != 1:
            raise Conflict(
                f"somebody acted on {entry.ticket} meanwhile; nothing was written",
                mend=f"look again with `inv ticket.show {entry.ticket}`",
            )

    def keep(self, artifacts: Sequence[Artifact]) -> None:
        """Keep documents by the SHA-256 of their content; the same content is kept once."""
        c = tables.documents.c
        for artifact in artifacts:
            digest = sha256(artifact.content)
            if self._connection.scalar(select(c.sha256).where(c.sha256 == digest)) is None:
                self._connection.execute(
                    insert(tables.documents).values(
                        sha256=digest, media_type=artifact.media_type, content=artifact.content
                    )
                )

    def post(self, mails: Sequence[Mail], at: datetime) -> None:
        """Put messages into the outbox, and what they carry among the documents."""
        for mail in mails:
            values: dict[str, Any] = {name: getattr(mail, name) for name in ("ticket", "to", "subject", "body")}
            if mail.attached:
                self.keep([mail.attached])
                values |= {"attached": sha256(mail.attached.content), "attached_name": mail.attached.name}
            self._connection.execute(insert(tables.outbox).values(queued_at=at, next_try=at, **values))

    def claim(self, attempt: Attempt) -> None:
        """Insert an attempt; raises Conflict when this number is already claimed."""
        held = [other.number for other in self.attempts(attempt.ticket, attempt.step) if other.outcome is None]
        if held:
            raise Conflict(f"attempt {held[0]} at {attempt.step} has no result yet", mend="repeat the command")
        names = ("ticket", "step", "number", "worker", "person", "order", "begun_at", "lease_until")
        self._connection.execute(insert(tables.attempts).values({name: getattr(attempt, name) for name in names}))

    def look(self, ticket_id: str, person: str, plan: str, at: datetime) -> None:
        """Write that a person was shown a plan of a ticket, once."""
        if not self.looked(ticket_id, person, plan):
            values = {"ticket": ticket_id, "person": person, "plan": plan, "at": at}
            self._connection.execute(insert(tables.looks).values(**values))

    def renew(self, attempt: Attempt, until: datetime) -> bool:
        """Lengthen the lease of an attempt; tell whether it is still this worker's and has no outcome."""
        return self._change_attempt(attempt, lease_until=until)

    def take_over(self, attempt: Attempt, worker: str, until: datetime) -> Attempt:
        """Give an attempt whose worker is gone to another; raises Conflict when it is not as it was read."""
        lease = tables.attempts.c.lease_until == attempt.lease_until
        if not self._change_attempt(attempt, lease, worker=worker, lease_until=until):
            raise Conflict(f"somebody else looks after attempt {attempt.number} at {attempt.step}", mend="look again")
        return replace(attempt, worker=worker, lease_until=until)

    def settle(self, attempt: Attempt, outcome: Outcome, at: datetime) -> None:
        """Write an attempt's outcome; raises Conflict when it has one already, or was taken over."""
        if not self._change_attempt(attempt, outcome=outcome.value, ended_at=at):
            what = f"attempt {attempt.number} at {attempt.step} already has a result, or another worker took it over"
            raise Conflict(what, mend="look again")

    def _change_attempt(self, attempt: Attempt, *further: ColumnElement[bool], **values: object) -> bool:
        """Change an attempt; tell whether it was still this worker's and without an outcome."""
        c = tables.attempts.c
        this = (c.ticket == attempt.ticket, c.step == attempt.step, c.number == attempt.number)
        mine = (c.worker == attempt.worker, c.outcome.is_(None))
        changed = self._connection.execute(update(tables.attempts).where(*this, *mine, *further).values(**values))
        return changed.rowcount == 1

    def pin_host_key(self, server: str, key: str, at: datetime) -> None:
        """Pin the server's host key; a key that is already pinned stays (raises Conflict when it differs)."""
        pinned = self.pinned_host_key(server)
        if pinned is None:
            self._connection.execute(insert(tables.host_keys).values(server=server, key=key, pinned_at=at))
        elif pinned != key:
            raise Conflict(f"another host key of {server} was pinned meanwhile", mend="ask the server's contact")

    def unpin_host_key(self, server: str) -> None:
        """Forget a server's host key: it left, and another may come under its name."""
        self._connection.execute(tables.host_keys.delete().where(tables.host_keys.c.server == server))

    def add_snapshot(self, server: str, taken_at: datetime, document: str) -> None:
        """Record that an inventory of the server was kept as this document."""
        self._connection.execute(insert(tables.snapshots).values(server=server, taken_at=taken_at, document=document))


def _columns(ticket: Ticket, due: datetime | None, title: str) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "prefix": ticket.id.rpartition("-")[0],
        "procedure": ticket.procedure,
        "unit": ticket.unit,
        "state": ticket.state.value,
        "step": ticket.step,
        "since": ticket.since,
        "due": due,
        "title": title,
        "waits_for": ticket.waits_for,
        "entries": ticket.entries,
        "head": ticket.head,
        "content": write_ticket(ticket),
    }
