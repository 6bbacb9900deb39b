"""Where a technical module's parameters come from: the ticket, its reserved assets, and the agency's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sopauto.assets.model import Place, Server
from sopauto.errors import Refused
from sopauto.procedures.model import Step
from sopauto.tickets.effects import server_of
from sopauto.tickets.model import Ticket
from sopauto.tickets.storage import Reader
from sopauto.work import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyParameters:
    """Resolves the parameters of the custody modules. Fulfils `desk.Parameters`.

    `unused_vlan` is where ports without a server stand, `ssh_port` where custody servers listen, and
    `inventory_credentials` the settings' table with the login for inventories.
    """

    unused_vlan: int
    ssh_port: int
    inventory_credentials: str

    def __call__(self, module: str, ticket: Ticket, step: Step, reader: Reader) -> Json:
        """Return the module's parameters as plain JSON; raises Refused when no place is settled yet."""
        resolve = RESOLVERS.get(module)
        if resolve is None:
            return dict(step.technical.parameters) if step.technical else {}
        server = server_of(reader, ticket)
        if server.place is None:
            raise Refused(f"{server.id} has no place", where=ticket.id, mend="reserve one first (penitipan.5)")
        stated = step.technical.parameters if step.technical else {}
        return {**stated, **resolve(self, server, server.place, reader)}

    def port(self, server: Server, place: Place, reader: Reader) -> dict[str, Any]:
        """Return what the switch modules need: which port of which switch, for whom, in which VLAN."""
        switch = next(switch for switch in reader.assets.switches() if switch.id == place.switch)
        return {
            "server": server.id,
            "ticket": server.ticket,
            "switch": {
                "id": switch.id,
                "platform": switch.platform,
                "host": switch.host,
                "port": switch.port,
                "credentials": switch.credentials,
                "host_key": switch.host_key,
            },
            "port": place.port,
            "vlan": place.vlan,
            "unused_vlan": self.unused_vlan,
            "mac": server.mac,
        }

    def reach(self, server: Server, place: Place, reader: Reader) -> dict[str, Any]:
        """Return where the server should answer, and with which host key."""
        return {
            "server": server.id,
            "address": str(place.address),
            "port": self.ssh_port,
            "host_key": reader.pinned_host_key(server.id),
        }

    def inventory(self, server: Server, place: Place, reader: Reader) -> dict[str, Any]:
        """Return where the server answers, and as whom to log in."""
        return {**self.reach(server, place, reader), "credentials": self.inventory_credentials}


RESOLVERS: Final[Mapping[str, Callable[[CustodyParameters, Server, Place, Reader], dict[str, Any]]]] = {
    "custody.connect": CustodyParameters.port,
    "custody.disconnect": CustodyParameters.port,
    "custody.check": CustodyParameters.reach,
    "inventory.collect": CustodyParameters.inventory,
    "playbook.run": CustodyParameters.inventory,
}
"""The modules that work on a ticket's server; any other gets the parameters that the SOP's YAML states."""
