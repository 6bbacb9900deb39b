"""Delivering what waits in the outbox: at least once, each with an id of its own by which a repetition is known."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from sopauto.clock import Clock
from sopauto.work import Artifact

LIMIT: Final = 200
"""Messages read from the outbox at once."""
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=6)


class Queued(Protocol):
    """A message that waits."""

    @property
    def id(self) -> int:
        """Its number in the outbox."""

    @property
    def ticket(self) -> str:
        """The ticket that it belongs to."""

    @property
    def to(self) -> str:
        """The addressee."""

    @property
    def subject(self) -> str:
        """The subject."""

    @property
    def body(self) -> str:
        """The text."""

    @property
    def attached(self) -> Artifact | None:
        """The document that it carries."""

    @property
    def queued_at(self) -> datetime:
        """When it was written."""

    @property
    def attempts(self) -> int:
        """How often it was tried."""


class OutboxStore(Protocol):
    """Where messages wait."""

    def alone(self) -> AbstractContextManager[None]:
        """Hold off any other delivery meanwhile; raises Conflict when one runs and goes on."""

    def pending(self, now: datetime, limit: int) -> Sequence[Queued]:
        """Return the messages whose next try is due, the oldest first."""

    def mark_sent(self, message: int, at: datetime, message_id: str) -> None:
        """Write that the mail server took a message."""

    def mark_failed(self, message: int, reason: str, next_try: datetime | None) -> None:
        """Write why a message was not taken, and when to try again (None: never)."""


class AddresseeRefusedError(Exception):
    """The mail server will never take this message."""


class TryLaterError(Exception):
    """The mail server does not take this message now; others it may."""


class ServerAwayError(Exception):
    """The mail server cannot be reached, or takes no message now."""


class Transport(Protocol):
    """Hands messages to a mail server."""

    def send(self, queued: Queued) -> str:
        """Return the Message-ID under which the server took it; raises one of the errors above."""

    def close(self) -> None:
        """End the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How many messages were sent, wait, and were refused for good; why the last of those was not taken."""

    sent: int = 0
    waiting: int = 0
    refused: int = 0
    reason: str = ""


def deliver(outbox: OutboxStore, transport: Transport, clock: Clock) -> Delivery:
    """Send what is due, each message tried once. With the mail server away everything waits.

    A message is marked after it was sent: a crash between the two sends it again, under the same Message-ID. Two
    deliveries at once would do so too; raises Conflict when another one runs and goes on.
    """
    with outbox.alone():
        return _deliver(outbox, transport, clock)


def _deliver(outbox: OutboxStore, transport: Transport, clock: Clock) -> Delivery:
    done = Delivery()
    tried: set[int] = set()
    try:
        while due := [queued for queued in outbox.pending(clock.now(), LIMIT) if queued.id not in tried]:
            for place, queued in enumerate(due):
                tried.add(queued.id)
                try:
                    done = _one(outbox, transport, clock, queued, done)
                except ServerAwayError as error:
                    outbox.mark_failed(queued.id, str(error), clock.now() + pause(queued.attempts))
                    return replace(done, waiting=done.waiting + len(due) - place, reason=str(error))
    finally:
        transport.close()
    return done


def _one(outbox: OutboxStore, transport: Transport, clock: Clock, queued: Queued, done: Delivery) -> Delivery:
    """Send one message and write what became of it; raises ServerAwayError."""
    try:
        message_id = transport.send(queued)
    except AddresseeRefusedError as error:
        outbox.mark_failed(queued.id, str(error), None)
        return replace(done, refused=done.refused + 1, reason=str(error))
    except TryLaterError as error:
        outbox.mark_failed(queued.id, str(error), clock.now() + pause(queued.attempts))
        return replace(done, waiting=done.waiting + 1, reason=str(error))
    outbox.mark_sent(queued.id, clock.now(), message_id)
    return replace(done, sent=done.sent + 1)


def pause(attempts: int) -> timedelta:
    """Return how long to wait after so many tries: a minute, then twice as long each time, at most six hours."""
    doubled: int = 1 << min(attempts, 20)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
