"""The Formulir Daftar Akses: who had access on a day, as rows for spreadsheets and as a form (SOP 004, row 9)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

from sopauto.access.model import Held
from sopauto.clock import day_in_words
from sopauto.documents.parts import letterhead, shown
from sopauto.documents.render import pdf
from sopauto.people import People
from sopauto.settings import Settings
from sopauto.tickets.personal import masked

FORM: Final = "daftar-akses-ruang-server"
TITLE: Final = "Formulir Daftar Akses Ruang Server"
MOST_PRINTED: Final = 2000
"""Lines of the PDF; whole lists belong into a spreadsheet."""
COLUMNS: Final = (
    "Kartu",
    "Nama",
    "NIP/NIK",
    "Unit kerja",
    "Jenis",
    "Zona",
    "Berlaku dari",
    "Berlaku sampai",
    "Disetujui oleh",
    "Tiket",
    "Pintu dibuka",
    "Pintu ditutup",
)


def row_of(held: Held, settings: Settings, people: People) -> list[str]:
    """Return a line of the register. Of the identity only its end is told (UU 27/2022)."""
    grant, request = held.grant, held.grant.request
    approver = people.persons.get(grant.approved_by)
    return [
        grant.card,
        request.name,
        masked(request.identity),
        people.units.get(grant.unit, grant.unit),
        request.kind.value,
        ", ".join(request.zones),
        request.valid_from.isoformat(),
        request.valid_until.isoformat() if request.valid_until else "tanpa batas",
        approver.name if approver else grant.approved_by,
        grant.ticket,
        _moment(held.span.opened_at, settings),
        _moment(held.span.closed_at, settings) if held.span.closed_at else "",
    ]


def register_pdf(settings: Settings, rows: Iterable[list[str]], *, on: date, at: datetime) -> bytes:
    """Return the register of a day as PDF; raises BadInput (the agency's template does not work)."""
    found = iter(rows)
    printed = [[shown(cell, 60) for cell in row] for row in islice(found, MOST_PRINTED)]
    data: dict[str, Any] = {
        "kop": letterhead(settings.agency),
        "judul": TITLE,
        "sebutan": "Keadaan",
        "nomor": day_in_words(on),
        "keterangan": TITLE,
        "kolom": list(COLUMNS),
        "baris": printed,
        "sisa": sum(1 for _ in found),
        "tempat_tanggal": f"{shown(settings.agency.city)}, {day_in_words(at.date())}".removeprefix(", "),
    }
    return pdf(FORM, data, templates=settings.templates, at=at)


def _moment(at: datetime, settings: Settings) -> str:
    return f"{at.astimezone(settings.zone):%Y-%m-%d %H:%M}"
