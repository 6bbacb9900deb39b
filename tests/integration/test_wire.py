"""A wire ends by itself, whatever the peer does."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest

from sopauto.drivers.wire import Wire


def pair(*, max_bytes: int = 1000, seconds: float = 5) -> tuple[Wire, socket.socket]:
    near, far = socket.socketpair()
    return Wire(near.detach(), max_bytes=max_bytes, seconds=seconds), far


def test_more_than_the_budget_looks_like_the_end_of_the_connection() -> None:
    wire, far = pair(max_bytes=10)
    with wire, far:
        far.sendall(b"x" * 25)
        assert wire.recv(100) == b"x" * 10
        assert wire.recv(100) == b""
        assert wire.exceeded == "bytes"


def test_a_budget_that_was_raised_in_time_lets_more_through() -> None:
    wire, far = pair(max_bytes=10)
    with wire, far:
        wire.allow(5)
        far.sendall(b"x" * 25)
        assert wire.recv(100) == b"x" * 15


def test_after_its_time_a_wire_gives_nothing_even_when_there_is_something() -> None:
    wire, far = pair(seconds=0.05)
    with wire, far:
        far.sendall(b"x")
        time.sleep(0.06)
        assert wire.recv(100) == b""
        assert wire.exceeded == "seconds"


def send_on(wire: Wire, *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(TimeoutError):
            wire.send(b"x" * 65536)


def test_a_peer_that_never_reads_cannot_hold_who_sends() -> None:
    wire, far = pair(seconds=0.3)
    with wire, far:
        wire.settimeout(0.05)
        begun = time.monotonic()
        with pytest.raises(BrokenPipeError):
            send_on(wire, seconds=3)
        assert wire.exceeded == "seconds"
        assert time.monotonic() - begun < 1
