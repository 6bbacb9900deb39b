"""A real SMTP listener on loopback that keeps each message as a file."""

from __future__ import annotations

import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from lab.sshd import free_port


class Mailbox:
    """A mail server as a context manager: `with Mailbox() as mail: mail.host, mail.port, mail.messages`.

    Each message becomes a file `0001.eml` of `directory`, so that another process can read it too; the envelope is
    kept in its headers X-Envelope-From and X-Envelope-To. `down` and `up` take the server away and back, on the same
    port; recipients in `refused` get a permanent 550, all mail gets a temporary 451 while `busy` is true.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, directory: Path | None = None) -> None:
        self.host = host
        self.port = port or free_port(host)
        self.refused: set[str] = set()
        self.busy = False
        self._scratch = None if directory else TemporaryDirectory(prefix="sopauto-mail-")
        self.directory = directory or Path(self._scratch.name if self._scratch else "")
        self._controller: Any = None
        self._lock = threading.Lock()

    @property
    def messages(self) -> list[EmailMessage]:
        """The messages that were accepted, oldest first."""
        return [_parsed(path) for path in sorted(self.directory.glob("*.eml"))]

    def up(self) -> None:
        """Listen."""
        from aiosmtpd.controller import Controller

        self.directory.mkdir(parents=True, exist_ok=True)
        self._controller = Controller(self, hostname=self.host, port=self.port, decode_data=False)
        self._controller.start()

    def down(self) -> None:
        """Stop listening; what was accepted stays."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()
        if self._scratch is not None:
            self._scratch.cleanup()

    async def handle_RCPT(self, *call: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Accept or refuse a recipient (aiosmtpd calls this)."""
        _, _, envelope, address, _ = call
        if address in self.refused:
            return "550 5.1.1 no such mailbox here"
        if self.busy:
            return "451 4.3.2 try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, *call: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a message (aiosmtpd calls this)."""
        _, _, envelope = call
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n"
        with self._lock:
            number = len(list(self.directory.glob("*.eml"))) + 1
            part = self.directory / f"{number:04}.part"
            part.write_bytes(head.encode() + envelope.content)
            part.rename(part.with_suffix(".eml"))  # a reader never sees half a message
        return f"250 2.0.0 kept as {number:04}.eml"


def _parsed(path: Path) -> EmailMessage:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message
