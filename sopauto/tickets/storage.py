"""What tickets need of a store, as Protocols; `store/` keeps these promises on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from sopauto.assets.register import Register
from sopauto.journal.entry import Entry
from sopauto.tickets.model import Attempt, Outcome, State, Ticket
from sopauto.work import Artifact

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[T]):
    """Names a domain's own part of a transaction: its tables, as the domain sees them."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message for the outbox, written in the transaction of the action that causes it; a document may go with it."""

    ticket: str
    to: str
    subject: str
    body: str
    attached: Artifact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A ticket in a list: enough to print one line."""

    id: str
    procedure: str
    unit: str
    state: State
    step: str
    since: datetime
    due: datetime | None
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A ticket's row in the table of tickets beside what its journal really has.

    `entries` and `head` are what the row says; `kept` is how many entries there are, `opening` the first and `end` the
    one whose number the row names (None: it is missing).
    """

    ticket: str
    entries: int
    head: str
    row: str
    kept: int
    opening: Entry | None
    end: Entry | None


class Kind(StrEnum):
    """The two letters about an overdue row: to whom everybody waits for, and to the superior."""

    REMINDER = "reminder"
    ESCALATION = "escalation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A letter about an overdue row, kept once per kind and entry of the row. `to` tells a reader who got it."""

    ticket: str
    step: str
    round: int
    kind: Kind
    to: str
    queued_at: datetime


class Reminders(Protocol):
    """The letters about overdue rows."""

    def overdue(self, at: datetime) -> Sequence[tuple[Ticket, datetime]]:
        """Return the open tickets whose present row should have been done by then, and since when; oldest first."""

    def of(self, ticket: Ticket) -> Sequence[Reminder]:
        """Return the letters about the ticket's present entry of its present row."""

    def add(self, reminder: Reminder) -> None:
        """Keep a letter; raises Conflict (when the transaction ends) if that one was already written."""


Place = tuple[datetime, int]
"""Where an entry stands among all: its time, and the order in which those of one second were written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Under which people file (its digest) an entry was signed, and when. The store gives `sequence`."""

    ticket: str
    number: int
    people: str
    at: datetime
    sequence: int = field(default=0, compare=False)

    @property
    def place(self) -> Place:
        """Where the entry stands among all."""
        return self.at, self.sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A people file: its first entry, the time of its last, and how many there are."""

    people: str
    since: Seen
    last: datetime
    entries: int


class PeopleBook(Protocol):
    """Which entry carries the digest of which people file: what the signed texts say, kept so that it is found."""

    def add(self, seen: Seen) -> None:
        """Write under which people file an entry was signed."""

    def spans(self) -> Sequence[Span]:
        """Return each people file with its first and its last entry, by the first."""

    def last_under(self, people: Collection[str], before: Place) -> Seen | None:
        """Return the last entry before a place that was signed under one of these people files."""

    def of(self, ticket: str) -> Sequence[Seen]:
        """Return what is written about a ticket's entries, by their number."""

    def at(self, moment: datetime) -> Sequence[Seen]:
        """Return the entries of one moment."""


class Hold(Protocol):
    """The lock of a piece of machine work, gone with the process that holds it."""

    def still(self) -> None:
        """Take the lock again where it got lost with a connection; raises StepFailed (the database is away)."""


