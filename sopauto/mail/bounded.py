"""An SMTP client that no server holds up: each reply is bounded in seconds and bytes."""

from __future__ import annotations

import io
import smtplib
import socket
import time
from typing import Any, Final

SECONDS: Final = 15.0
"""For each reply of the server, and for each thing that is sent."""
REPLY_BYTES: Final = 64 * 1024


class BoundedSmtp(smtplib.SMTP):
    """`smtplib` bounds each line and each wait; this bounds all lines of a reply together."""

    file: Any

    def getreply(self) -> tuple[int, bytes]:
        """Return the code and the words of the next reply; raises SMTPServerDisconnected (too slow, too long)."""
        assert self.sock is not None
        if self.file is None:
            self.file = _Reply(_Budget(self.sock))
        self.file.raw.renew()
        try:
            return super().getreply()
        finally:
            if self.sock is not None:
                self.sock.settimeout(SECONDS)


class _Budget(io.RawIOBase):
    """What arrives on a socket, while seconds and bytes last."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        self.renew()

    def renew(self) -> None:
        self._deadline = time.monotonic() + SECONDS
        self._left = REPLY_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError(f"no end of the reply in {SECONDS:.0f} s")
        if self._left <= 0:
            raise OSError(f"a reply of more than {REPLY_BYTES} bytes")
        self._sock.settimeout(seconds)
        count = self._sock.recv_into(buffer)
        self._left -= count
        return count


class _Reply(io.BufferedReader):
    raw: _Budget
