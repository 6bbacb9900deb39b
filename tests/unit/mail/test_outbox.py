"""Delivery: what is sent, what waits, what is given up, and what a crash in between leaves."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from sopauto.mail.outbox import (
    LIMIT,
    AddresseeRefusedError,
    Delivery,
    ServerAwayError,
    TryLaterError,
    deliver,
    pause,
)
from sopauto.mail.smtp import message_id
from sopauto.work import Artifact

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@dataclass(kw_only=True)
class Message:
    id: int
    ticket: str = "PS-2026-0001"
    to: str = "siti@dinkes.example.go.id"
    subject: str = "Subjek"
    body: str = "Isi\n"
    queued_at: datetime = NOW
    attempts: int = 0
    next_try: datetime | None = NOW
    sent: str = ""
    reason: str = ""
    attached: Artifact | None = None


@dataclass
class Box:
    messages: list[Message]

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()

    def pending(self, now: datetime, limit: int) -> Sequence[Message]:
        return [m for m in self.messages if m.next_try is not None and m.next_try <= now][:limit]

    def mark_sent(self, message: int, at: datetime, message_id: str) -> None:
        self._change(message, sent=message_id, next_try=None)

    def mark_failed(self, message: int, reason: str, next_try: datetime | None) -> None:
        self._change(message, reason=reason, next_try=next_try)

    def _change(self, message: int, **values: object) -> None:
        old = self.messages[message - 1]
        self.messages[message - 1] = replace(old, attempts=old.attempts + 1, **values)  # type: ignore[arg-type]


@dataclass
class Server:
    """A mail server: what it answers to each message (default: it takes it)."""

    answers: dict[int, Exception] = field(default_factory=dict)
    taken: list[int] = field(default_factory=list)
    closed: int = 0

    def send(self, queued: Message) -> str:
        if queued.id in self.answers:
            raise self.answers[queued.id]
        self.taken.append(queued.id)
        return f"<{queued.id}@example>"

    def close(self) -> None:
        self.closed += 1


@dataclass
class Still:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


def box(count: int) -> Box:
    return Box([Message(id=number) for number in range(1, count + 1)])


def test_everything_is_sent_once() -> None:
    outbox, server = box(3), Server()
    assert deliver(outbox, server, Still()) == Delivery(sent=3)
    assert deliver(outbox, server, Still()) == Delivery()
    assert server.taken == [1, 2, 3]
    assert outbox.messages[0].sent == "<1@example>"


def test_more_than_is_read_at_once_is_sent() -> None:
    assert deliver(box(LIMIT + 5), Server(), Still()).sent == LIMIT + 5


def test_with_the_server_away_everything_waits_and_one_message_says_until_when() -> None:
    outbox, server = box(3), Server(answers={2: ServerAwayError("refused")})
    assert deliver(outbox, server, Still()) == Delivery(sent=1, waiting=2, reason="refused")
    assert [m.next_try for m in outbox.messages] == [None, NOW + timedelta(minutes=1), NOW]
    assert outbox.messages[1].reason == "refused"
    assert server.closed == 1


def test_a_message_that_is_put_off_holds_up_no_other() -> None:
    outbox, server = box(3), Server(answers={1: TryLaterError("451 greylisted")})
    assert deliver(outbox, server, Still()) == Delivery(sent=2, waiting=1, reason="451 greylisted")
    server.answers.clear()
    assert deliver(outbox, server, Still(NOW + timedelta(minutes=1))) == Delivery(sent=1)
    assert server.taken == [2, 3, 1]


def test_a_refused_message_is_never_tried_again() -> None:
    outbox, server = box(2), Server(answers={1: AddresseeRefusedError("550 no such mailbox")})
    assert deliver(outbox, server, Still()) == Delivery(sent=1, refused=1, reason="550 no such mailbox")
    assert (outbox.messages[0].next_try, outbox.messages[0].reason) == (None, "550 no such mailbox")


def test_a_message_is_tried_once_in_a_delivery_even_if_it_stays_due() -> None:
    outbox, server = box(1), Server(answers={1: TryLaterError("451")})
    outbox.mark_failed = lambda *_: None  # type: ignore[method-assign]
    assert deliver(outbox, server, Still()).waiting == 1


def test_the_connection_is_closed_whatever_happens() -> None:
    server = Server(answers={1: RuntimeError("a fault")})
    with pytest.raises(RuntimeError):
        deliver(box(1), server, Still())
    assert server.closed == 1


def test_a_crash_before_the_mark_sends_again_under_the_same_message_id() -> None:
    outbox = box(1)
    first = message_id(outbox.messages[0], "sopauto@example.go.id")
    outbox.mark_failed(1, "the process was killed", NOW)
    assert message_id(outbox.messages[0], "sopauto@example.go.id") == first
    assert first.startswith("<ps-2026-0001.1.")
    assert first.endswith("@example.go.id>")


def test_the_same_number_in_another_database_is_another_message() -> None:
    message = Message(id=1)
    others = [
        replace(message, body="Lain\n"),
        replace(message, to="lain@example.go.id"),
        replace(message, queued_at=NOW + timedelta(seconds=1)),
    ]
    ids = {message_id(other, "sopauto@example.go.id") for other in (message, *others)}
    assert len(ids) == 4


def test_the_pause_doubles_up_to_six_hours() -> None:
    minutes = [pause(attempts) / timedelta(minutes=1) for attempts in (0, 1, 2, 8, 9, 10_000)]
    assert minutes == [1, 2, 4, 256, 360, 360]