class Reader(Protocol):
    """A consistent view of the store."""

    @property
    def assets(self) -> Register:
        """The assets, in the same transaction."""

    def part(self, part: Part[T]) -> T:
        """Return a domain's own part of the same transaction."""

    @property
    def reminders(self) -> Reminders:
        """The reminders of overdue rows, in the same transaction."""

    @property
    def people(self) -> PeopleBook:
        """Under which people file each entry was signed, in the same transaction."""

    def ticket(self, ticket_id: str) -> Ticket:
        """Return a ticket; raises BadInput (unknown id)."""

    def due(self, ticket_id: str) -> datetime | None:
        """Return by when the ticket's present step should be done."""

    def entries(self, ticket_id: str) -> Sequence[Entry]:
        """Return the ticket's entries in order of their number."""

    def last_entry(self, ticket_id: str) -> Entry | None:
        """Return the ticket's newest entry (None: there is no such ticket)."""

    def server_time(self) -> datetime | None:
        """Return what the clock of the database server says (None: the database is a file of this machine)."""

    def last_opening(self) -> str:
        """Return the digest of the first entry of the ticket opened last (`ZERO` when there is none)."""

    def openings(self) -> Sequence[Entry]:
        """Return the first entry of each ticket, in the order in which the tickets were opened."""

    def entry(self, ticket_id: str, number: int) -> Entry | None:
        """Return one entry (None: there is none)."""

    def stands(self, ticket_id: str | None = None) -> Sequence[Stand]:
        """Return how each ticket (or one) stands, in the order in which the tickets were opened."""

    def strays(self) -> Sequence[str]:
        """Return the ids of tickets that have entries and are not among the tickets."""

    def next_id(self, prefix: str, year: int) -> str:
        """Return the id that the next ticket of this prefix gets: PREFIX-YEAR-0001."""

    def document(self, digest: str) -> bytes:
        """Return a document's content by its SHA-256; raises BadInput (unknown)."""

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

    def waiting(self, reason: str) -> Sequence[Ticket]:
        """Return the tickets that wait for something, the one that has waited longest first."""

    def now(self) -> datetime:
        """Return the time by the one clock that all workers share, the database's: leases count by it."""

    def attempts(self, ticket_id: str, step: str) -> Sequence[Attempt]:
        """Return the attempts at a step in order of their number."""

    def worked(self) -> Sequence[tuple[Ticket, Attempt]]:
        """Return the attempts that ended as done (or partly), with their tickets, the oldest first."""

    def pinned_host_key(self, server: str) -> str | None:
        """Return the host key pinned for a server."""

    def looked(self, ticket_id: str, person: str, plan: str) -> bool:
        """Tell whether a person was shown a plan of a ticket; `plan` is the SHA-256 of its document."""

    def snapshots(self, server: str) -> Sequence[tuple[datetime, str]]:
        """Return (taken at, document digest) of the server's inventories, the oldest first."""


class Writer(Reader, Protocol):
    """One transaction: all of it is kept, or none."""

    def append(self, entry: Entry, ticket: Ticket, *, due: datetime | None, title: str) -> None:
        """Add an entry and the ticket's new state; raises Conflict when somebody acted meanwhile."""

    def keep(self, artifacts: Sequence[Artifact]) -> None:
        """Keep documents by the SHA-256 of their content; the same content is kept once."""

    def post(self, mails: Sequence[Mail], at: datetime) -> None:
        """Put messages into the outbox."""

    def claim(self, attempt: Attempt) -> None:
        """Insert an attempt; raises Conflict when this number is already claimed."""

    def look(self, ticket_id: str, person: str, plan: str, at: datetime) -> None:
        """Write that a person was shown a plan of a ticket, once."""

    def renew(self, attempt: Attempt, until: datetime) -> bool:
        """Lengthen the lease of an attempt; tell whether it is still this worker's and has no outcome."""

    def take_over(self, attempt: Attempt, worker: str, until: datetime) -> Attempt:
        """Give an attempt whose worker is gone to another; raises Conflict when it is not as it was read."""

    def settle(self, attempt: Attempt, outcome: Outcome, at: datetime) -> None:
        """Write an attempt's outcome; raises Conflict when it has one already, or was taken over."""

    def pin_host_key(self, server: str, key: str, at: datetime) -> None:
        """Pin the server's host key; a key that is already pinned stays (raises Conflict when it differs)."""

    def unpin_host_key(self, server: str) -> None:
        """Forget a server's host key: it left, and another may come under its name."""

    def add_snapshot(self, server: str, taken_at: datetime, document: str) -> None:
        """Record that an inventory of the server was kept as this document."""


Change = Callable[[Writer], object]
"""A further change of the same transaction (assets, host keys, attempts)."""


class Store(Protocol):
    """Where everything is kept."""

    def read(self) -> AbstractContextManager[Reader]:
        """Open a consistent view."""

    def write(self) -> AbstractContextManager[Writer]:
        """Open a transaction; it is rolled back when the block raises.

        Raises: Contended (somebody else wrote at the same moment), StepFailed (the database failed).
        """

    @property
    def lock_tells(self) -> bool:
        """Whether a free lock proves that its holder, were it on this machine, has ended."""

    def hold(self, ticket: str, step: str) -> AbstractContextManager[Hold | None]:
        """Hold the lock of the machine work of a step (None: somebody else has it); raises StepFailed."""

    def opening(self) -> AbstractContextManager[None]:
        """Let others who open a ticket wait meanwhile."""
