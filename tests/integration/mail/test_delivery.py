"""From the outbox of a real database to a real mail server on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lab.cast import drop_off
from lab.mailbox import Mailbox
from sopauto import settings
from sopauto.errors import Conflict, StepFailed
from sopauto.mail import bounded
from sopauto.mail.outbox import Delivery, Queued, deliver
from sopauto.mail.smtp import Smtp
from sopauto.store import alone
from sopauto.store.engine import open_store
from sopauto.store.sqlstore import SqlStore
from sopauto.tickets.storage import Mail
from tests.unit.documents import occasions

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SENDER = "sopauto@kominfo.example.go.id"
SITI = "siti@dinkes.example.go.id"


@dataclass
class Office:
    """An outbox, a mail server, and the time."""

    store: SqlStore
    mail: Mailbox
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def post(self, *, to: str = SITI, subject: str = "Alamat IP", body: str = "10.20.30.10\n") -> None:
        with self.store.write() as writer:
            writer.post([Mail(ticket="PS-2026-0001", to=to, subject=subject, body=body)], self.at)

    def deliver(self, **changes: object) -> Delivery:
        stated = {"host": self.mail.host, "port": self.mail.port, "sender": SENDER, **changes}
        return deliver(self.store.outbox, Smtp(settings.Mail.model_validate(stated)), self)

    def later(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store = open_store(f"sqlite:///{tmp_path}/sopauto.db")
    trail = occasions.begin(drop_off())
    [entry] = trail.books.entries("PS-2026-0001")
    with store.write() as writer:
        writer.append(entry, trail.ticket.with_changes(entries=1, head=entry.digest), due=None, title="")
    with Mailbox() as mail:
        yield Office(store=store, mail=mail)


def test_with_the_mail_server_down_it_waits_and_is_sent_once_when_it_is_up(office: Office) -> None:
    office.mail.down()
    office.post()
    office.post(to="bambang@kominfo.example.go.id")
    down = office.deliver()
    assert (down.sent, down.waiting, down.refused) == (0, 2, 0)
    assert "refused" in down.reason
    assert f"{office.mail.host}:{office.mail.port}" in down.reason
    office.mail.up()
    office.later(minutes=1)
    assert office.deliver() == Delivery(sent=2)
    assert office.deliver() == Delivery()
    assert [message["X-Envelope-To"] for message in office.mail.messages] == [SITI, "bambang@kominfo.example.go.id"]
    assert all(row.sent_at and not row.reason for row in office.store.outbox.rows(10))


def test_a_message_waits_longer_after_each_try(office: Office) -> None:
    office.mail.down()
    office.post()
    for minutes in (1, 2, 4):
        assert office.deliver().waiting == 1
        office.later(minutes=minutes - 0.5)
        assert office.deliver() == Delivery()
        office.later(minutes=0.5)
    [row] = office.store.outbox.rows(10)
    assert row.attempts == 3


def test_a_refused_recipient_is_told_and_holds_up_nobody(office: Office) -> None:
    office.mail.refused.add("gone@example.go.id")
    office.post(to="gone@example.go.id")
    office.post()
    delivery = office.deliver()
    assert (delivery.sent, delivery.waiting, delivery.refused) == (1, 0, 1)
    office.later(days=30)
    assert office.deliver() == Delivery()
    sent, refused = office.store.outbox.rows(10)
    assert (sent.to, sent.refused) == (SITI, False)
    assert (refused.refused, refused.reason) == (True, "550 5.1.1 no such mailbox here")


def test_a_busy_server_gets_the_message_later(office: Office) -> None:
    office.mail.busy = True
    office.post()
    assert office.deliver() == Delivery(waiting=1, reason="451 4.3.2 try again later")
    office.mail.busy = False
    office.later(minutes=1)
    assert office.deliver() == Delivery(sent=1)


def test_letters_outside_ascii_arrive_in_subject_and_text(office: Office) -> None:
    subject = "Penitipan server “Élan” tempat siap ✓ " + "Dinas Kesehatan " * 8
    body = "Yth. Ibu Ñoñó,\n\nSuhu 21 °C — 機架\n.\nbaris sesudah titik\n" + "kata " * 400 + "\n"
    office.post(subject=subject, body=body)
    assert office.deliver() == Delivery(sent=1)
    [message] = office.mail.messages
    assert message["Subject"] == subject.strip()
    assert message.get_content().replace("\r\n", "\n") == body
    raw = next(iter(sorted(office.mail.directory.glob("*.eml")))).read_bytes()
    assert max(raw) < 128
    assert max(len(line) for line in raw.splitlines()) <= 998


def test_short_lines_outside_ascii_travel_in_seven_bits(office: Office) -> None:
    office.post(body="Suhu 21 °C\n")
    office.deliver()
    raw = next(iter(office.mail.directory.glob("*.eml"))).read_bytes()
    assert max(raw) < 128
    assert office.mail.messages[0].get_content().strip() == "Suhu 21 °C"


def test_headers_name_sender_ticket_and_moment(office: Office) -> None:
    office.post()
    office.deliver()
    [message] = office.mail.messages
    [row] = office.store.outbox.rows(1)
    assert message["From"] == SENDER
    assert message["To"] == SITI
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == row.message_id
    assert str(message["Message-ID"]).startswith("<ps-2026-0001.1.")
    assert message["Date"].datetime == NOW


@pytest.mark.parametrize("to", [f"{SITI}\r\nBcc: semua@example.go.id", "tanpa alamat <"])
def test_an_address_that_is_none_is_given_up_and_makes_no_header(to: str, office: Office) -> None:
    office.post(to=to)
    office.post()
    delivery = office.deliver()
    assert (delivery.sent, delivery.waiting, delivery.refused) == (1, 0, 1)
    [message] = office.mail.messages
    assert (message["X-Envelope-To"], message["Bcc"]) == (SITI, None)


def test_a_crash_after_sending_sends_again_under_the_same_id(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.post()
    with monkeypatch.context() as patched:
        patched.setattr(office.store.outbox, "mark_sent", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            office.deliver()
    assert office.deliver() == Delivery(sent=1)
    first, second = office.mail.messages
    assert first["Message-ID"] == second["Message-ID"]


@contextmanager
def speaking(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Listen on loopback as a server of our own making; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        talk(connection)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]


def dribble(connection: socket.socket) -> None:
    stop = threading.Event()
    connection.settimeout(5)
    for _ in range(100):
        connection.sendall(b"2")
        stop.wait(0.05)


def without_end(connection: socket.socket) -> None:
    while True:  # until the other side hangs up
        connection.sendall(b"220-still greeting you\r\n" * 50)


def silent(connection: socket.socket) -> None:
    connection.settimeout(5)
    connection.recv(100)


@pytest.mark.parametrize(("talk", "seconds"), [(dribble, 0.6), (silent, 0.6), (without_end, bounded.SECONDS)])
def test_a_server_that_never_comes_to_an_end_is_left(
    talk: Callable[[socket.socket], None], seconds: float, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "SECONDS", seconds)
    monkeypatch.setattr("sopauto.mail.smtp.SECONDS", seconds)
    office.post()
    begun = datetime.now(UTC)
    with speaking(talk) as port:
        delivery = office.deliver(host="127.0.0.1", port=port)
    assert (delivery.waiting, delivery.refused) == (1, 0)
    assert datetime.now(UTC) - begun < timedelta(seconds=3)


def test_a_slow_server_is_waited_for_at_each_reply(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "SECONDS", 0.6)
    office.post()
    lines = (*GREETING, b"250 sender", b"250 recipient", b"354 go on", b"250 kept")
    with speaking(replies(*lines, pause=0.2)) as port:
        assert office.deliver(host="127.0.0.1", port=port) == Delivery(sent=1)


def test_a_server_that_closes_is_not_asked_for_the_next_message(office: Office) -> None:
    office.post()
    office.post(to="bambang@kominfo.example.go.id")
    with speaking(replies(*GREETING, b"250 sender", b"421 closing down")) as port:
        assert office.deliver(host="127.0.0.1", port=port).waiting == 2
    assert [row.attempts for row in office.store.outbox.rows(2)] == [0, 1]


def replies(*lines: bytes, pause: float = 0) -> Callable[[socket.socket], None]:
    """Return a server that answers each command with the next line, whatever it is, and then hangs up."""

    def talk(connection: socket.socket) -> None:
        connection.settimeout(5)
        for line in lines:
            threading.Event().wait(pause)
            connection.sendall(line + b"\r\n")
            connection.recv(65536)

    return talk


GREETING = (b"220 here", b"250 hello")


@pytest.mark.parametrize(
    ("lines", "waits"),
    [
        ((b"554 no service for you",), True),
        ((*GREETING, b"550 this sender may not"), True),
        ((*GREETING, b"250 sender", b"550 no such mailbox"), False),
        ((*GREETING, b"250 sender", b"421 closing down"), True),
        ((*GREETING, b"250 sender", b"250 recipient", b"354 go on", b"554 looks like spam"), False),
        ((*GREETING, b"250 sender", b"250 recipient", b"354 go on", b"452 disk full"), True),
        ((*GREETING, b"250 sender", b"250 recipient", b"354 go on"), True),
    ],
)
def test_only_a_refusal_of_this_very_message_is_for_good(lines: tuple[bytes, ...], waits: bool, office: Office) -> None:
    office.post()
    with speaking(replies(*lines)) as port:
        delivery = office.deliver(host="127.0.0.1", port=port)
    assert (delivery.waiting, delivery.refused) == ((1, 0) if waits else (0, 1))


@dataclass
class Slow:
    """A mail server that takes its time."""

    taken: list[int] = field(default_factory=list)

    def send(self, queued: Queued) -> str:
        time.sleep(0.3)
        self.taken.append(queued.id)
        return f"<{queued.id}@example>"

    def close(self) -> None:
        pass


def test_two_deliveries_at_once_send_each_message_once(office: Office) -> None:
    for number in range(3):
        office.post(subject=f"Alamat {number}")
    server = Slow()
    with ThreadPoolExecutor() as both:
        done = [both.submit(deliver, office.store.outbox, server, office) for _ in range(2)]
    assert sorted(server.taken) == [1, 2, 3]
    assert sorted(one.result().sent for one in done) == [0, 3]


def test_a_delivery_that_does_not_end_is_not_waited_for(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.post()
    monkeypatch.setattr("sopauto.store.outbox.DELIVERY", replace(alone.DELIVERY, seconds=0.2))
    with office.store.outbox.alone(), pytest.raises(Conflict, match="another delivery runs"):
        office.deliver()
    assert office.deliver() == Delivery(sent=1)


def test_a_lock_that_cannot_be_made_is_told_and_nothing_is_sent(office: Office, tmp_path: Path) -> None:
    office.post()
    (tmp_path / "sopauto.db.mail").mkdir()
    with pytest.raises(StepFailed, match=r"sopauto\.db\.mail: cannot be written"):
        office.deliver()
    assert office.mail.messages == []
