"""Is there room for a server? Answered from rack units, a free port and a free address (SOP 001, penitipan.5). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from sopauto.assets.model import Place, Pool, Rack, Server, SwitchPort
from sopauto.assets.register import Register


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRoom:
    """Why a server finds no place: one reason for each thing that is short."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """All that could hold a server, and the servers that hold a part of it."""

    racks: Sequence[Rack]
    ports: Sequence[SwitchPort]
    pools: Sequence[Pool]
    servers: Sequence[Server]

    def without(self, server: Server) -> Estate:
        """Return the estate as it is when a server has left."""
        return replace(self, servers=tuple(other for other in self.servers if other.id != server.id))

    def with_server(self, server: Server) -> Estate:
        """Return the estate as it is when a server has come, or has moved."""
        return replace(self, servers=(*self.without(server).servers, server))

    @property
    def places(self) -> tuple[Place, ...]:
        """The places that are taken."""
        return tuple(server.place for server in self.servers if server.place is not None)


def read_estate(register: Register) -> Estate:
    """Return the estate as it is kept now."""
    return Estate(racks=register.racks(), ports=register.ports(), pools=register.pools(), servers=register.servers())


def find_place(estate: Estate, *, height: int) -> Place | NoRoom:
    """Return the lowest fitting place of the first rack that also has a free port, with a free address; or why none.

    `height` is in rack units.
    """
    address = next(free_addresses(estate), None)
    reasons = [] if address else ["no address is free"]
    spaces = [(rack, bottom) for rack in estate.racks if (bottom := _lowest(estate, rack, height)) is not None]
    if not spaces:
        reasons.append(f"no rack has {height} free units in a row")
    for rack, bottom in spaces:
        port = next((port for port in free_ports(estate) if port.rack in {None, rack.id}), None)
        if port is not None and address is not None:
            pool, ip = address
            return Place(
                rack=rack.id,
                bottom_unit=bottom,
                height=height,
                switch=port.switch,
                port=port.name,
                vlan=pool.vlan,
                pool=pool.id,
                address=ip,
            )
    if spaces and not any(port.rack in {None, rack.id} for port in free_ports(estate) for rack, _ in spaces):
        reasons.append(f"no switch port is free in {', '.join(rack.id for rack, _ in spaces)}")
    return NoRoom(reasons=tuple(reasons))


def free_units(estate: Estate, rack: Rack) -> frozenset[int]:
    """Return the numbers of a rack's free units."""
    taken = {
        unit
        for place in estate.places
        if place.rack == rack.id
        for unit in range(place.bottom_unit, place.bottom_unit + place.height)
    }
    return frozenset(range(1, rack.height + 1)) - taken - rack.blocked


def free_ports(estate: Estate) -> Iterator[SwitchPort]:
    """Yield the ports that no server has."""
    taken = {(place.switch, place.port) for place in estate.places}
    return (port for port in estate.ports if (port.switch, port.name) not in taken)


def free_addresses(estate: Estate) -> Iterator[tuple[Pool, IPv4Address]]:
    """Yield the addresses that no server has, each with its pool."""
    taken = {place.address for place in estate.places}
    for pool in estate.pools:
        for number in range(int(pool.first), int(pool.last) + 1):
            address = IPv4Address(number)
            if address not in taken and address != pool.gateway:
                yield pool, address


def _lowest(estate: Estate, rack: Rack, height: int) -> int | None:
    """Return the lowest unit from which so many units are free (None: there is none)."""
    free = free_units(estate, rack)
    for bottom in range(1, rack.height - height + 2):
        if free.issuperset(range(bottom, bottom + height)):
            return bottom
    return None
