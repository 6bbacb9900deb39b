"""Where a server should answer, and what it shows to whoever greets it, before any login."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sopauto.work import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAt:
    """Where a server should answer SSH, and the host key that was pinned (None: it was never greeted)."""

    server: str
    address: str
    port: int
    host_key: str | None

    @property
    def place(self) -> str:
        """Address and port as people say them."""
        return f"{self.address} port {self.port}"

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON: the form in which plans keep parameters."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> ServerAt:
        """Return what `as_json` wrote."""
        return cls(server=data["server"], address=data["address"], port=data["port"], host_key=data.get("host_key"))


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
