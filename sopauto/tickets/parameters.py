"""Where a technical module's parameters come from: the ticket, its reserved assets, and the agency's settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from sopauto.access_settings import Access
from sopauto.assets.model import Place, Server
from sopauto.catalogue.shelf import Shelf
from sopauto.errors import BadInput, Refused
from sopauto.machines.met import ServerAt
from sopauto.people import People
from sopauto.procedures.model import Procedure, Step
from sopauto.procedures.modules import MODULES, faults
from sopauto.profiles import PREFIX, Profile, Profiles
from sopauto.tickets.access import OF_ACCESS, access_parameters
from sopauto.tickets.effects import server_id, server_of
from sopauto.tickets.model import Ticket
from sopauto.tickets.software import OF_SOFTWARE, refuse_unknown_login, refuse_unusable, software_parameters
from sopauto.tickets.storage import Reader
from sopauto.work import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleParameters:
    """Resolves the parameters of every module. Fulfils `desk.Parameters`.

    `unused_vlan` is where ports without a server stand, `ssh_port` where custody servers listen, and
    `inventory_credentials` the settings' table with the login for inventories. `profiles` say what a server is to
    become, `people` who administers it, `today` on which day waivers are judged. `shelf` is the catalogue of software,
    `settings` the folder with what engineers set, `access` which controllers guard which zones, `logins` the names of
    the settings' logins.
    """

    unused_vlan: int
    ssh_port: int
    inventory_credentials: str
    profiles: Profiles
    people: People
    shelf: Shelf
    settings: Path
    today: Callable[[], date]
    access: Access
    logins: Collection[str]

    def refuse(self, procedure: Procedure, ticket: Ticket, stated: Json, where: str) -> None:
        """Refuse a statement that machine work of a later row could not use (SOP 000, row 8; SOP 003, rows 1 and 9).

        Raises: BadInput.
        """
        modules = {module for step in procedure.steps if step.technical for module in step.technical.modules}
        if modules & OF_SOFTWARE:
            refuse_unusable(ticket, stated, shelf=self.shelf, settings=self.settings, logins=self.logins, where=where)
        if modules & SERVER_VARIABLES.keys() and stated.get("profil"):
            profile = self.profiles.get(str(stated["profil"]))
            refuse_unknown_login(profile.credentials, self.logins, where)
            for module in modules & SERVER_VARIABLES.keys():
                SERVER_VARIABLES[module](self, profile, server_id(ticket))

    def __call__(self, module: str, ticket: Ticket, step: Step, reader: Reader) -> Json:
        """Return the module's parameters as plain JSON.

        Raises: Refused (no place, or no profile is settled yet), BadInput (a profile or waiver is not sound).
        """
        _refuse_unknown(ticket, step)
        if module in OF_ACCESS:
            return access_parameters(module, ticket, reader, self.access)
        if module in OF_SOFTWARE:
            return software_parameters(module, ticket, step, shelf=self.shelf, settings=self.settings)
        if module in SERVER_VARIABLES:
            return self.new_server(module, ticket)
        stated = _stated(module, step)
        resolve = RESOLVERS.get(module)
        if resolve is None:
            return stated
        server = server_of(reader, ticket)
        if server.place is None:
            raise Refused(f"{server.id} has no place", where=ticket.id, mend="reserve one first (penitipan.5)")
        login = stated.pop("login", self.inventory_credentials)
        resolved = resolve(self, server, server.place, reader)
        return {**stated, **resolved, **({"credentials": login} if "credentials" in resolved else {})}

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
        pinned = reader.pinned_host_key(server.id)
        return ServerAt(server=server.id, address=str(place.address), port=self.ssh_port, host_key=pinned).as_json()

    def inventory(self, server: Server, place: Place, reader: Reader) -> dict[str, Any]:
        """Return where the server answers, and as whom to log in."""
        return {**self.reach(server, place, reader), "credentials": self.inventory_credentials}

    def new_server(self, module: str, ticket: Ticket) -> dict[str, Any]:
        """Return where the server of SOP 000 answers, and what it is to become (stated at rows 7 and 8)."""
        stated = ticket.data
        missing = [name for name in ("alamat_ip", "sidik_kunci", "profil") if not stated.get(name)]
        if missing:
            raise Refused(
                f"{', '.join(missing)} is not stated yet", where=ticket.id, mend="rows before this one ask for it"
            )
        profile = self.profiles.get(str(stated["profil"]))
        return {
            "server": server_id(ticket),
            "address": str(stated["alamat_ip"]),
            "port": int(stated.get("port_ssh") or 22),
            "fingerprint": str(stated["sidik_kunci"]),
            "profile": profile.title,
            "credentials": profile.credentials,
            "variables": SERVER_VARIABLES[module](self, profile, server_id(ticket)),
        }

    def provision(self, profile: Profile, server: str) -> dict[str, Any]:
        """Return the variables of the role provision."""
        return {
            "provision_host_name": server,
            "provision_resources": profile.resources.model_dump(),
            "provision_time_zone": profile.time_zone,
            "provision_ntp": list(profile.ntp),
            "provision_locale": profile.locale,
            "provision_package_sources": list(profile.package_sources),
            "provision_packages": list(profile.packages),
            "provision_upgrade": profile.upgrade,
            "provision_administrators": [self._administrator(person) for person in profile.administrators],
            "provision_swap_mb": profile.swap_mb,
            "provision_disks": [disk.model_dump(mode="json") for disk in profile.disks],
            "provision_network": profile.network.model_dump(mode="json") if profile.network else {},
        }

    def _administrator(self, person: str) -> dict[str, Any]:
        keys = [key.public for key in self.people.keys(person, self.today())]
        if not keys:
            raise BadInput(f"{person} has no key today", where=self.people.source, mend="add it under `kunci`")
        return {"name": person, "full_name": self.people.person(person).name, "keys": keys}

    def harden(self, profile: Profile, server: str) -> dict[str, Any]:
        """Return the variables of the role hardening; raises BadInput (a waiver has expired)."""
        waivers = self.profiles.waivers(server, self.today())
        return {
            **{f"{PREFIX}{name}": value for name, value in profile.hardening.items()},
            "hardening_waivers": [waiver.model_dump(mode="json", exclude={"server"}) for waiver in waivers],
            "hardening_ssh_users": list(profile.administrators),
            "hardening_open_ports": list(profile.open_ports),
            "hardening_container_host": profile.container_host,
            "hardening_log_host": profile.log_host,
        }


def _refuse_unknown(ticket: Ticket, step: Step) -> None:
    """Refuse what no module of the row knows, also in an SOP that was opened before that was checked."""
    for what, mend in faults(step.technical.modules, step.technical.parameters) if step.technical else ():
        raise BadInput(what, where=f"{ticket.id} {step.id} teknis.parameter", mend=mend)


def _stated(module: str, step: Step) -> dict[str, Any]:
    """Return what the row states for this very module: the modules of a row share one `parameter`."""
    stated = step.technical.parameters if step.technical else {}
    known = MODULES[module].parameters if module in MODULES else stated
    return {name: value for name, value in stated.items() if name in known}


SERVER_VARIABLES: Final[Mapping[str, Callable[[ModuleParameters, Profile, str], dict[str, Any]]]] = {
    "server.provision": ModuleParameters.provision,
    "server.harden": ModuleParameters.harden,
}
"""The modules that make a new server what its profile says."""

RESOLVERS: Final[Mapping[str, Callable[[ModuleParameters, Server, Place, Reader], dict[str, Any]]]] = {
    "custody.connect": ModuleParameters.port,
    "custody.disconnect": ModuleParameters.port,
    "custody.check": ModuleParameters.reach,
    "inventory.collect": ModuleParameters.inventory,
    "playbook.run": ModuleParameters.inventory,
}
"""The modules that work on a ticket's server; any other gets the parameters that the SOP's YAML states."""
