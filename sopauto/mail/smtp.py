"""The agency's mail server, by SMTP. Fulfils `outbox.Transport`."""

from __future__ import annotations

import os
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from sopauto.errors import BadInput
from sopauto.mail.outbox import AddresseeRefusedError, Queued, ServerAwayError
from sopauto.procedures.fields import visible
from sopauto.settings import Mail

SECONDS: Final = 15.0
"""For each answer of the server."""
FOR_GOOD: Final = range(500, 600)
"""Replies that repeating does not change (RFC 5321, 4.2.1)."""


class Smtp:
    """One connection, opened at the first message."""

    def __init__(self, settings: Mail) -> None:
        self._settings = settings
        self._server: smtplib.SMTP | None = None

    def send(self, queued: Queued) -> str:
        """Return the Message-ID under which the server took it.

        Raises: AddresseeRefusedError, ServerAwayError.
        """
        message = self._message(queued)
        try:
            self._server = self._server or self._connect()
            self._server.send_message(message, self._settings.sender, [queued.to])
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            raise self._refusal(code, words) from None
        except smtplib.SMTPResponseException as error:
            raise self._refusal(error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException) as error:
            raise ServerAwayError(f"{self._settings.host}:{self._settings.port} {visible(str(error))}") from None
        return str(message["Message-ID"])

    def close(self) -> None:
        """End the connection."""
        server, self._server = self._server, None
        if server is not None:
            try:
                server.quit()
            except (OSError, smtplib.SMTPException):
                server.close()

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        server = smtplib.SMTP(settings.host, settings.port, timeout=SECONDS)
        if settings.starttls:
            server.starttls(context=ssl.create_default_context())
        if settings.user:
            password = os.environ.get(settings.password_env or "")
            if password is None:
                raise BadInput("no password for the mail server", where="[mail] password_env", mend="set that variable")
            server.login(settings.user, password)
        return server

    def _message(self, queued: Queued) -> EmailMessage:
        """Return the message. Its id follows from its number, so that a repetition is known as one."""
        domain = self._settings.sender.rpartition("@")[2] or "localhost"
        message = EmailMessage(policy=SMTP)
        message["From"] = self._settings.sender
        message["To"] = queued.to
        message["Subject"] = " ".join(queued.subject.split())
        message["Date"] = format_datetime(queued.queued_at)
        message["Message-ID"] = f"<{queued.ticket.lower()}.{queued.id}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(queued.body)
        return message

    def _refusal(self, code: int, words: bytes | str) -> Exception:
        told = words.decode(errors="replace") if isinstance(words, bytes) else words
        text = f"{code} {visible(' '.join(told.split()))}"
        if code in FOR_GOOD:
            # The next message needs a clean conversation.
            self.close()
            return AddresseeRefusedError(text)
        return ServerAwayError(text)
