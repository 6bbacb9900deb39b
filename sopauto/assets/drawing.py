"""A rack as text, the highest unit on top."""

from __future__ import annotations

from collections.abc import Iterator

from sopauto.assets.model import Rack, Server
from sopauto.assets.room import Estate

WIDTH = 40


def draw_rack(estate: Estate, rack: Rack) -> str:
    """Return the front of a rack: servers with their names, blocked units, and free ones."""
    by_unit = {
        unit: server
        for server in estate.servers
        if server.place is not None and server.place.rack == rack.id
        for unit in range(server.place.bottom_unit, server.place.bottom_unit + server.place.height)
    }
    edge = f"   +{'-' * WIDTH}+"
    lines = [f"{rack.id}  {rack.location}".rstrip(), edge, *_units(rack, by_unit), edge]
    free = rack.height - len(by_unit) - len(rack.blocked)
    return "\n".join([*lines, f"   {free} of {rack.height} units free"])


def _units(rack: Rack, by_unit: dict[int, Server]) -> Iterator[str]:
    for unit in range(rack.height, 0, -1):
        server = by_unit.get(unit)
        if server is not None and server.place is not None:
            top = unit == server.place.bottom_unit + server.place.height - 1
            text = f"{server.id} ({server.unit})" if top else "  |"
        else:
            text = "#" * WIDTH if unit in rack.blocked else ""
        yield f"{unit:>2} |{text[:WIDTH]:<{WIDTH}}|"
