"""The two halves of the Formulir Data Inventaris Server: data server and data jaringan (SOP 001, konfigurasi.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sopauto.documents.parts import Section, shown

ROWS: Final = 25
"""Lines of a list that are printed; all of them stand in the inventory itself."""
KIB: Final = 1024
UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def sections(snapshot: Mapping[str, Any]) -> list[Section]:
    """Return the sections of the form from a snapshot (see docs/inventory.md for its shape)."""
    server, network = snapshot["server"], snapshot["network"]
    made: list[Section] = [
        {"judul": "Data server", "isi": _server_rows(server, snapshot)},
        _list("Disk", ["Nama", "Ukuran", "Model"], server["disks"], _disk),
        _list("Layanan", ["Nama", "Keadaan"], server["services"], lambda row: [row["name"], row["state"]]),
        _list("Port yang mendengarkan", ["Protokol", "Alamat", "Port"], server["listening_ports"], _port),
        _list("Pengguna", ["Nama", "UID", "Shell"], server["users"], lambda r: [r["name"], r["uid"], r["shell"]]),
        {"judul": "Data jaringan", "isi": _network_rows(network)},
        _list("Antarmuka", ["Nama", "MAC", "Alamat"], network["interfaces"], _interface),
    ]
    missing = snapshot.get("missing") or []
    if missing:
        made.append({"judul": "Tidak dapat dibaca", "isi": [["Bagian", shown(", ".join(missing))]]})
    return [section for section in made if section.get("isi") or section.get("baris")]


def size(count: int | None) -> str:
    """Return a number of bytes with its unit."""
    if count is None:
        return "-"
    value, unit = float(count), 0
    while value >= KIB and unit < len(UNITS) - 1:
        value, unit = value / KIB, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if unit else f"{count} B"


def _server_rows(server: Mapping[str, Any], snapshot: Mapping[str, Any]) -> list[list[str]]:
    cpu, system = server["cpu"], server["os"]
    return [
        ["Diambil pada", shown(snapshot["taken_at"])],
        ["Merek dan model", _joined(server["vendor"], server["model"])],
        ["Nomor seri", _joined(server["serial"])],
        ["Prosesor", f"{_joined(cpu['model'])} ({_joined(cpu['cores'])} inti, {_joined(cpu['threads'])} utas)"],
        ["Memori", size(server["memory_bytes"])],
        ["Sistem operasi", _joined(system["name"], system["version"])],
        ["Kernel", _joined(server["kernel"], server["architecture"])],
        ["Menyala selama", _days(server["uptime_seconds"])],
        ["Jumlah paket", _joined(server["packages_count"])],
    ]


def _network_rows(network: Mapping[str, Any]) -> list[list[str]]:
    return [
        ["Nama host", _joined(network["host_name"])],
        ["Gateway", _joined(network["gateway"])],
        ["DNS", _joined(*network["dns"])],
        ["Jumlah rute", str(len(network["routes"]))],
    ]


def _joined(*values: object) -> str:
    return shown(" ".join(str(value) for value in values if value not in {None, ""})) or "-"


def _days(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    hours = int(seconds) // 3600
    return f"{hours // 24} hari {hours % 24} jam"


def _list(title: str, columns: Sequence[str], items: Sequence[Any], row: Any) -> Section:
    rows = [[shown("-" if cell is None else cell) for cell in row(item)] for item in items[:ROWS]]
    more = len(items) - len(rows)
    heading = f"{title} ({len(items)})" + (f", {more} lainnya tidak dicetak" if more else "")
    return {"judul": heading, "kolom": list(columns), "baris": rows}


def _disk(disk: Mapping[str, Any]) -> list[object]:
    return [disk["name"], size(disk["size_bytes"]), disk.get("model") or "-"]


def _port(port: Mapping[str, Any]) -> list[object]:
    return [port["protocol"], port["address"], port["port"]]


def _interface(interface: Mapping[str, Any]) -> list[object]:
    return [interface["name"], interface.get("mac") or "-", ", ".join(interface["addresses"]) or "-"]
