"""NetBox's bulk import: CSV files whose columns are fields of its import forms (NetBox 4.2 and later).

To be imported in this order: devices, interfaces, MAC addresses, IP addresses. Manufacturers, device types, the role,
sites and racks are looked up by name and have to be there. One line that NetBox refuses refuses its file, so what it
would not take of a server is left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv6Address, ip_interface
from typing import Any, Final

from sopauto.assets.model import Rack, Server
from sopauto.documents.cells import safe
from sopauto.inventory.exports.export import Export, Files, Source

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "devices": (
        *("name", "role", "manufacturer", "device_type", "status", "site", "rack", "position", "face", "serial"),
        "comments",
    ),
    "interfaces": ("device", "name", "type", "enabled", "mtu", "description"),
    "mac-addresses": ("mac_address", "device", "interface", "is_primary"),
    "ip-addresses": ("address", "status", "device", "interface", "is_primary", "description"),
}
"""The files, in the order in which NetBox can take them, and their columns."""
YES: Final = "true"
NO: Final = "false"
ROLE: Final = "Server"
LONGEST_NAME: Final = 64
LONGEST_SERIAL: Final = 50
LARGEST_MTU: Final = 65536
ETHERNET: Final = len("00:00:00:00:00:00")
"""Characters of the only hardware addresses that NetBox takes: InfiniBand's are longer."""


def rows(server: Server, rack: Rack | None, snapshot: Mapping[str, Any] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield file and values of everything that NetBox wants to know of a server."""
    yield "devices", _device(server, rack)
    known = {"", "lo"}
    for interface in snapshot["network"]["interfaces"] if snapshot else ():
        name = str(safe(interface["name"]))
        if name not in known and len(name) <= LONGEST_NAME:
            known.add(name)
            yield from _interface(server, name, interface)


def _device(server: Server, rack: Rack | None) -> dict[str, Any]:
    place = server.place
    fits = len(str(safe(server.serial))) <= LONGEST_SERIAL
    # An agency's import of what it has today names no ticket.
    comments = f"sopauto: {server.unit}" + (f", {server.ticket}" if server.ticket != "-" else "")
    return {
        "name": server.id,
        "role": ROLE,
        "manufacturer": server.brand,
        "device_type": server.model,
        "status": "active",
        "site": rack.location if rack and rack.location else (rack.id if rack else ""),
        "rack": place.rack if place else "",
        "position": place.bottom_unit if place else "",
        "face": "front" if place else "",
        "serial": server.serial if fits else "",
        "comments": comments if fits else f"{comments}, {server.serial}",
    }


def _interface(server: Server, name: str, interface: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    told = {"device": server.id, "name": name, "type": "other", "mtu": _mtu(interface["mtu"])}
    yield "interfaces", {**told, "enabled": NO if interface["state"] == "down" else YES, "description": ""}
    if interface["mac"] and len(interface["mac"]) == ETHERNET:
        held = {"device": server.id, "interface": name, "is_primary": YES}
        yield "mac-addresses", {"mac_address": interface["mac"].upper(), **held}
    for address in filter(_assignable, interface["addresses"]):
        primary = server.place is not None and _host(address) == str(server.place.address)
        yield (
            "ip-addresses",
            {
                "address": address,
                "status": "active",
                "device": server.id,
                "interface": name,
                "is_primary": YES if primary else NO,
                "description": "",
            },
        )


def _mtu(value: int | None) -> int | str:
    return value if value and value <= LARGEST_MTU else ""


def _host(address: str) -> str:
    return address.partition("/")[0]


def _assignable(address: str) -> bool:
    """Tell whether an interface can be given an address in NetBox, and not every server has it anyhow."""
    told = ip_interface(address)
    ip, network = told.ip, told.network
    if ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified or not network.prefixlen:
        return False
    if network.prefixlen >= network.max_prefixlen - 1:
        return True
    return ip != network.network_address and (isinstance(ip, IPv6Address) or ip != network.broadcast_address)


def write(found: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    """Return the content of each file, by its name without `.csv`."""
    files = {name: io.StringIO(newline="") for name in COLUMNS}
    writers = {name: csv.writer(files[name], lineterminator="\n") for name in COLUMNS}
    for name, columns in COLUMNS.items():
        writers[name].writerow(columns)
    claims: dict[str, list[Mapping[str, Any]]] = {}
    for name, values in found:
        if name == "ip-addresses":
            claims.setdefault(_host(values["address"]), []).append(values)
        else:
            writers[name].writerow(_cells(COLUMNS[name], values))
    for name, values in _held_once(claims.values()):
        writers[name].writerow(_cells(COLUMNS[name], values))
    return {name: file.getvalue() for name, file in files.items()}


def _held_once(claims: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield one claim per address, since NetBox takes none twice: that of the server to which it was given.

    What several servers have and none was given (the bridge of a container engine) tells nothing of any of them.
    """
    for claimed in claims:
        given = [one for one in claimed if one["is_primary"] == YES]
        if given or len({one["device"] for one in claimed}) == 1:
            yield "ip-addresses", (given or claimed)[0]


def _cells(columns: Sequence[str], values: Mapping[str, Any]) -> list[object]:
    return [safe(values[column]) for column in columns]


def _files(source: Source) -> Files:
    # Of thousands of servers only the network is held in memory.
    taken = {name: {"network": one["network"]} for name, one in source.snapshots()}
    found = (
        row
        for server in source.servers
        for row in rows(server, source.racks.get(server.place.rack) if server.place else None, taken.get(server.id))
    )
    for name, content in write(found).items():
        yield f"{name}.csv", content


NETBOX: Final = Export(name="netbox", files=_files)
