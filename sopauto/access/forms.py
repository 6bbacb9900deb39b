"""The four forms of SOP 004: request, register, review, removal. A number of identity is whole in the request only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sopauto.access.model import Line
from sopauto.access.register import BOOK
from sopauto.documents import sections
from sopauto.documents.form import Form
from sopauto.documents.letters import Outline, applicant, nobody, outlined, present
from sopauto.documents.machine_work import work_done
from sopauto.documents.parts import Filling, shown
from sopauto.documents.sections import Sections, pairs
from sopauto.tickets.personal import masked

REVIEW: Final = "formulir-review-akses"
REVIEW_TITLE: Final = "Formulir Review Akses Ruang Server"
COLUMNS: Final = ("Kartu", "Nama", "NIP/NIK", "Unit kerja", "Zona", "Berlaku sampai", "Hasil", "Oleh")
LONGEST_CELL: Final = 60


def person(filling: Filling) -> Sections:
    """Return who is to enter, as the request states it (row 1)."""
    return pairs("Yang meminta akses", filling.stated("nama_pengakses", "nip_pengakses", "opd", "kontak_email"))


def asked_access(filling: Filling) -> Sections:
    """Return which access is asked for (row 1)."""
    names = ("jenis_akses", "zona", "keperluan", "berlaku_dari", "berlaku_sampai", "pendamping")
    return pairs("Akses yang diminta", filling.stated(*names))


def to_be_removed(filling: Filling) -> Sections:
    """Return whose access is to be removed, and why (removal, row 1)."""
    return pairs("Akses yang dihapus", filling.stated("nama_pengakses", "nomor_kartu", "alasan"))


def registered(filling: Filling) -> Sections:
    """Return the ticket's line of the register, as it is kept (row 9; removal, row 8)."""
    book, ticket = filling.occasion.reader.part(BOOK), filling.occasion.after
    grant = book.grant(ticket.id) or book.of_card(str(ticket.letter.get("nomor_kartu", "")))
    if grant is None:
        return []
    request = grant.request
    rows = [
        ["Nomor kartu", grant.card],
        ["Nama", shown(request.name)],
        ["NIP/NIK", masked(request.identity)],
        ["Jenis akses", request.kind.value],
        ["Zona", ", ".join(request.zones)],
        ["Berlaku dari", request.valid_from.isoformat()],
        ["Berlaku sampai", request.valid_until.isoformat() if request.valid_until else "tanpa batas"],
        ["Disetujui oleh", shown(filling.people.person(grant.approved_by).name)],
        ["Disetujui pada", filling.moment(grant.approved_at)],
        ["Keadaan", shown(f"{grant.state.value} {f'({grant.reason})' if grant.reason else ''}")],
    ]
    return pairs("Baris daftar akses", rows)


def review(filling: Filling) -> dict[str, Any]:
    """Return every line of a review with its answer (review, rows 2 and 5)."""
    lines = filling.occasion.reader.part(BOOK).lines(filling.occasion.before.id)
    rows = [_row(filling, line) for line in lines]
    return {
        "bagian": pairs("Review", filling.stated("tanggal", "perihal", "masa_dari", "masa_sampai")),
        "kolom": list(COLUMNS),
        "baris": rows,
        "jawaban": [*sections.answers(filling), *sections.papers(filling)],
        "tanda_tangan": [{"sebagai": "Yang menandatangani,", **filling.signature()}],
    }


def _row(filling: Filling, line: Line) -> list[str]:
    request = line.grant.request
    people = filling.people
    by = people.person(line.by).name if line.by else ""
    cells = (
        line.grant.card,
        request.name,
        masked(request.identity),
        people.units.get(line.grant.unit, line.grant.unit),
        ", ".join(request.zones),
        request.valid_until or "tanpa batas",
        line.answer.value if line.answer else "belum dijawab",
        by or "-",
    )
    return [shown(cell, LONGEST_CELL) for cell in cells]


OUTLINES: Final[Mapping[str, Outline]] = {
    "formulir-permintaan-akses": Outline(  # rows 2 and 5
        title="Formulir Permintaan Akses Ruang Server",
        address=nobody,
        opening="Dengan ini {pemilik} mengajukan permintaan akses ruang server di {instansi}.",
        contents=(sections.request, person, asked_access, sections.answers, sections.stated_here),
        boxes=(applicant("Pemohon,"), present("Yang menyetujui,")),
    ),
    "formulir-daftar-akses": Outline(  # row 9; removal, row 8
        title="Formulir Daftar Akses Ruang Server",
        address=nobody,
        opening="Pada hari {hari} daftar akses ruang server di {instansi} mencatat akses {pemilik} berikut.",
        contents=(registered, sections.request, work_done, sections.papers),
        boxes=(present("Yang mencatat,"),),
        closing="Daftar lengkap suatu hari dicetak dari catatan yang sama (sopauto access.register --pdf).",
    ),
    "formulir-penghapusan-akses": Outline(  # removal, rows 2 and 5
        title="Formulir Permintaan Penghapusan Akses Ruang Server",
        address=nobody,
        opening="Dengan ini {pemilik} mengajukan permintaan penghapusan akses ruang server di {instansi}.",
        contents=(sections.request, to_be_removed, sections.answers, sections.stated_here),
        boxes=(applicant("Pemohon,"), present("Yang menyetujui,")),
    ),
}
"""What the forms in one shared template are composed of."""

FORMS: Final[Mapping[str, Form]] = {REVIEW: Form(title=REVIEW_TITLE, fill=review), **outlined(OUTLINES)}
"""Each form by the name that an SOP's `dokumen` gives it; the review has a template of its own."""
