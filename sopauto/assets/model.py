"""What a data centre has: owners, racks, servers, switches, address pools, and the places given to tickets."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Any


class ServerState(StrEnum):
    """Where a custody server is in its stay."""

    ANNOUNCED = "announced"
    RESERVED = "reserved"
    PLACED = "placed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An organisation unit (OPD) that owns servers."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A unit's contact person."""

    unit: str
    name: str
    email: str
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rack:
    """A rack; units are counted from 1 at the bottom. `blocked` units hold panels, switches or air."""

    id: str
    location: str
    height: int
    blocked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A switch and how it is managed. `credentials` names a `[credentials.…]` table of the settings."""

    id: str
    platform: str
    host: str
    port: int
    credentials: str
    host_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPort:
    """A port that custody servers may get. `rack` is where its cable ends (None: any rack)."""

    switch: str
    name: str
    rack: str | None = None
    server: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vlan:
    """A VLAN by its 802.1Q number."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The addresses for custody servers of one VLAN, from `first` to `last` inclusive."""

    id: str
    vlan: int
    network: IPv4Network
    gateway: IPv4Address
    first: IPv4Address
    last: IPv4Address
    dns: tuple[IPv4Address, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a ticket has reserved for its server: rack units, switch port, VLAN, address."""

    rack: str
    bottom_unit: int
    height: int
    switch: str
    port: str
    vlan: int
    pool: str
    address: IPv4Address

    def as_json(self) -> dict[str, Any]:
        """Return the place as it is signed and shown."""
        return {**asdict(self), "address": str(self.address)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A custody server, its owner, and its place while it has one. `ticket` brought it here."""

    id: str
    unit: str
    ticket: str
    brand: str
    model: str
    serial: str
    height: int
    state: ServerState
    features: str = ""
    mac: str | None = None
    place: Place | None = None


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Return a key that sorts names as people do: port 2 before port 10."""
    parts = re.split(r"(\d+)", name)
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)
