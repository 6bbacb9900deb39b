"""NetBox's bulk import: CSV files whose columns are fields of its import forms (NetBox 4.2 and later).

To be imported in this order: devices, interfaces, MAC addresses, IP addresses. Manufacturers, device types, the role
and sites are looked up by name and have to be there.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sopauto.assets.model import Rack, Server
from sopauto.inventory.cells import safe

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
EDGES: Final = ("127.", "::1/", "fe80:")
"""Addresses that every server has: no address management wants them."""


def rows(server: Server, rack: Rack | None, snapshot: Mapping[str, Any] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield file and values of everything that NetBox wants to know of a server."""
    place = server.place
    yield (
        "devices",
        {
            "name": server.id,
            "role": ROLE,
            "manufacturer": server.brand,
            "device_type": server.model,
            "status": "active",
            "site": rack.location if rack and rack.location else (rack.id if rack else ""),
            "rack": place.rack if place else "",
            "position": place.bottom_unit if place else "",
            "face": "front" if place else "",
            "serial": server.serial,
            "comments": f"sopauto: {server.unit}, {server.ticket}",
        },
    )
    for interface in snapshot["network"]["interfaces"] if snapshot else ():
        if interface["name"] != "lo":
            yield from _interface(server, interface)


def _interface(server: Server, interface: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    told = {"device": server.id, "name": interface["name"], "type": "other", "mtu": interface["mtu"] or ""}
    yield "interfaces", {**told, "enabled": NO if interface["state"] == "down" else YES, "description": ""}
    if interface["mac"]:
        held = {"device": server.id, "interface": interface["name"], "is_primary": YES}
        yield "mac-addresses", {"mac_address": interface["mac"].upper(), **held}
    for address in interface["addresses"]:
        if not address.startswith(EDGES):
            primary = server.place is not None and address.partition("/")[0] == str(server.place.address)
            yield (
                "ip-addresses",
                {
                    "address": address,
                    "status": "active",
                    "device": server.id,
                    "interface": interface["name"],
                    "is_primary": YES if primary else NO,
                    "description": "",
                },
            )


def write(found: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    """Return the content of each file, by its name without `.csv`."""
    files = {name: io.StringIO(newline="") for name in COLUMNS}
    writers = {name: csv.writer(files[name], lineterminator="\n") for name in COLUMNS}
    for name, columns in COLUMNS.items():
        writers[name].writerow(columns)
    for name, values in found:
        writers[name].writerow(_cells(COLUMNS[name], values))
    return {name: file.getvalue() for name, file in files.items()}


def _cells(columns: Sequence[str], values: Mapping[str, Any]) -> list[object]:
    return [safe(values[column]) for column in columns]
