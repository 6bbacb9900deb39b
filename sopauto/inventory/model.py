"""What an inventory holds. None stands for what the server did not tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sopauto.work import canonical

FORMED: Final = "recorded by form"
"""What a line of `missing` ends with, where a person's form says nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """The processors: sockets, cores in all of them, and threads (what the kernel counts as processors)."""

    model: str | None
    sockets: int | None
    cores: int | None
    threads: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A whole disk, not a part or a combination of disks. `health` is what the disk says of itself (SMART)."""

    name: str
    size_bytes: int
    model: str | None
    serial: str | None
    rotational: bool | None
    health: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryModule:
    """A slot with a memory module in it."""

    slot: str
    size_bytes: int
    kind: str | None
    vendor: str | None
    part: str | None
    serial: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """A mounted file system on this server's own disks."""

    mount: str
    source: str
    kind: str | None
    size_bytes: int
    used_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeGroup:
    """A volume group of LVM; `volumes` are names and sizes of its logical volumes."""

    name: str
    size_bytes: int
    free_bytes: int
    volumes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """Disks combined by Linux's md; `healthy` tells whether all of them work. Without `level` it does not run."""

    name: str
    level: str | None
    healthy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed package."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """Packages for which the server's own lists offer something newer, and those of them that mend security."""

    pending: int | None
    security: tuple[Package, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A TLS certificate that a web server of this server uses; `expires` in ISO 8601."""

    path: str
    subject: str | None
    expires: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting that hardening sets, and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """How the server's clock stands: seconds ahead of the one who asked, and whether it is kept by NTP."""

    offset_seconds: int | None
    synchronised: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingSystem:
    """The distribution, as /etc/os-release names it."""

    name: str | None
    version: str | None
    id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service and its state in the words of the server's service manager (`running`, `exited`, `failed`, …).

    `starts` says in systemd's words what starts it: `enabled` (the boot), `static` (another unit, a timer, a call on
    the bus), `disabled`, ….
    """

    name: str
    state: str
    starts: str | None = None


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
    bios_date: str | None
    cpu: Cpu
    memory_bytes: int | None
    memory_modules: tuple[MemoryModule, ...]
    disks: tuple[Disk, ...]
    arrays: tuple[Array, ...]
    filesystems: tuple[FileSystem, ...]
    volume_groups: tuple[VolumeGroup, ...]
    virtualisation: str | None
    os: OperatingSystem
    kernel: str | None
    architecture: str | None
    uptime_seconds: int | None
    time: Time
    packages_count: int | None
    packages: tuple[Package, ...]
    updates: Updates
    certificates: tuple[Certificate, ...]
    hardening: tuple[Setting, ...]
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
class Neighbour:
    """What lldpd heard at an interface: the switch and its port."""

    interface: str
    switch: str
    port: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How the server stands in the network. `gateway` is that of the first default route, IPv4 before IPv6."""

    host_name: str | None
    interfaces: tuple[Interface, ...]
    gateway: str | None
    dns: tuple[str, ...]
    routes: tuple[Route, ...]
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The inventory of one server at one moment.

    `missing` names what could not be read, and why: `server.serial: needs root`.
    """

    taken_at: datetime
    server: Server
    network: Network
    missing: tuple[str, ...]

    def as_bytes(self) -> bytes:
        """Return the snapshot as canonical JSON; `taken_at` in ISO 8601, to the second."""
        return canonical({**asdict(self), "taken_at": self.taken_at.isoformat(timespec="seconds")})
