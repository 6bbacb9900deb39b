"""The two halves of the Formulir Data Inventaris Server: data server and data jaringan (SOP 001, konfigurasi.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sopauto.assets.model import Server
from sopauto.clock import day_in_words, moment_in_words
from sopauto.documents.form import Form
from sopauto.documents.parts import Filling, Pairs, lacking, letterhead, shown
from sopauto.documents.registered import place_of, place_pairs, server_pairs
from sopauto.documents.render import pdf
from sopauto.inventory.comparing import facts
from sopauto.inventory.model import FORMED
from sopauto.settings import Settings

FORM: Final = "inventaris-server"
BY_PEOPLE: Final = "Dicatat dengan formulir, keadaan"
PHYSICAL: Final = "tidak ada (mesin fisik)"
TITLE: Final = "Formulir Data Inventaris Server"


def fill(filling: Filling) -> dict[str, Any]:
    """Return server and network data of the inventory (see docs/inventory.md); lists are whole.

    Raises: BadInput (no inventory was taken).
    """
    snapshot = filling.occasion.facts.get("snapshot")
    if not snapshot:
        raise lacking(filling, "there is no inventory to fill in", "`inv inventory.collect` takes one")
    return {
        "diambil": filling.moment(datetime.fromisoformat(snapshot["taken_at"])),
        "terdaftar": server_pairs(filling.server, filling.owner),
        "tempat": place_pairs(place_of(filling)),
        **_told(snapshot),
        "tanda_tangan": [{"sebagai": "Yang mendata,", **filling.signature()}],
    }


def of_scan(settings: Settings, server: Server, owner: str, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole sheet of a server that a scan read; nobody signs it, since no ticket asked for it."""
    taken = datetime.fromisoformat(snapshot["taken_at"]).astimezone(settings.zone)
    return {
        "kop": letterhead(settings.agency),
        "judul": TITLE,
        "nomor": server.id,
        "sebutan": "Server",
        "keterangan": "Pendataan berkala server di ruang server",
        "tempat_tanggal": f"{shown(settings.agency.city)}, {day_in_words(taken.date())}".removeprefix(", "),
        "diambil": f"{moment_in_words(taken)} {taken.tzname()}",
        "terdaftar": server_pairs(server, owner),
        "tempat": place_pairs(server.place) if server.place else [],
        **_told(snapshot),
        **({"asal": BY_PEOPLE} if any(line.endswith(f": {FORMED}") for line in snapshot["missing"]) else {}),
        "tanda_tangan": [],
    }


def scan_pdf(settings: Settings, sheet: Mapping[str, Any], at: datetime) -> bytes:
    """Return the sheet of a scan as PDF; raises BadInput (the agency's template does not work)."""
    return pdf(FORM, sheet, templates=settings.templates, at=at)


