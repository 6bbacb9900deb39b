"""The lab's mail server behaves as one: keeps, refuses, goes away and comes back."""

from __future__ import annotations

import smtplib
from pathlib import Path

import pytest

from lab.mailbox import Mailbox

MESSAGE = "Subject: Alamat IP\r\n\r\nserver sudah terhubung\r\n"


def send(mail: Mailbox, recipient: str) -> None:
    with smtplib.SMTP(mail.host, mail.port, timeout=5) as client:
        client.sendmail("sopauto@example.go.id", [recipient], MESSAGE)


def test_messages_are_kept_in_order_with_their_envelope(tmp_path: Path) -> None:
    with Mailbox(directory=tmp_path) as mail:
        send(mail, "a@example.go.id")
        send(mail, "b@example.go.id")
        assert [message["X-Envelope-To"] for message in mail.messages] == ["a@example.go.id", "b@example.go.id"]
        assert mail.messages[0]["Subject"] == "Alamat IP"
        assert "sudah terhubung" in mail.messages[0].get_content()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0001.eml", "0002.eml"]


def test_a_refused_recipient_gets_a_permanent_error_and_a_busy_server_a_temporary_one() -> None:
    with Mailbox() as mail:
        mail.refused.add("gone@example.go.id")
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            send(mail, "gone@example.go.id")
        assert caught.value.recipients["gone@example.go.id"][0] == 550
        mail.busy = True
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            send(mail, "here@example.go.id")
        assert caught.value.recipients["here@example.go.id"][0] == 451
        assert mail.messages == []


def test_a_server_that_went_away_comes_back_on_the_same_port() -> None:
    with Mailbox() as mail:
        mail.down()
        with pytest.raises(ConnectionRefusedError):
            send(mail, "a@example.go.id")
        mail.up()
        send(mail, "a@example.go.id")
        assert len(mail.messages) == 1
