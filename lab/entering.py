"""SOP 004 in demo and tests: its people, a request, and a workspace with two doors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab import cast
from lab.cast import UNIT, UNITS, Role
from lab.controller import Controller
from lab.mailbox import Mailbox
from lab.walking import Walk
from lab.workspace import AGENCY, Workspace, make_key, people_file
from sopauto.access.doors.by_csv import CsvDoor
from sopauto.access.register import BOOK
from sopauto.tickets.model import Letter, Ticket

CAST = (
    *(role for role in cast.CAST if role.id != "joko"),
    # Who approves a request is the direct superior, and not who makes it (row 2).
    Role(id="endah", name="Endah Susanti", nip="197206182000032002", position="unit-kerja-pemohon", unit=UNIT),
    Role(id="wawan", name="Wawan Hermawan", nip="199001052015031004", position="operator-ruang-server", unit="kominfo"),
)
POSITIONS = {
    "unit-kerja-pemohon": "Unit Kerja Pemohon",
    "kadis": "Kadis Komunikasi dan Informatika",
    "kabid-infrastruktur": "Kabid Infrastruktur dan APTIKA",
    "kasi-layanan-infrastruktur": "Kasi Layanan Infrastruktur TIK",
    "operator-ruang-server": "Operator Ruang Server",
    "technical-support": "Technical Support",
}


def workspace_for(home: Path, *, door: Controller, mailbox: Mailbox) -> Workspace:
    """Make a workspace of the people of SOP 004 with a controller at the front and a vendor's file at the back."""
    home.mkdir(parents=True)
    workspace = Workspace(home=home)
    for role in CAST:
        workspace.keys[role.id] = make_key(home / "keys" / role.id)
    people = people_file(workspace.keys, CAST, positions=POSITIONS, units=UNITS, direct={"siti": "endah"})
    (home / "people.yaml").write_text(people)
    (home / "sopauto.toml").write_text(f"""\
[agency]
name = "{AGENCY}"
letterhead = ["PEMERINTAH KABUPATEN TRENGGALEK", "DINAS KOMUNIKASI DAN INFORMATIKA"]
city = "Trenggalek"

[mail]
host = "{mailbox.host}"
port = {mailbox.port}
sender = "sopauto@kominfo.example.go.id"

[access.zones.ruang-server]
title = "Ruang Server"

[access.zones.ruang-ups]
title = "Ruang UPS"

[access.doors.depan]
kind = "http"
url = "{door.url}"
zones = ["ruang-server", "ruang-ups"]
seconds = 2
tries = 2

[access.doors.belakang]
kind = "csv"
file = "pintu/belakang.csv"
zones = ["ruang-ups"]
""")
    CsvDoor("belakang", home / "pintu" / "belakang.csv").begin()
    return workspace


def request(**changes: object) -> Letter:
    """Return the Formulir Permintaan Akses of a unit."""
    fields: Mapping[str, Any] = {
        "nomor_surat": "045/301/406.010/2026",
        "tanggal": cast.LETTER_OF,
        "opd": "Dinas Kesehatan",
        "nama_pengakses": "Siti Rahmawati",
        "nip_pengakses": "198703122010012004",
        "jenis_akses": "tetap",
        "zona": "ruang-server, ruang-ups",
        "keperluan": "Pemeliharaan server SIMPUS",
        "berlaku_dari": "2026-11-20",
        "kontak_email": "siti@dinkes.example.go.id",
    }
    stated = {name: value for name, value in {**fields, **changes}.items() if value is not None}
    return Letter(procedure="akses-ruang-server", unit=UNIT, applicant="siti", fields=stated)


def removal(card: str, **changes: object) -> Letter:
    """Return the Formulir Permintaan Penghapusan Akses of a unit."""
    fields = {
        "nomor_surat": "045/312/406.010/2026",
        "tanggal": cast.LETTER_OF,
        "opd": "Dinas Kesehatan",
        "nama_pengakses": "Siti Rahmawati",
        "nomor_kartu": card,
        "alasan": "Pindah tugas",
        "kontak_email": "siti@dinkes.example.go.id",
    }
    return Letter(procedure="penghapusan-akses", unit=UNIT, applicant="siti", fields={**fields, **changes})


def walk_of(workspace: Workspace, **further: Any) -> Walk:
    """Return a walk along SOP 004 with its own people; after row 7 the card is printed."""
    app = workspace.app()

    def printed(ticket: Ticket) -> None:
        with app.store.write() as writer:
            writer.part(BOOK).card_made(ticket.id, app.clock.now())

    after = {"akses.7": printed, **further.pop("after", {})}
    return Walk(app=app, keys=workspace.keys, statements={}, after=after, **further)