def _told(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the server told of itself."""
    server, network = snapshot["server"], snapshot["network"]
    return {
        "server": _server_pairs(server),
        "jaringan": _network_pairs(network),
        "daftar_server": [
            _list("Modul memori", ["Slot", "Ukuran", "Jenis", "Nomor seri"], server["memory_modules"], _module),
            _list("Disk", ["Nama", "Ukuran", "Model", "Nomor seri", "Kesehatan"], server["disks"], _disk),
            _list("Larik disk", ["Nama", "Jenis", "Sehat"], server["arrays"], _array),
            _list("Sistem berkas", ["Tempat", "Asal", "Ukuran", "Terpakai"], server["filesystems"], _file_system),
            _list("Grup volume", ["Nama", "Ukuran", "Sisa", "Volume"], server["volume_groups"], _group),
            _list("Layanan", ["Nama", "Keadaan"], server["services"], lambda row: [row["name"], row["state"]]),
            _list("Port yang mendengarkan", ["Protokol", "Alamat", "Port", "Proses"], server["listening_ports"], _port),
            _list("Sertifikat", ["Berkas", "Subjek", "Berlaku sampai"], server["certificates"], _certificate),
            _list("Pengguna", ["Nama", "UID", "Shell"], server["users"], lambda r: [r["name"], r["uid"], r["shell"]]),
        ],
        "daftar_jaringan": [
            _list("Antarmuka", ["Nama", "MAC", "Keadaan", "Alamat"], network["interfaces"], _interface),
            _list("Rute", ["Tujuan", "Gateway", "Antarmuka"], network["routes"], _route),
            _list("Terhubung ke", ["Antarmuka", "Switch", "Port"], network["neighbours"], _neighbour),
        ],
        "tidak_terbaca": [shown(what) for what in snapshot.get("missing") or ()],
    }


def size(count: int | None) -> str:
    """Return a number of bytes with its unit."""
    return facts.size(count) or "-"


def _server_pairs(server: Mapping[str, Any]) -> Pairs:
    cpu, system, updates = server["cpu"], server["os"], server["updates"]
    listed = updates["pending"] is not None or updates["security"]
    return [
        ["Merek dan model", _joined(server["vendor"], server["model"])],
        ["Nomor seri", _joined(server["serial"])],
        ["Prosesor", f"{_joined(cpu['model'])} ({_joined(cpu['cores'])} inti, {_joined(cpu['threads'])} utas)"],
        ["Memori", size(server["memory_bytes"])],
        ["Virtualisasi", PHYSICAL if server["virtualisation"] == "none" else _joined(server["virtualisation"])],
        ["Sistem operasi", _joined(system["name"], system["version"])],
        ["Kernel", _joined(server["kernel"], server["architecture"])],
        ["Menyala selama", _days(server["uptime_seconds"])],
        ["Selisih jam", _seconds(server["time"]["offset_seconds"])],
        ["Jumlah paket", _joined(server["packages_count"])],
        ["Pembaruan tertunda", _joined(updates["pending"])],
        ["Di antaranya keamanan", _joined(len(updates["security"]) if listed else None)],
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


def _seconds(count: int | None) -> str:
    return "-" if count is None else f"{count:+d} detik"


def _list(
    title: str, columns: Sequence[str], items: Sequence[Any], row: Callable[[Any], list[object]]
) -> dict[str, Any]:
    return {"judul": title, "kolom": list(columns), "baris": [[_joined(cell) for cell in row(item)] for item in items]}


def _module(module: Mapping[str, Any]) -> list[object]:
    return [module["slot"], size(module["size_bytes"]), module["kind"], module["serial"]]


def _disk(disk: Mapping[str, Any]) -> list[object]:
    return [disk["name"], size(disk["size_bytes"]), disk["model"], disk["serial"], disk["health"]]


def _array(array: Mapping[str, Any]) -> list[object]:
    return [array["name"], array["level"], "ya" if array["healthy"] else "tidak"]


def _file_system(one: Mapping[str, Any]) -> list[object]:
    percent = one["used_bytes"] * 100 // one["size_bytes"]
    return [one["mount"], one["source"], size(one["size_bytes"]), f"{percent} %"]


def _group(group: Mapping[str, Any]) -> list[object]:
    volumes = ", ".join(f"{name} ({size(count)})" for name, count in group["volumes"])
    return [group["name"], size(group["size_bytes"]), size(group["free_bytes"]), volumes]


def _certificate(one: Mapping[str, Any]) -> list[object]:
    return [one["path"], one["subject"], one["expires"][:10]]


def _port(port: Mapping[str, Any]) -> list[object]:
    return [port["protocol"], port["address"], port["port"], port["process"]]


def _interface(interface: Mapping[str, Any]) -> list[object]:
    return [interface["name"], interface["mac"], interface["state"], ", ".join(interface["addresses"])]


def _route(route: Mapping[str, Any]) -> list[object]:
    return [route["destination"], route["gateway"], route["interface"]]


def _neighbour(heard: Mapping[str, Any]) -> list[object]:
    return [heard["interface"], heard["switch"], heard["port"]]


FORMS: Final[Mapping[str, Form]] = {FORM: Form(title=TITLE, fill=fill, letter=("nama_host",))}
"""The form by the name that an SOP's `dokumen` gives it."""
