"""SOP 003 in demo and tests: its people, a letter, and the workspace that knows the server."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.agency import Agency, Bare
from lab.cast import LETTER_OF, TOMORROW, UNIT, Role
from lab.mailbox import Mailbox
from lab.walking import Walk
from lab.workspace import Workspace
from sopauto.machines.host_keys import fingerprint
from sopauto.software.shelf import FILE, SHIPPED
from sopauto.tickets.model import Letter

AGENCY = Agency(
    name="Dinas Komunikasi dan Informatika",
    letterhead=("PEMERINTAH KOTA TANGERANG", "DINAS KOMUNIKASI DAN INFORMATIKA"),
    address="Jalan Contoh Nomor 3, Tangerang",
    city="Tangerang",
    sender="sopauto@kominfo.example.go.id",
    cast=(
        Role(id="siti", name="Siti Rahmawati", nip="198703122010012004", position="user", unit=UNIT),
        Role(id="yoga", name="Yoga Pratama", nip="199508152019031005", position="staf-ti", unit="iidc"),
        Role(id="rina", name="Rina Kusuma", nip="197511202000032001", position="sub-koordinator-iidc", unit="iidc"),
    ),
    positions={"user": "User", "staf-ti": "Staf TI", "sub-koordinator-iidc": "Sub Koordinator IIDC"},
    superiors={"staf-ti": "sub-koordinator-iidc"},
    units={"iidc": "Infrastruktur Internet dan Data Center", UNIT: "Dinas Kesehatan"},
)
"""The Dinas of SOP 003."""


def workspace_for(home: Path, *, server: Bare, mailbox: Mailbox) -> Workspace:
    """Make a workspace of the people of SOP 003 and the login of a server."""
    workspace = AGENCY.workspace(home, server=server, mailbox=mailbox)
    for folder in ("catalogue", "settings", "playbooks"):
        (home / folder).mkdir()
    return workspace


def break_test(workspace: Workspace, name: str, right: str, wrong: str) -> None:
    """Give the workspace an entry of its own: the shipped one, but for a default test that expects something wrong."""
    entry = workspace.home / "catalogue" / name
    shutil.copytree(SHIPPED / name, entry)
    text = (entry / FILE).read_text()
    (entry / FILE).write_text(text.replace(right, wrong))


def request(server: Bare, software: str) -> Letter:
    """Return the letter that asks for a software."""
    fields = {
        "nomor_surat": "800/271/IIDC/2026",
        "tanggal": LETTER_OF,
        "perihal": f"Permohonan instalasi {software}",
        "unit_kerja": "Dinas Kesehatan",
        "piranti_lunak": software,
        "nama_host": server.name,
        "kontak_nama": "Siti Rahmawati",
        "kontak_email": "siti@dinkes.example.go.id",
    }
    return Letter(procedure="instalasi-piranti-lunak", unit=UNIT, applicant="siti", fields=fields)


def statements(server: Bare, software: str, **further: Any) -> dict[str, Any]:
    """Return what the actors state: which entry of the catalogue, on which server, when, and with which settings."""
    return {
        "katalog": software,
        "alamat_ip": server.host,
        "port_ssh": server.port,
        "sidik_kunci": fingerprint(server.host_key),
        "login": "servers",
        "jadwal_instalasi": f"{TOMORROW:%Y-%m-%d} 09:00",
        "pengaturan": software,
        **further,
    }


def walk_of(workspace: Workspace, server: Bare, software: str, **further: Any) -> Walk:
    """Return a walk along SOP 003 with its own people."""
    stated: Mapping[str, Any] = {**statements(server, software), **further.pop("stated", {})}
    return Walk(app=workspace.app(), keys=workspace.keys, statements=stated, **further)
