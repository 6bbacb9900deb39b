"""The agency's mail server, by SMTP. Fulfils `outbox.Transport`."""

from __future__ import annotations

import hashlib
import os
import re
import smtplib
import ssl
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from sopauto.errors import BadInput
from sopauto.mail.bounded import SECONDS, BoundedSmtp
from sopauto.mail.outbox import AddresseeRefusedError, Queued, ServerAwayError, TryLaterError
from sopauto.procedures.fields import one_line
from sopauto.settings import Mail

FOR_GOOD: Final = range(500, 600)
"""Replies that repeating does not change (RFC 5321, 4.2.1)."""
CLOSING: Final = 421
"""The server ends the conversation (RFC 5321, 3.8)."""
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
ADDRESS: Final = re.compile(r"[^\s@,;:<>()\[\]\\\"\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,190}")
"""What may stand in `From` and `To`: written otherwise, a header would be folded where it ends."""
LONGEST_REASON: Final = 200


class Smtp:
    """One connection, opened at the first message."""

    def __init__(self, settings: Mail) -> None:
        self._settings = settings
        self._server: smtplib.SMTP | None = None

    def send(self, queued: Queued) -> str:
        """Return the Message-ID under which the server took it.

        Raises: AddresseeRefusedError, TryLaterError, ServerAwayError, BadInput (settings that cannot work).
        """
        message = self._message(queued)
        try:
            server = self._server = self._server or self._connect()
            server.send_message(message, self._settings.sender, [queued.to])
        except smtplib.SMTPRecipientsRefused as error:
            raise self._refusal(*next(iter(error.recipients.values()))) from None
        except smtplib.SMTPDataError as error:
            raise self._refusal(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPResponseException as error:
            # Greeting, login and sender concern every message: none of them is to blame.
            raise self._away(_told(error.smtp_code, error.smtp_error)) from None
        except (OSError, smtplib.SMTPException) as error:
            raise self._away(one_line(str(error), LONGEST_REASON)) from None
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
        password = self._password()
        server = BoundedSmtp(settings.host, settings.port, timeout=SECONDS)
        try:
            if settings.starttls:
                server.starttls(context=ssl.create_default_context())
            if settings.user:
                server.login(settings.user, password)
        except UnicodeEncodeError:
            server.close()
            raise BadInput("user or password for the mail server is not ASCII", where="[mail] user") from None
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server

    def _password(self) -> str:
        """Return the password, empty without a login; raises BadInput (not there, or it would travel in the clear)."""
        settings = self._settings
        if not settings.user:
            return ""
        if not settings.starttls and settings.host not in LOOPBACK:
            raise BadInput("a password would travel in the clear", where="[mail] user", mend="set `starttls = true`")
        password = os.environ.get(settings.password_env or "")
        if password is None:
            mend = f"set ${settings.password_env}" if settings.password_env else "name a variable"
            raise BadInput("no password for the mail server", where="[mail] password_env", mend=mend)
        return password

    def _message(self, queued: Queued) -> EmailMessage:
        """Return the message, 7-bit clean; raises AddresseeRefusedError (it cannot be written as an e-mail)."""
        for address in (self._settings.sender, queued.to):
            if not ADDRESS.fullmatch(address):
                raise AddresseeRefusedError(f"{one_line(address, LONGEST_REASON)!r} is no e-mail address")
        message = EmailMessage(policy=SMTP)
        try:
            message["From"] = self._settings.sender
            message["To"] = queued.to
            message["Subject"] = one_line(queued.subject)
            message["Date"] = format_datetime(queued.queued_at)
            message["Message-ID"] = message_id(queued, self._settings.sender)
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(queued.body, cte="quoted-printable")
            if queued.attached:
                kind, _, subtype = queued.attached.media_type.partition("/")
                carried = queued.attached
                message.add_attachment(carried.content, maintype=kind, subtype=subtype, filename=carried.name)
            message.as_bytes()  # what cannot be written is found here, not while it is sent
        except (ValueError, LookupError, MessageError) as error:
            raise AddresseeRefusedError(f"not an e-mail: {one_line(str(error), LONGEST_REASON)}") from None
        return message

    def _refusal(self, code: int, words: bytes | str) -> Exception:
        """Return the error of a reply that concerns this message alone; the next one gets a fresh connection."""
        told = _told(code, words)
        if code == CLOSING:
            return self._away(told)
        self._drop()
        return AddresseeRefusedError(told) if code in FOR_GOOD else TryLaterError(told)

    def _away(self, reason: str) -> ServerAwayError:
        self._drop()
        return ServerAwayError(f"{self._settings.host}:{self._settings.port} {reason}")

    def _drop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()


def message_id(queued: Queued, sender: str) -> str:
    """Return the id by which a repetition is known: it follows from the message's number, moment and content alone.

    Number and ticket alone would come again in a restored or another database, for another message.
    """
    content = "\0".join((queued.queued_at.isoformat(), queued.to, queued.subject, queued.body))
    digest = hashlib.sha256(content.encode(errors="replace")).hexdigest()[:16]
    return f"<{queued.ticket.lower()}.{queued.id}.{digest}@{sender.rpartition('@')[2] or 'localhost'}>"


def _told(code: int, words: bytes | str) -> str:
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    return one_line(f"{code} {text}", LONGEST_REASON)
