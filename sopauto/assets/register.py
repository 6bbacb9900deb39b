"""What the domain needs of the kept assets, as a Protocol; `store/assets.py` keeps its promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sopauto.assets.model import Contact, Place, Pool, Rack, Server, ServerState, Switch, SwitchPort, Unit, Vlan


class Register(Protocol):
    """All assets, read and changed inside the transaction that it belongs to."""

    def units(self) -> Sequence[Unit]:
        """Return the owners, by id."""

    def contacts(self, unit: str) -> Sequence[Contact]:
        """Return a unit's contact persons."""

    def racks(self) -> Sequence[Rack]:
        """Return the racks, by id."""

    def switches(self) -> Sequence[Switch]:
        """Return the switches, by id."""

    def ports(self) -> Sequence[SwitchPort]:
        """Return the ports for custody servers, by switch and natural order of their names."""

    def vlans(self) -> Sequence[Vlan]:
        """Return the VLANs, by number."""

    def pools(self) -> Sequence[Pool]:
        """Return the address pools, by id."""

    def servers(self, state: ServerState | None = None) -> Sequence[Server]:
        """Return the servers, by id."""

    def server(self, server_id: str) -> Server:
        """Return a server; raises BadInput (unknown id)."""

    def add(self, *assets: Unit | Contact | Rack | Switch | SwitchPort | Vlan | Pool) -> None:
        """Add assets; raises BadInput when one exists already or names something that does not."""

    def replace(self, *assets: Unit | Contact | Rack | Switch | SwitchPort | Vlan | Pool) -> None:
        """Add assets or change those that exist."""

    def remove(self, kind: str, asset_id: str) -> None:
        """Remove an asset that nothing uses; raises BadInput."""

    def save_server(self, server: Server) -> None:
        """Add or change a server; its place takes the rack units, the port and the address.

        Raises Conflict when another server took one of them meanwhile.
        """

    def reserve(self, server: Server, place: Place) -> Server:
        """Give the place to the server (state RESERVED); raises Conflict when somebody else took it."""

    def release(self, server: Server) -> Server:
        """Free the server's rack units, port and address (state RETURNED)."""
