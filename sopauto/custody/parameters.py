"""What machine work at a switch port needs to know: which port of which switch, for whom, in which VLAN."""

from __future__ import annotations

from typing import Any

from sopauto.custody.port_work import PortWork
from sopauto.tickets.domain import Need
from sopauto.tickets.placed import placed


def port_parameters(need: Need) -> dict[str, Any]:
    """Return the parameters of `custody.connect` and `custody.disconnect`; raises Refused (the server has no place)."""
    server, place = placed(need)
    return PortWork(
        server=server.id,
        ticket=server.ticket,
        switch=next(switch for switch in need.reader.assets.switches() if switch.id == place.switch),
        port=place.port,
        vlan=place.vlan,
        unused_vlan=need.workspace.settings.custody.unused_vlan,
        mac=server.mac,
    ).as_json()
