"""GLPI's inventory format (https://github.com/glpi-project/inventory_format): one JSON document per server.

Sizes are in MB of 1,048,576 bytes, as GLPI's own agent counts. What the format has no place for (listening ports,
states of services, volumes without their identifiers) stands in a second document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from ipaddress import IPv4Interface
from typing import Any, Final

from sopauto.inventory.exports.export import Export, Files, Source

MB: Final = 1 << 20
ARCHITECTURES: Final = re.compile(r"mips|mips64|alpha|sparc|sparc64|m68k|i386|x86_64|powerpc|powerpc64|arm.*|aarch64")
VIRTUAL: Final = ("veth", "docker", "br-", "virbr", "tap", "tun", "vnet", "bond", "dummy")


def document(server: str, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return a snapshot as GLPI takes it; what the server did not tell is left out."""
    machine, network = snapshot["server"], snapshot["network"]
    taken_at = datetime.fromisoformat(snapshot["taken_at"])
    content = {
        "versionclient": f"sopauto_v{version('sopauto')}",
        "accesslog": {"logdate": f"{taken_at:%Y-%m-%d %H:%M:%S}"},
        "bios": _firmware(machine),
        "hardware": _hardware(server, machine, network),
        "operatingsystem": _system(server, machine),
        "cpus": _processors(machine),
        "memories": [_memory(i, one) for i, one in enumerate(machine["memory_modules"], 1)],
        "storages": [_disk(one) for one in machine["disks"]],
        "drives": [_drive(one) for one in machine["filesystems"]],
        "networks": [card for one in network["interfaces"] for card in _cards(one, network)],
        "softwares": [{"name": one["name"], "version": one["version"]} for one in machine["packages"]],
        "local_users": [
            {"id": str(one["uid"]), "login": one["name"], "name": one["name"], "shell": one["shell"]}
            for one in machine["users"]
        ],
    }
    # The id stays the same from month to month: GLPI takes another one for another agent.
    return {"deviceid": f"sopauto-{server}", "itemtype": "Computer", "action": "inventory", "content": content}


def beside(server: str, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return what GLPI's format has no place for."""
    machine = snapshot["server"]
    names = ("listening_ports", "services", "volume_groups", "arrays", "certificates", "updates", "hardening")
    return {"server": server, "taken_at": snapshot["taken_at"], **{name: machine[name] for name in names}}


def _firmware(machine: Mapping[str, Any]) -> dict[str, Any]:
    made = {"smanufacturer": machine["vendor"], "smodel": machine["model"], "ssn": machine["serial"]}
    return _told({**made, "bdate": machine["bios_date"]})


def _hardware(server: str, machine: Mapping[str, Any], network: Mapping[str, Any]) -> dict[str, Any]:
    memory = machine["memory_bytes"]
    return _told(
        {
            "name": server,
            "chassis_type": "Server",
            "memory": None if memory is None else memory // MB,
            "defaultgateway": network["gateway"],
            "dns": "/".join(network["dns"]) or None,
            "vmsystem": {None: None, "none": "Physical"}.get(machine["virtualisation"], machine["virtualisation"]),
        }
    )


def _system(server: str, machine: Mapping[str, Any]) -> dict[str, Any]:
    system = machine["os"]
    full = " ".join(part for part in (system["name"], system["version"]) if part)
    return _told(
        {
            "name": system["name"],
            "version": system["version"],
            "full_name": full or None,
            "kernel_name": "linux" if machine["kernel"] else None,
            "kernel_version": machine["kernel"],
            "arch": machine["architecture"],
            "fqdn": server if "." in server else None,
        }
    )


def _processors(machine: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one entry per socket; cores and threads stand there for one processor."""
    cpu = machine["cpu"]
    sockets = cpu["sockets"] or 1
    cores = cpu["cores"] // sockets if cpu["cores"] else None
    arch = machine["architecture"]
    one = {
        "name": cpu["model"],
        "core": cores,
        "thread": cpu["threads"] // (sockets * cores) if cores and cpu["threads"] else None,
        "arch": arch if arch and ARCHITECTURES.fullmatch(arch) else None,
    }
    return [_told(one) for _ in range(min(sockets, MOST_SOCKETS))]


MOST_SOCKETS: Final = 64
"""A server may claim any number."""


def _memory(slot: int, module: Mapping[str, Any]) -> dict[str, Any]:
    return _told(
        {
            "numslots": slot,
            "caption": module["slot"],
            "capacity": module["size_bytes"] // MB,
            "type": module["kind"],
            "manufacturer": module["vendor"],
            "model": module["part"],
            "serialnumber": module["serial"],
        }
    )


def _disk(disk: Mapping[str, Any]) -> dict[str, Any]:
    told = {"name": disk["name"], "model": disk["model"], "serial": disk["serial"], "type": "disk"}
    return _told({**told, "disksize": disk["size_bytes"] // MB})


def _drive(one: Mapping[str, Any]) -> dict[str, Any]:
    return _told(
        {
            "type": one["mount"],
            "volumn": one["source"],
            "filesystem": one["kind"],
            "total": one["size_bytes"] // MB,
            "free": max(0, one["size_bytes"] - one["used_bytes"]) // MB,
        }
    )


def _cards(interface: Mapping[str, Any], network: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return an entry for each address of an interface, or one for an interface without any."""
    name = interface["name"]
    card = _told(
        {
            "description": name,
            # A loopback's state is `unknown`, though it works.
            "status": "down" if interface["state"] == "down" else "up",
            "mac": interface["mac"],
            "mtu": interface["mtu"],
            "type": "loopback" if name == "lo" else "ethernet",
            "virtualdev": name == "lo" or name.startswith(VIRTUAL),
        }
    )
    return [{**card, **_address(address, network)} for address in interface["addresses"]] or [card]


def _address(address: str, network: Mapping[str, Any]) -> dict[str, Any]:
    if ":" in address:
        return {"ipaddress6": address.partition("/")[0]}
    held = IPv4Interface(address)
    told = {"ipaddress": str(held.ip), "ipmask": str(held.netmask), "ipsubnet": str(held.network.network_address)}
    gateway = network["gateway"]
    inside = gateway and ":" not in gateway and IPv4Interface(gateway).ip in held.network
    return {**told, "ipgateway": gateway} if inside else told


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _files(source: Source) -> Files:
    for server, snapshot in source.snapshots():
        name = server.replace("/", "_")
        yield f"{name}.json", document(server, snapshot)
        yield f"{name}.more.json", beside(server, snapshot)


def _checked(source: Source) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((server, document(server, snapshot)) for server, snapshot in source.snapshots())


GLPI: Final = Export(name="glpi", files=_files, checked=_checked)
