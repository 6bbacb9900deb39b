"""Who plays in demo and tests, what they state, and the letters that they write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sopauto.tickets.model import Letter

UNIT = "dinkes"
NOW = datetime.now(ZoneInfo("Asia/Jakarta"))
TOMORROW = NOW.date() + timedelta(days=1)
LETTER_OF = min(date(2026, 11, 20), NOW.date()).isoformat()
"""The day of the letters: a letter is never of a day to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A person of the cast: id, name, NIP, position, and the unit for which it is held."""

    id: str
    name: str
    nip: str
    position: str
    unit: str


CAST = (
    Role(id="siti", name="Siti Rahmawati", nip="198703122010012004", position="unit-kerja-pemohon", unit=UNIT),
    Role(id="hadi", name="Hadi Prasetyo", nip="197002011995031002", position="kadis", unit="kominfo"),
    Role(id="ratna", name="Ratna Dewi", nip="197805172003122001", position="kabid-infrastruktur", unit="kominfo"),
    Role(
        id="bambang",
        name="Bambang Sutrisno",
        nip="198111232006041003",
        position="kasi-layanan-infrastruktur",
        unit="kominfo",
    ),
    Role(id="joko", name="Joko Santoso", nip="199204082018011001", position="technical-support", unit="kominfo"),
)

POSITIONS = {
    "unit-kerja-pemohon": "Unit Kerja Pemohon",
    "kadis": "Kepala Dinas Komunikasi dan Informatika",
    "kabid-infrastruktur": "Kabid Infrastruktur dan Aplikasi TIK",
    "kasi-layanan-infrastruktur": "Kasi Layanan Infrastruktur TIK",
    "technical-support": "Technical Support",
    "operator-ruang-server": "Operator Ruang Server",
}
UNITS = {"kominfo": "Dinas Komunikasi dan Informatika", UNIT: "Dinas Kesehatan", "bappeda": "Bappeda"}

STATEMENTS = {
    "waktu_penitipan": f"{TOMORROW:%Y-%m-%d} 09:00",
    "spesifikasi": "2 prosesor, memori 32 GB, 2 disk 960 GB",
    "ciri": "warna hitam, stiker inventaris Dinkes 0271, tanpa penutup depan",
    "penyerah": "Siti Rahmawati (Dinas Kesehatan)",
    "penerima": "Joko Santoso (Technical Support)",
    "pengembalian.8 penyerah": "Joko Santoso (Technical Support)",
    "pengembalian.8 penerima": "Siti Rahmawati (Dinas Kesehatan)",
    "keadaan": "baik dan lengkap",
    "pengambil": "Siti Rahmawati",
    "waktu_pengambilan": f"{NOW:%Y-%m-%d %H:%M}",
}

SERVER = {"nama_host": "simpus-01", "nomor_seri": "VM-0271"}
CONTACT = {
    "kontak_nama": "Siti Rahmawati",
    "kontak_email": "siti@dinkes.example.go.id",
    "kontak_telepon": "0355-791234",
}


def drop_off(**changes: object) -> Letter:
    """Return the letter that asks for a server to be taken into custody."""
    fields = {
        "nomor_surat": "045/271/406.010/2026",
        "tanggal": LETTER_OF,
        "perihal": "Permohonan penitipan server SIMPUS",
        "opd": "Dinas Kesehatan",
        "merek": "QEMU",
        "model": "Standard PC (Q35)",
        "tinggi_u": 2,
        **SERVER,
        **CONTACT,
    }
    return Letter(procedure="penitipan-server", unit=UNIT, applicant="siti", fields={**fields, **changes})


def give_back(ticket: str, **changes: object) -> Letter:
    """Return the letter that asks for the server back."""
    fields = {
        "nomor_surat": "045/289/406.010/2026",
        "tanggal": LETTER_OF,
        "perihal": "Permohonan pengembalian server SIMPUS",
        "opd": "Dinas Kesehatan",
        "tiket_penitipan": ticket,
        **SERVER,
        **CONTACT,
    }
    return Letter(procedure="pengembalian-server", unit=UNIT, applicant="siti", fields={**fields, **changes})
