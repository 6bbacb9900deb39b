"""A TCP connection that ends by itself: after so many bytes received, or so many seconds."""

from __future__ import annotations

import socket
import time


class Wire(socket.socket):
    """A socket with a budget. What exceeds it looks like the end of the connection to whoever reads.

    The budget holds below the SSH protocol: endless banners, floods of ignored messages and bytes that trickle in for
    hours are all cut here, before any of it is kept. `exceeded` tells which bound was met: "bytes", "seconds" or None.
    """

    def __init__(self, fileno: int, *, max_bytes: int, seconds: float) -> None:
        super().__init__(fileno=fileno)
        self._left = max_bytes
        self._until = time.monotonic() + seconds
        self.exceeded: str | None = None

    @classmethod
    def to(cls, address: str, port: int, *, max_bytes: int, seconds: float) -> Wire:
        """Return a connection to an address; the time to connect counts. Raises OSError."""
        begun = time.monotonic()
        connected = socket.create_connection((address, port), timeout=seconds)
        spent = time.monotonic() - begun
        return cls(connected.detach(), max_bytes=max_bytes, seconds=max(0.0, seconds - spent))

    def allow(self, more: int) -> None:
        """Raise the budget by so many bytes, now that the peer has earned it."""
        self._left += more

    def seconds_left(self) -> float:
        """Return the seconds until the connection ends by itself, never below zero."""
        return max(0.0, self._until - time.monotonic())

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Return what arrived, or nothing when the budget is spent."""
        if self._spent():
            return b""
        received = super().recv(min(bufsize, self._left), flags)
        self._left -= len(received)
        return received

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]  # paramiko sends bytes only
        """Send what can be sent; raises TimeoutError when the time is up, so that a peer who never reads ends too."""
        if self.seconds_left() == 0:
            self.exceeded = "seconds"
            raise BrokenPipeError("time is up")
        return super().send(data, flags)

    def _spent(self) -> bool:
        if self._left <= 0:
            self.exceeded = "bytes"
        elif self.seconds_left() == 0:
            self.exceeded = "seconds"
        return self.exceeded is not None
