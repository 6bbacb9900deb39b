"""The words of access: kinds, grants, spans, entries, lines of a review; and what lists show of a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of access of the Formulir Permintaan Akses (SOP 004, row 5: "permintaan jenis akses")."""

    PERMANENT = "tetap"
    TEMPORARY = "sementara"
    VISITOR = "kunjungan"


class State(StrEnum):
    """How a grant stands. `ENDING` and `SUSPENDING` are decided, but the door has not confirmed it yet."""

    APPROVED = "approved"
    ACTIVE = "active"
    SUSPENDING = "suspending"
    SUSPENDED = "suspended"
    ENDING = "ending"
    ENDED = "ended"
    CANCELLED = "cancelled"


LEAVING = frozenset({State.ENDING, State.SUSPENDING})
"""What the door still has to be told."""
OVER = {State.ENDED: State.ENDING, State.SUSPENDED: State.SUSPENDING, State.CANCELLED: State.ENDING}
"""What is over, and as what it is to be ended again where a door still knows its card."""
LIVE = frozenset({State.APPROVED, State.ACTIVE, State.SUSPENDING, State.SUSPENDED, State.ENDING})
"""What is not over: a second grant of the same person may not overlap it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the Formulir Permintaan Akses asks for. `valid_until` is None for permanent access only.

    `identity` is the NIP (18 digits) or NIK of the KTP (16 digits); `escort` goes along with a visitor.
    """

    name: str
    identity: str
    kind: Kind
    purpose: str
    zones: tuple[str, ...]
    valid_from: date
    valid_until: date | None
    escort: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A right to enter. `ticket` asked for it and is its id; `serial` is the number of `card` within the range.

    `reason` says why it is suspended or ended, `fault` why a door has not confirmed that yet, since `faulty_since`.
    `card_made_at` is when its card was printed last.
    """

    ticket: str
    serial: int
    card: str
    unit: str
    request: Request
    approved_by: str
    approved_at: datetime
    state: State = State.APPROVED
    reason: str = ""
    fault: str = ""
    faulty_since: datetime | None = None
    card_made_at: datetime | None = None

    def covers(self, day: date) -> bool:
        """Tell whether the right is valid on a day, both ends included."""
        until = self.request.valid_until
        return self.request.valid_from <= day and (until is None or day <= until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time in which doors knew a card: from the moment they confirmed it until they confirmed that it was gone."""

    ticket: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None = None
    closed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One line of the register: a grant, and the time in which its card opened doors."""

    grant: Grant
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A card at a door: what a controller's event file says. `day` is that of the office's time zone."""

    at: datetime
    day: date
    card: str
    zone: str


class Answer(StrEnum):
    """What a Kasi says of one line of the Formulir Review Akses; `SUSPENDED` is the rule's answer for who says none."""

    CONFIRMED = "dipertahankan"
    WITHDRAWN = "dicabut"
    SUSPENDED = "ditangguhkan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One grant in a review, and what was answered (None: nothing yet)."""

    review: str
    grant: Grant
    answer: Answer | None = None
    by: str = ""
    at: datetime | None = None
