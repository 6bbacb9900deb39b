"""The monthly recapitulation (SOP 001, konfigurasi.7): all servers of a month on a few pages. Pure counting.

The result is plain data in Indonesian: a summary, charts and tables; `papers.py` makes PDF, XLSX and HTML of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sopauto.assets.model import Rack, Server
from sopauto.inventory.comparing.difference import CHANGED, NEW, ServerDifference
from sopauto.inventory.comparing.drift import Drift
from sopauto.inventory.comparing.facts import size
from sopauto.inventory.kept.history import Reading
from sopauto.inventory.reports.support import Support, last_day

YEAR: Final = 365.25
OLD: Final = (("kurang dari 3 tahun", 3.0), ("3 sampai 5 tahun", 5.0), ("5 sampai 8 tahun", 8.0))
"""Ages of machines, up to how many years; what is older comes after them."""
OLDEST: Final = "lebih dari 8 tahun"
UNKNOWN: Final = "tidak diketahui"
REASONS: Final[Mapping[str, str]] = {
    "dns": "nama tidak dikenal",
    "refused": "tidak ada layanan SSH",
    "timeout": "tidak menjawab pada waktunya",
    "unreachable": "tidak terjangkau",
    "reset": "sambungan diputus",
    "not-ssh": "bukan server SSH",
    "host-key": "kunci host berubah",
    "too-old": "SSH terlalu usang untuk dihubungi dengan aman",
    "login": "login ditolak",
    "flood": "jawaban terlalu besar",
    "broke-off": "jawaban terputus",
    "no-key": "kunci host belum dicatat",
    "by-form": "formulir bulan ini belum diisi",
}
"""Why a server was not read, as an official reads it (`scan.REASONS`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What counts as too full (percent), and how many days before its end something is named."""

    full_at: int
    warn_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What stands in the room, and how it differs from a month ago and from what was approved.

    `read` is how many of its servers were read in the month and could be read last; `by_form` how many people recorded.
    """

    servers: Sequence[Server]
    racks: Sequence[Rack]
    read: int
    by_form: int
    unread: Sequence[Reading]
    differences: Sequence[ServerDifference]
    drift: Sequence[Drift]


@dataclass(slots=True, kw_only=True)
class Counting:
    """What is counted over the snapshots, one after the other: only numbers and short rows are kept of each."""

    today: date
    support: Support
    bounds: Bounds
    systems: Counter[str] = field(default_factory=Counter)
    ages: Counter[str] = field(default_factory=Counter)
    ending: list[list[object]] = field(default_factory=list)
    filling: list[list[object]] = field(default_factory=list)
    expiring: list[list[object]] = field(default_factory=list)
    ailing: list[list[object]] = field(default_factory=list)
    insecure: list[list[object]] = field(default_factory=list)

    def add(self, server: str, snapshot: Mapping[str, Any]) -> None:
        """Count a server's snapshot."""
        machine = snapshot["server"]
        self.systems[_system(machine["os"])] += 1
        self.ages[_age(machine["bios_date"], self.today)] += 1
        self._count_support(server, machine["os"])
        self._count_disks(server, machine)
        for one in machine["certificates"]:
            left = (datetime.fromisoformat(one["expires"]).date() - self.today).days
            if left <= self.bounds.warn_days:
                self.expiring.append([server, one["subject"] or one["path"], one["expires"][:10], left])
        if machine["updates"]["security"]:
            self.insecure.append([server, len(machine["updates"]["security"]), _some(machine["updates"]["security"])])

    def _count_support(self, server: str, system: Mapping[str, str | None]) -> None:
        end = last_day(self.support, system)
        if end is not None and (end - self.today).days <= self.bounds.warn_days:
            told = "sudah berakhir" if end < self.today else "segera berakhir"
            self.ending.append([server, _system(system), end.isoformat(), told])

    def _count_disks(self, server: str, machine: Mapping[str, Any]) -> None:
        for one in machine["filesystems"]:
            percent = one["used_bytes"] * 100 // one["size_bytes"]
            if percent >= self.bounds.full_at:
                self.filling.append([server, one["mount"], size(one["size_bytes"]), percent])
        for disk in machine["disks"]:
            if disk["health"] not in {None, "PASSED", "OK"}:
                self.ailing.append([server, disk["name"], disk["health"]])
        for array in machine["arrays"]:
            if not array["healthy"]:
                state = f"larik {array['level']} rusak" if array["level"] else "larik tidak berjalan"
                self.ailing.append([server, array["name"], state])


def recap(counted: Counting, room: Room, *, month: str) -> dict[str, Any]:
    """Return the recapitulation of a month (`November 2026`): `bulan`, `ringkasan`, `grafik`, `tabel`."""
    racks = [_rack(rack, room.servers) for rack in room.racks]
    topics = Counter(change.topic for one in room.differences for change in one.changes)
    return {
        "bulan": month,
        "ringkasan": _summary(counted, room),
        "grafik": [
            _chart("Sistem operasi", counted.systems.most_common(12)),
            _chart("Umur perangkat (menurut tanggal firmware)", _in_order(counted.ages)),
            _chart("Kapasitas rak (unit terpakai, persen)", [(name, percent) for name, _, _, percent in racks], 100),
            _chart("Sistem berkas terpenuh (persen)", _fullest(counted.filling), 100),
            _chart("Perubahan menurut jenis", topics.most_common(12)),
        ],
        "tabel": [*_findings(counted), *_about_the_room(room, racks)],
    }


def _summary(counted: Counting, room: Room) -> list[list[object]]:
    return [
        ["Server di ruang server", len(room.servers)],
        ["Server terbaca", room.read],
        ["Server tidak terbaca", len(room.unread)],
        ["Didata dengan formulir", room.by_form],
        ["Server baru", sum(one.state == NEW for one in room.differences)],
        ["Server berubah", sum(one.state == CHANGED for one in room.differences)],
        ["Server berbeda dari yang disetujui", len(room.drift)],
        ["Disk dan larik yang rusak", len(counted.ailing)],
        ["Server dengan pembaruan keamanan tertunda", len(counted.insecure)],
        ["Dukungan sistem operasi berakhir", len(counted.ending)],
    ]


def _findings(counted: Counting) -> list[dict[str, Any]]:
    return [
        _table(
            "Disk yang hampir penuh", ["Server", "Sistem berkas", "Ukuran", "Terpakai %"], _by_last(counted.filling)
        ),
        _table("Disk dan larik yang rusak", ["Server", "Disk", "Keadaan"], counted.ailing),
        _table(
            "Dukungan sistem operasi",
            ["Server", "Sistem operasi", "Berakhir", "Keterangan"],
            sorted(counted.ending, key=_third),
        ),
        _table("Sertifikat", ["Server", "Sertifikat", "Berakhir", "Sisa hari"], sorted(counted.expiring, key=_third)),
        _table("Pembaruan keamanan tertunda", ["Server", "Jumlah", "Antara lain"], counted.insecure),
    ]


def _about_the_room(room: Room, racks: Iterable[Sequence[object]]) -> list[dict[str, Any]]:
    changes = [[one.server, change.topic, change.words] for one in room.differences for change in one.changes]
    drift = [[one.server, change.topic, change.words] for one in room.drift for change in one.changes]
    unread = [[one.server, REASONS[one.reason], one.detail] for one in room.unread]
    return [
        _table("Perbedaan dari yang disetujui, tanpa tiket", ["Server", "Jenis", "Perbedaan"], drift),
        _table("Perubahan sejak bulan lalu", ["Server", "Jenis", "Perubahan"], changes),
        _table("Server yang tidak terbaca", ["Server", "Sebab", "Keterangan"], unread),
        _table("Kapasitas rak", ["Rak", "Unit", "Terpakai", "Persen"], racks),
    ]


def _rack(rack: Rack, servers: Iterable[Server]) -> tuple[str, int, int, int]:
    """Return a rack's name, its units for servers, how many of them are taken, and the percentage."""
    taken = sum(one.place.height for one in servers if one.place is not None and one.place.rack == rack.id)
    usable = rack.height - len(rack.blocked)
    return rack.id, usable, taken, taken * 100 // usable if usable else 100


def _system(system: Mapping[str, str | None]) -> str:
    version = (system["version"] or "").partition(" (")[0]
    return " ".join(part for part in (system["name"], version) if part) or UNKNOWN


def _age(made: str | None, today: date) -> str:
    if made is None:
        return UNKNOWN
    years = (today - date.fromisoformat(made)).days / YEAR
    return next((told for told, up_to in OLD if years < up_to), OLDEST)


def _in_order(ages: Counter[str]) -> list[tuple[str, int]]:
    return [(told, ages[told]) for told in (*(told for told, _ in OLD), OLDEST, UNKNOWN) if ages[told]]


def _fullest(filling: Iterable[Sequence[Any]]) -> list[tuple[str, int]]:
    return [(f"{server} {mount}", percent) for server, mount, _, percent in _by_last(filling)[:12]]


def _by_last(rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    return sorted(rows, key=lambda row: (-row[-1], row[0]))


def _third(row: Sequence[Any]) -> tuple[Any, Any]:
    return row[2], row[0]


def _some(packages: Sequence[Mapping[str, str]]) -> str:
    names = ", ".join(one["name"] for one in packages[:5])
    return f"{names}, …" if len(packages) > 5 else names  # noqa: PLR2004 - a readable number


def _chart(title: str, bars: Iterable[tuple[object, int]], most: int = 0) -> dict[str, Any]:
    """Return a bar chart; `most` is the length of a full bar (0: the longest of them)."""
    found = list(bars)
    longest = max((value for _, value in found), default=0)
    return {"judul": title, "batang": [[str(label), value] for label, value in found], "penuh": most or longest or 1}


def _table(title: str, columns: list[str], rows: Iterable[Sequence[object]]) -> dict[str, Any]:
    return {"judul": title, "kolom": columns, "baris": [list(row) for row in rows]}
