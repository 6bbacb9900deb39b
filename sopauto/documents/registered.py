"""What the register knows of a server, as forms print it."""

from __future__ import annotations

from sopauto.assets.model import Place, Server
from sopauto.documents.parts import Filling, Pairs, lacking, shown


def server_pairs(server: Server, owner: str) -> Pairs:
    """Return what a server is and whose."""
    rows = [
        ["Nama host", server.id],
        ["Merek dan model", f"{server.brand} {server.model}"],
        ["Nomor seri", server.serial],
        ["Tinggi", f"{server.height} U"],
        ["Alamat MAC", server.mac or "-"],
        ["Pemilik", owner],
    ]
    return [[label, shown(value)] for label, value in rows]


def place_of(filling: Filling) -> Place:
    """Return where the ticket's server stands; raises BadInput (it has no place)."""
    place = filling.server.place
    if place is None:
        raise lacking(filling, f"{filling.server.id} has no place", "see `inv assets.list servers`")
    return place


def place_pairs(place: Place) -> Pairs:
    """Return a place in the server room: rack and units, port, VLAN and address."""
    top = place.bottom_unit + place.height - 1
    units = f"unit {place.bottom_unit}" + (f" sampai {top}" if top > place.bottom_unit else "")
    rows = [
        ["Rak", f"{place.rack}, {units}"],
        ["Switch dan port", f"{place.switch}, {place.port}"],
        ["VLAN", str(place.vlan)],
        ["Alamat IP", str(place.address)],
    ]
    return [[label, shown(value)] for label, value in rows]
