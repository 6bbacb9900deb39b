"""What the domain needs of the kept grants, as a Protocol; `access/store.py` keeps its promises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Final, Protocol

from sopauto.access.model import Answer, Event, Grant, Held, Line, State
from sopauto.tickets.storage import Part


class Book(Protocol):
    """Grants, spans, reviews and entries, read and changed inside the transaction that it belongs to."""

    def grant(self, ticket: str) -> Grant | None:
        """Return the grant that a ticket asked for (None: it was not approved)."""

    def of_card(self, card: str) -> Grant | None:
        """Return the grant of a card (None: the register does not know it)."""

    def in_states(self, states: Iterable[State]) -> Sequence[Grant]:
        """Return the grants that stand so, by card."""

    def overlapping(self, identity: str, first: date, last: date | None) -> Sequence[Grant]:
        """Return a person's grants that are not over and are valid on one of these days (None: without end)."""

    def expired(self, day: date) -> Sequence[Grant]:
        """Return the grants that are not over though their last day lies before this one, by card."""

    def next_serial(self, first: int, last: int) -> int | None:
        """Return the next card number of a range; a number is given once (None: the range is used up)."""

    def held(self, begin: datetime, end: datetime, day: date) -> Iterator[Held]:
        """Yield who had access at some moment of a day, by card, without holding all of them in memory."""

    def add(self, grant: Grant) -> None:
        """Keep a new grant; raises Conflict (when the transaction ends) if its card is taken."""

    def move(
        self, grant: Grant, state: State, *, reason: str = "", fault: str = "", faulty_since: datetime | None = None
    ) -> None:
        """Write how a grant stands; raises Conflict when it stands otherwise than `grant` says."""

    def card_made(self, ticket: str, at: datetime) -> None:
        """Record that the card of a grant was printed."""

    def open_span(self, ticket: str, at: datetime, by: str) -> None:
        """Record that the doors know the card."""

    def close_span(self, ticket: str, at: datetime, by: str) -> None:
        """Record that no door knows the card any more."""

    def start_review(self, review: str, grants: Iterable[str], at: datetime) -> None:
        """Keep the lines of a review."""

    def lines(self, review: str) -> Sequence[Line]:
        """Return the lines of a review, by card."""

    def answer(self, review: str, grant: str, answer: Answer, *, by: str, at: datetime) -> None:
        """Write the answer to a line; raises Conflict when it has one."""

    def reviewed(self, grant: str) -> datetime | None:
        """Return when a line of this grant was last confirmed."""

    def add_events(self, events: Iterable[Event]) -> tuple[int, int]:
        """Keep events; return how many were new and how many were known before."""

    def entered(self, begin: datetime, end: datetime, *, without_right: bool) -> Iterator[tuple[Event, str, str]]:
        """Yield events with ticket and name of the card's grant; `without_right`: only of cards with none there."""


BOOK: Final[Part[Book]] = Part(name="access")
"""The register of access in a ticket's own transaction: `reader.part(BOOK)`."""
