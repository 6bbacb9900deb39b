"""The servers in the room for Ansible: a dynamic inventory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sopauto.assets.model import Server
from sopauto.inventory.exports.export import Export, Files, Source

GROUPS: Final[tuple[tuple[str, Callable[[Server], str]], ...]] = (
    ("unit", lambda server: server.unit),
    ("rack", lambda server: server.place.rack if server.place else "none"),
    ("vlan", lambda server: str(server.place.vlan) if server.place else "none"),
)
"""What servers are grouped by: `unit_dinkes`, `rack_R1`, `vlan_30`."""


def inventory(servers: Sequence[Server], *, port: int, user: str) -> dict[str, Any]:
    """Return what `ansible-inventory --list` shows: groups, and the variables of each host."""
    groups: dict[str, list[str]] = {}
    for server in servers:
        for kind, of in GROUPS:
            groups.setdefault(group_name(kind, of(server)), []).append(server.id)
    variables = {server.id: _variables(server, port, user) for server in servers}
    return {
        "_meta": {"hostvars": variables},
        "all": {"hosts": list(variables), "children": list(groups)},
        **{name: {"hosts": hosts} for name, hosts in groups.items()},
    }


def group_name(kind: str, value: str) -> str:
    """Return a name that Ansible takes for a group: letters, digits and underscores."""
    return f"{kind}_{''.join(c if c.isascii() and c.isalnum() else '_' for c in value)}"


def _variables(server: Server, port: int, user: str) -> dict[str, Any]:
    place = server.place
    assert place is not None
    told = {
        "ansible_host": str(place.address),
        "ansible_user": user,
        "sopauto_ticket": server.ticket,
        "sopauto_unit": server.unit,
        "sopauto_rack": place.rack,
        "sopauto_switch": place.switch,
        "sopauto_switch_port": place.port,
    }
    return {"ansible_port": port, **{name: _inert(value) for name, value in told.items()}}


def _inert(text: str) -> str | dict[str, str]:
    """Return a text as Ansible takes it for no template."""
    return {"__ansible_unsafe": text} if "{" in text else text


def _files(source: Source) -> Files:
    custody = source.settings.custody
    login = source.settings.credentials.get(custody.inventory_credentials)
    # Nobody logs in to a server that a person records.
    reached = [server for server in source.servers if server.id not in source.settings.inventory.by_form]
    yield "ansible.json", inventory(reached, port=custody.ssh_port, user=login.user if login else "root")


ANSIBLE: Final = Export(name="ansible", files=_files, single=True)
