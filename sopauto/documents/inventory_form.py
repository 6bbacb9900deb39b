"""The two halves of the Formulir Data Inventaris Server: data server and data jaringan (SOP 001, konfigurasi.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sopauto.documents.parts import Filling, Pairs, lacking, shown
from sopauto.documents.registered import place_of, place_pairs, server_pairs

KIB: Final = 1024
UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def fill(filling: Filling) -> dict[str, Any]:
    """Return server and network data of the inventory (see docs/inventory.md); lists are whole.

    Raises: BadInput (no inventory was taken).
    """
    snapshot = filling.occasion.facts.get("snapshot")
    if not snapshot:
        raise lacking(filling, "there is no inventory to fill in", "`inv inventory.collect` takes one")
    server, network = snapshot["server"], snapshot["network"]
    return {
        "diambil": filling.moment(datetime.fromisoformat(snapshot["taken_at"])),
        "terdaftar": server_pairs(filling.server, filling.owner),
        "tempat": place_pairs(place_of(filling)),
        "server": _server_pairs(server),
        "jaringan": _network_pairs(network),
        "daftar_server": [
            _list("Disk", ["Nama", "Ukuran", "Model", "Nomor seri"], server["disks"], _disk),
            _list("Layanan", ["Nama", "Keadaan"], server["services"], lambda row: [row["name"], row["state"]]),
            _list("Port yang mendengarkan", ["Protokol", "Alamat", "Port", "Proses"], server["listening_ports"], _port),
            _list("Pengguna", ["Nama", "UID", "Shell"], server["users"], lambda r: [r["name"], r["uid"], r["shell"]]),
        ],
        "daftar_jaringan": [
            _list("Antarmuka", ["Nama", "MAC", "Keadaan", "Alamat"], network["interfaces"], _interface),
            _list("Rute", ["Tujuan", "Gateway", "Antarmuka"], network["routes"], _route),
        ],
        "tidak_terbaca": [shown(what) for what in snapshot.get("missing") or ()],
        "tanda_tangan": [{"sebagai": "Yang mendata,", **filling.signature()}],
    }


def size(count: int | None) -> str:
    """Return a number of bytes with its unit."""
    if count is None:
        return "-"
    value, unit = float(count), 0
    while value >= KIB and unit < len(UNITS) - 1:
        value, unit = value / KIB, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if unit else f"{count} B"


def _server_pairs(server: Mapping[str, Any]) -> Pairs:
    cpu, system = server["cpu"], server["os"]
    return [
        ["Merek dan model", _joined(server["vendor"], server["model"])],
        ["Nomor seri", _joined(server["serial"])],
        ["Prosesor", f"{_joined(cpu['model'])} ({_joined(cpu['cores'])} inti, {_joined(cpu['threads'])} utas)"],
        ["Memori", size(server["memory_bytes"])],
        ["Sistem operasi", _joined(system["name"], system["version"])],
        ["Kernel", _joined(server["kernel"], server["architecture"])],
        ["Menyala selama", _days(server["uptime_seconds"])],
        ["Jumlah paket", _joined(server["packages_count"])],
    ]


def _network_pairs(network: Mapping[str, Any]) -> Pairs:
    return [
        ["Nama host", _joined(network["host_name"])],
        ["Gateway", _joined(network["gateway"])],
        ["DNS", _joined(*network["dns"])],
    ]


def _joined(*values: object) -> str:
    """Return the values that are known, one after the other."""
    return shown(" ".join(str(value) for value in values if value is not None)) or "-"


def _days(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    hours = int(seconds) // 3600
    return f"{hours // 24} hari {hours % 24} jam"


def _list(
    title: str, columns: Sequence[str], items: Sequence[Any], row: Callable[[Any], list[object]]
) -> dict[str, Any]:
    return {"judul": title, "kolom": list(columns), "baris": [[_joined(cell) for cell in row(item)] for item in items]}


def _disk(disk: Mapping[str, Any]) -> list[object]:
    return [disk["name"], size(disk["size_bytes"]), disk.get("model"), disk.get("serial")]


def _port(port: Mapping[str, Any]) -> list[object]:
    return [port["protocol"], port["address"], port["port"], port.get("process")]


def _interface(interface: Mapping[str, Any]) -> list[object]:
    return [interface["name"], interface.get("mac"), interface.get("state"), ", ".join(interface["addresses"])]


def _route(route: Mapping[str, Any]) -> list[object]:
    return [route["destination"], route.get("gateway"), route.get("interface")]
