"""What an inventory holds. None stands for what the server did not tell."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sopauto.work import canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """The processors: sockets, cores in all of them, and threads (what the kernel counts as processors)."""

    model: str | None
    sockets: int | None
    cores: int | None
    threads: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A whole disk, not a part or a combination of disks."""

    name: str
    size_bytes: int
    model: str | None
    serial: str | None
    rotational: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingSystem:
    """The distribution, as /etc/os-release names it."""

    name: str | None
    version: str | None
    id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service and its state in the words of the server's service manager (`running`, `exited`, `failed`, …)."""

    name: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningPort:
    """A port that is open; `address` `*` means every address. `process` is seen by root only."""

    protocol: str
    address: str
    port: int
    process: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A local user."""

    name: str
    uid: int
    shell: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The machine and what runs on it."""

    vendor: str | None
    model: str | None
    serial: str | None
    cpu: Cpu
    memory_bytes: int | None
    disks: tuple[Disk, ...]
    os: OperatingSystem
    kernel: str | None
    architecture: str | None
    uptime_seconds: int | None
    packages_count: int | None
    services: tuple[Service, ...]
    listening_ports: tuple[ListeningPort, ...]
    users: tuple[Account, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface; addresses with their prefix length (`192.0.2.2/24`)."""

    name: str
    mac: str | None
    state: str | None
    mtu: int | None
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route of the main table; the default route's destination is `default`."""

    destination: str
    gateway: str | None
    interface: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How the server stands in the network. `gateway` is that of the first default route, IPv4 before IPv6."""

    host_name: str | None
    interfaces: tuple[Interface, ...]
    gateway: str | None
    dns: tuple[str, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The inventory of one server at one moment.

    `missing` names what could not be read, and why: `server.serial: needs root`.
    """

    taken_at: datetime
    server: Server
    network: Network
    missing: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the snapshot as plain JSON; `taken_at` in ISO 8601, to the second."""
        data = {**asdict(self), "taken_at": self.taken_at.isoformat(timespec="seconds")}
        plain: dict[str, Any] = json.loads(canonical(data))
        return plain
