"""What a server shows to whoever greets it, before any login."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What a server showed before any login: milliseconds to connect, its SSH banner, its proven host key."""

    tcp_ms: float
    banner: str
    host_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Why a server could not be greeted. `tcp_ms` is None when not even TCP answered.

    `reason` is one of dns, timeout, refused, unreachable, reset, flood, not-ssh.
    """

    reason: str
    tcp_ms: float | None = None
