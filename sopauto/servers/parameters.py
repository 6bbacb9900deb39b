"""What preparing and securing a new server needs to know: where it answers, and what it is to become (SOP 000)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

from sopauto.errors import BadInput, Refused
from sopauto.people import People
from sopauto.procedures.modules import refuse_unknown_login
from sopauto.servers.profiles import PREFIX, Profile, Profiles, Waiver
from sopauto.tickets.domain import Need, Stating, Workspace
from sopauto.tickets.placed import server_id

Variables = Callable[[Workspace, Profile, str], dict[str, Any]]
"""Returns a role's variables of a profile and a server's name."""


def server_parameters(need: Need) -> dict[str, Any]:
    """Return where the server of SOP 000 answers, and what it is to become (stated at rows 7 and 8).

    Raises: Refused (that is not stated yet), BadInput (a profile or waiver is not sound).
    """
    ticket, stated = need.ticket, need.ticket.data
    missing = [name for name in ("alamat_ip", "sidik_kunci", "profil") if not stated.get(name)]
    if missing:
        raise Refused(
            f"{', '.join(missing)} is not stated yet", where=ticket.id, mend="rows before this one ask for it"
        )
    profile = Profiles(need.workspace.settings.root).get(str(stated["profil"]))
    return {
        "server": server_id(ticket),
        "address": str(stated["alamat_ip"]),
        "port": int(stated.get("port_ssh") or 22),
        "fingerprint": str(stated["sidik_kunci"]),
        "profile": profile.title,
        "credentials": profile.credentials,
        "variables": VARIABLES[need.module](need.workspace, profile, server_id(ticket)),
    }


def refuse_unusable(stating: Stating) -> None:
    """Refuse a profile that row 15 of SOP 000 could not use; raises BadInput."""
    workspace, modules = stating.workspace, stating.modules & VARIABLES.keys()
    if not modules or not stating.stated.get("profil"):
        return
    profile = Profiles(workspace.settings.root).get(str(stating.stated["profil"]))
    refuse_unknown_login(profile.credentials, workspace.settings.credentials, stating.where)
    for module in modules:
        VARIABLES[module](workspace, profile, server_id(stating.ticket))


def _provision(workspace: Workspace, profile: Profile, server: str) -> dict[str, Any]:
    return provision(server, profile, workspace.people, workspace.today)


def _harden(workspace: Workspace, profile: Profile, server: str) -> dict[str, Any]:
    return harden(profile, Profiles(workspace.settings.root).waivers(server, workspace.today))


def provision(server: str, profile: Profile, people: People, on: date) -> dict[str, Any]:
    """Return the variables of the role provision; raises BadInput (an administrator has no key on that day)."""
    return {
        "provision_host_name": server,
        "provision_resources": profile.resources.model_dump(),
        "provision_time_zone": profile.time_zone,
        "provision_ntp": list(profile.ntp),
        "provision_locale": profile.locale,
        "provision_package_sources": list(profile.package_sources),
        "provision_packages": list(profile.packages),
        "provision_upgrade": profile.upgrade,
        "provision_administrators": [_administrator(people, person, on) for person in profile.administrators],
        "provision_swap_mb": profile.swap_mb,
        "provision_disks": [disk.model_dump(mode="json") for disk in profile.disks],
        "provision_network": profile.network.model_dump(mode="json") if profile.network else {},
    }


def _administrator(people: People, person: str, on: date) -> dict[str, Any]:
    keys = [key.public for key in people.keys(person, on)]
    if not keys:
        raise BadInput(f"{person} has no key today", where=people.source, mend="add it under `kunci`")
    return {"name": person, "full_name": people.person(person).name, "keys": keys}


def harden(profile: Profile, waivers: Iterable[Waiver]) -> dict[str, Any]:
    """Return the variables of the role hardening."""
    return {
        **{f"{PREFIX}{name}": value for name, value in profile.hardening.items()},
        "hardening_waivers": [waiver.model_dump(mode="json", exclude={"server"}) for waiver in waivers],
        "hardening_ssh_users": list(profile.administrators),
        "hardening_open_ports": list(profile.open_ports),
        "hardening_container_host": profile.container_host,
        "hardening_log_host": profile.log_host,
    }


VARIABLES: Final[Mapping[str, Variables]] = {"server.provision": _provision, "server.harden": _harden}
"""The modules that make a new server what its profile says."""
