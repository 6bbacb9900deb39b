"""A section as single facts that can be compared: what kind, of which thing, and its value as a person reads it.

What changes by itself from hour to hour (use of disks, time since the start, pending updates) is no fact here; of
services, ports and interfaces the rules under "Noise" say what does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Fact = tuple[str, str]
"""The topic (a key of `words.SENTENCES`) and the thing it is about."""
Facts = Mapping[Fact, str]
Pairs = Iterator[tuple[Fact, str]]

UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
STEP: Final = 1024


def facts_of(section: str, content: Any) -> dict[Fact, str]:
    """Return the facts of a section. What the server did not tell is no fact; only a port's process may be empty."""
    return {fact: value for fact, value in READERS[section](content) if value or fact[0] == "port"}


def size(count: int | None) -> str:
    """Return a number of bytes with its unit; empty when it is not known."""
    if count is None:
        return ""
    value, unit = float(count), 0
    while value >= STEP and unit < len(UNITS) - 1:
        value, unit = value / STEP, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if unit else f"{count} B"


def _hardware(part: Mapping[str, Any]) -> Pairs:
    cpu = part["cpu"]
    yield ("perangkat", "merek dan model"), _joined(part["vendor"], part["model"])
    yield ("perangkat", "nomor seri"), _joined(part["serial"])
    yield ("perangkat", "prosesor"), _joined(cpu["model"])
    yield ("perangkat", "jumlah inti"), _joined(cpu["cores"] or cpu["threads"])
    yield ("perangkat", "memori"), size(part["memory_bytes"])
    yield ("perangkat", "arsitektur"), _joined(part["architecture"])
    yield ("perangkat", "virtualisasi"), _joined(part["virtualisation"])
    for module in part["memory_modules"]:
        yield ("modul memori", module["slot"]), _joined(size(module["size_bytes"]), module["part"], module["serial"])
    for disk in part["disks"]:
        yield ("disk", disk["name"]), _joined(size(disk["size_bytes"]), disk["model"], disk["serial"])
        yield ("kesehatan disk", disk["name"]), _joined(disk["health"])
    for array in part["arrays"]:
        state = "sehat" if array["healthy"] else "rusak"
        yield ("larik disk", array["name"]), f"{array['level']}, {state}" if array["level"] else "tidak berjalan"


def _system(part: Mapping[str, Any]) -> Pairs:
    yield ("perangkat", "sistem operasi"), _joined(part["os"]["name"], part["os"]["version"])
    yield ("perangkat", "kernel"), _joined(part["kernel"])


def _packages(part: Mapping[str, Any]) -> Pairs:
    # A kernel stands there in several versions.
    versions: dict[str, list[str]] = {}
    for package in part["packages"]:
        versions.setdefault(package["name"], []).append(package["version"])
    for name, found in versions.items():
        yield ("paket", name), ", ".join(found)


def _certificates(part: Mapping[str, Any]) -> Pairs:
    for one in part["certificates"]:
        yield ("sertifikat", one["path"]), _joined(one["subject"], f"sampai {one['expires'][:10]}")


def _hardening(part: Mapping[str, Any]) -> Pairs:
    values: dict[str, list[str]] = {}
    for setting in part["hardening"]:
        values.setdefault(setting["name"], []).append(setting["value"])
    for name, found in values.items():
        yield ("pengamanan", name), ", ".join(found)


def _services(part: Mapping[str, Any]) -> Pairs:
    told = any(service.get("starts") for service in part["services"])
    for service in part["services"]:
        if _is_lasting(service, told=told):
            yield ("layanan", service["name"]), service["state"]


def _ports(part: Mapping[str, Any]) -> Pairs:
    for port in part["listening_ports"]:
        if not _is_client(port):
            yield ("port", f"{port['protocol']} {port['port']} pada {port['address']}"), _joined(port["process"])


def _users(part: Mapping[str, Any]) -> Pairs:
    for user in part["users"]:
        yield ("pengguna", user["name"]), f"UID {user['uid']}, {user['shell']}"


def _storage(part: Mapping[str, Any]) -> Pairs:
    for system in part["filesystems"]:
        told = _joined(size(system["size_bytes"]), system["kind"], f"pada {system['source']}")
        yield ("sistem berkas", system["mount"]), told
    for group in part["volume_groups"]:
        yield ("grup volume", group["name"]), size(group["size_bytes"])
        for name, count in group["volumes"]:
            yield ("volume", f"{group['name']}/{name}"), size(count)


def _network(part: Mapping[str, Any]) -> Pairs:
    yield ("jaringan", "nama host"), _joined(part["host_name"])
    yield ("jaringan", "gateway"), _joined(part["gateway"])
    yield ("jaringan", "DNS"), ", ".join(part["dns"])
    for interface in part["interfaces"]:
        name = interface["name"]
        if OF_GUESTS.fullmatch(name):
            continue
        yield ("antarmuka", name), _joined(interface["state"])
        yield ("alamat MAC", name), _joined(interface["mac"])
        for address in interface["addresses"]:
            yield ("alamat IP", f"{address} pada {name}"), "ada"
    for route in part["routes"]:
        if not OF_GUESTS.fullmatch(route["interface"] or ""):
            yield ("rute", f"{route['destination']} lewat {route['gateway'] or route['interface']}"), "ada"
    for heard in part["neighbours"]:
        yield ("port switch", heard["interface"]), _joined(heard["switch"], heard["port"])


def _joined(*values: object) -> str:
    return " ".join(str(value) for value in values if value not in {None, ""})


READERS: Final[Mapping[str, Callable[[Any], Pairs]]] = {
    "hardware": _hardware,
    "system": _system,
    "packages": _packages,
    "certificates": _certificates,
    "hardening": _hardening,
    "services": _services,
    "ports": _ports,
    "users": _users,
    "storage": _storage,
    "network": _network,
}
"""The sections that hold facts."""


# Noise: what comes and goes by itself.

AT_BOOT: Final = ("enabled", "enabled-runtime", "generated")
"""What starts a service that is always there."""
ON_CALL: Final = ("static", "indirect")
"""What starts a service that a timer, a socket or the bus calls."""
BY_CHANCE: Final = re.compile(r"run-(u[0-9]+|r[0-9a-f]{32}|p[0-9]+-i[0-9]+)")
"""Services that systemd-run named."""
EPHEMERAL: Final = 32768
"""From here on, ports are given out by chance."""
OF_GUESTS: Final = re.compile(r"(veth|vnet|tap).+")
"""Interfaces that a container or a virtual machine has on its host while it runs."""


def _is_lasting(service: Mapping[str, Any], *, told: bool) -> bool:
    """Tell whether a service's state says something; `told`: the server told what starts its services.

    Those of the boot are there always, in whatever state. Those that are called when they are needed come and go by
    themselves. Any other (started by hand, without a unit file) counts while it runs, and each where it failed; never
    one whose name is another each time.
    """
    starts = service.get("starts")
    if BY_CHANCE.fullmatch(service["name"]):
        return False
    if service["state"] == "failed" or starts in AT_BOOT or not told:
        return True
    return starts not in ON_CALL and service["state"] == "running"


def _is_client(port: Mapping[str, Any]) -> bool:
    """Tell whether a port is that of a client. On TCP only a server listens, so that there each port counts."""
    return bool(port["protocol"] == "udp" and port["port"] >= EPHEMERAL)
