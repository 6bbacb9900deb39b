"""SOP 000 in demo and tests: its people, a letter, a bare server, and the workspace that knows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.agency import Agency, Bare
from lab.cast import LETTER_OF, UNIT, Role
from lab.mailbox import Mailbox
from lab.walking import Walk
from lab.workspace import Workspace
from sopauto.machines.host_keys import fingerprint
from sopauto.tickets.model import Letter

AGENCY = Agency(
    name="Direktorat Teknologi Informasi KI",
    letterhead=("KEMENTERIAN HUKUM", "DIREKTORAT JENDERAL KEKAYAAN INTELEKTUAL"),
    address="Jalan Contoh Nomor 2, Jakarta",
    city="Jakarta",
    sender="sopauto@dgip.example.go.id",
    cast=(
        Role(id="siti", name="Siti Rahmawati", nip="198703122010012004", position="pengguna-admin", unit=UNIT),
        Role(id="agus", name="Agus Wibowo", nip="196905141994031003", position="direktur-ti", unit="dtiki"),
        Role(id="rina", name="Rina Kusuma", nip="197511202000032001", position="kasubdit-infrastruktur", unit="dtiki"),
        Role(id="dedi", name="Dedi Haryanto", nip="198006172005011002", position="kasie-infrastruktur", unit="dtiki"),
        Role(id="wati", name="Wati Lestari", nip="198209092006042003", position="kasubag-tu", unit="dtiki"),
        Role(id="hendra", name="Hendra Saputra", nip="197403281999031001", position="kabag-umum", unit="dtiki"),
        Role(id="yoga", name="Yoga Pratama", nip="199508152019031005", position="jfu", unit="dtiki"),
    ),
    positions={
        "pengguna-admin": "Pengguna/ Admin",
        "direktur-ti": "Direktur Teknologi Informasi KI",
        "kasubdit-infrastruktur": "Kasubdit Pendukung Infrastruktur",
        "kasie-infrastruktur": "Kasie Layanan dan Pemeliharaan Infrastruktur",
        "kasubag-tu": "Kasubag Tata Usaha TI",
        "kabag-umum": "Kabag Umum, Pengelolaan BMN dan Layanan Pengadaan",
        "jfu": "JFU",
    },
    superiors={
        "kasubdit-infrastruktur": "direktur-ti",
        "kasie-infrastruktur": "kasubdit-infrastruktur",
        "kasubag-tu": "direktur-ti",
        "kabag-umum": "direktur-ti",
        "jfu": "kasie-infrastruktur",
    },
    units={"dtiki": "Direktorat Teknologi Informasi KI", UNIT: "Dinas Kesehatan"},
)
"""The Direktorat of SOP 000."""


def profile(device: str) -> dict[str, Any]:
    """Return what the lab's bare server becomes; `device` is its disk for data."""
    return {
        "title": "Server aplikasi kecil",
        "resources": {"cpus": 1, "memory_mb": 400, "disk_gb": 2},
        "ntp": ["0.id.pool.ntp.org", "1.id.pool.ntp.org"],
        "upgrade": False,
        "administrators": ["yoga"],
        "swap_mb": 128,
        "disks": [
            {
                "device": device,
                "group": "data",
                "volumes": [
                    {"name": "home", "size": "512m", "mount": "/home", "options": "nodev,nosuid"},
                    {"name": "srv", "size": "512m", "mount": "/srv"},
                ],
            }
        ],
        # The demo's server runs by User Mode Linux, which has no nftables.
        "hardening": {"firewall": False},
    }


def workspace_for(home: Path, *, server: Bare, mailbox: Mailbox, profile: Mapping[str, Any]) -> Workspace:
    """Make a workspace of the people of SOP 000, one profile, and the login of a bare server."""
    workspace = AGENCY.workspace(home, server=server, mailbox=mailbox)
    (home / "profiles").mkdir()
    (home / "profiles" / "aplikasi-kecil.yaml").write_text(json.dumps(profile, indent=1))
    return workspace


def request(server: Bare, **changes: object) -> Letter:
    """Return the letter that asks for a server."""
    fields = {
        "nomor_surat": "HKI.1-TI.03-271",
        "tanggal": LETTER_OF,
        "perihal": "Permohonan penggunaan perangkat server",
        "unit_kerja": "Dinas Kesehatan",
        "keperluan": "Aplikasi pendaftaran puskesmas",
        "spesifikasi": "2 inti prosesor, memori 512 MB, disk 2 GB untuk data",
        "sistem_operasi": "Debian 12",
        "nama_host": server.name,
        "kontak_nama": "Siti Rahmawati",
        "kontak_email": "siti@dinkes.example.go.id",
    }
    return Letter(procedure="pemasangan-server", unit=UNIT, applicant="siti", fields={**fields, **changes})


def statements(server: Bare) -> dict[str, Any]:
    """Return what the actors state about a server: where it answers, and its key's fingerprint from the console."""
    return {
        "hasil": "tersedia satu server virtual dengan disk data 2 GB",
        "posisi": "Ruang server lantai 2, rak R1",
        "alamat_ip": server.host,
        "port_ssh": server.port,
        "sidik_kunci": fingerprint(server.host_key),
        "profil": "aplikasi-kecil",
    }


def walk_of(workspace: Workspace, server: Bare, **further: Any) -> Walk:
    """Return a walk along SOP 000 with its own people."""
    return Walk(app=workspace.app(), keys=workspace.keys, statements=statements(server), **further)
