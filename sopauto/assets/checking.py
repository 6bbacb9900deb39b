"""Whether assets fit each other: pools that overlap, a server outside its rack, its port or its pool. Pure."""

from __future__ import annotations

from sopauto.assets.model import Place, Pool, Server
from sopauto.assets.register import Register
from sopauto.assets.room import Estate, free_units, read_estate
from sopauto.errors import BadInput


def refuse_overlap(register: Register, pool: Pool) -> None:
    """Refuse a pool whose addresses another pool already gives out; raises BadInput."""
    for other in register.pools():
        if other.id != pool.id and other.first <= pool.last and pool.first <= other.last:
            raise BadInput(f"pool {pool.id} overlaps pool {other.id}", mend="give out each address once")


def refuse_misplaced(register: Register, server: Server) -> None:
    """Refuse a server whose place does not exist or belongs to another; raises BadInput."""
    if server.place is None:
        return
    estate = read_estate(register).without(server)
    for what in _faults(estate, server.place):
        raise BadInput(f"server {server.id}: {what}", mend="see `inv assets.room` and `inv assets.list`")


def _faults(estate: Estate, place: Place) -> list[str]:
    racks = {rack.id: rack for rack in estate.racks}
    pools = {pool.id: pool for pool in estate.pools}
    units = range(place.bottom_unit, place.bottom_unit + place.height)
    found = []
    if place.rack not in racks:
        found.append(f"there is no rack {place.rack}")
    elif not free_units(estate, racks[place.rack]).issuperset(units):
        found.append(f"units {units[0]} to {units[-1]} of rack {place.rack} are not all free")
    if not any((port.switch, port.name) == (place.switch, place.port) for port in estate.ports):
        found.append(f"there is no port {place.switch}/{place.port}")
    elif any((taken.switch, taken.port) == (place.switch, place.port) for taken in estate.places):
        found.append(f"port {place.switch}/{place.port} serves another server")
    pool = pools.get(place.pool)
    if pool is None or pool.vlan != place.vlan:
        found.append(f"there is no pool {place.pool} in VLAN {place.vlan}")
    elif not pool.first <= place.address <= pool.last:
        found.append(f"{place.address} is outside pool {pool.id} ({pool.first} to {pool.last})")
    elif any(taken.address == place.address for taken in estate.places):
        found.append(f"{place.address} belongs to another server")
    return found
