"""The words of a ticket: one run of one SOP, the actions on it, and what it stands at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from sopauto.work import Json

ZERO = "0" * 64
"""The `prev` of the very first entry of a database."""


class State(StrEnum):
    """Where a ticket stands as a whole."""

    OPEN = "open"
    WAITING = "waiting"
    DONE = "done"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Verb(StrEnum):
    """What a person can do to a ticket. Each action is one signed entry of the journal."""

    OPEN = "open"
    DONE = "done"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    PLAN = "plan"
    RUN = "run"
    EVIDENCE = "evidence"
    STALE = "stale"
    SETTLE = "settle"
    WAKE = "wake"
    CLOCK = "clock"


class Outcome(StrEnum):
    """How an attempt at a technical step ended."""

    DONE = "done"
    PARTLY = "partly"
    """The first of several modules ran; the row is not done yet."""
    FAILED = "failed"
    NOT_BEGUN = "not-begun"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRef:
    """A document that an entry carries: its file name and the SHA-256 of its content."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that one person did, at one moment, in one position.

    `plan` and `order` are digests (see `work.py`); `outcome` belongs to `RUN`, `EVIDENCE` and `SETTLE`.
    """

    verb: Verb
    person: str
    position: str
    at: datetime
    note: str = ""
    data: Json = field(default_factory=dict)
    documents: tuple[DocumentRef, ...] = ()
    plan: str | None = None
    order: str | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The plan attached to a technical step: its digests, who made it, and who approved it."""

    plan: str
    order: str
    document: str
    by: str
    approved_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One run of one SOP: everything that follows from its journal, and nothing else.

    `data` collects what actors stated (`isian`), `answers` the latest answer of each decision, `rounds` how often
    each step was entered, `plans` the plan of each technical step. `unknown` says that a named engineer has to
    settle the outcome of an attempt first. `entries` and `head` are the length and the end of its chain.
    """

    id: str
    procedure: str
    procedure_digest: str
    unit: str
    applicant: str
    letter: Json
    opened_at: datetime
    state: State
    step: str
    since: datetime
    entries: int = 0
    head: str = ZERO
    data: Json = field(default_factory=dict)
    answers: Mapping[str, bool] = field(default_factory=dict)
    rounds: Mapping[str, int] = field(default_factory=dict)
    plans: Mapping[str, Planned] = field(default_factory=dict)
    requesters: frozenset[str] = frozenset()
    approvers: frozenset[str] = frozenset()
    executors: frozenset[str] = frozenset()
    waits_for: str | None = None
    unknown: bool = False

    def with_changes(self, **changes: Any) -> Self:
        """Return the ticket with some attributes replaced."""
        return replace(self, **changes)

    @property
    def is_open(self) -> bool:
        """Whether anybody still has something to do."""
        return self.state in {State.OPEN, State.WAITING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a technical step, recorded before anything is sent (design rule 5).

    `worker` tells one process of one machine from all others (`drivers/processes.py`); `lease_until` is by when it will
    have been heard of again: after that another worker may ask what became of it.
    """

    ticket: str
    step: str
    number: int
    worker: str
    person: str
    order: str
    begun_at: datetime
    lease_until: datetime
    outcome: Outcome | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What opens a ticket: the SOP's code, the requesting unit and person, and the fields that the SOP asks for."""

    procedure: str
    unit: str
    applicant: str
    fields: Json
