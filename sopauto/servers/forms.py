"""Letters and reports of an installation (SOP 000): a table of what each is composed of.

Nothing of them is asked for: what nobody stated is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sopauto.documents import machine_work, sections
from sopauto.documents.form import Form
from sopauto.documents.letters import (
    Outline,
    applicant,
    before,
    nobody,
    outlined,
    passed_on,
    present,
    receiver,
    who_decides,
    who_is_next,
)
from sopauto.documents.parts import Filling
from sopauto.documents.sections import Sections


def parties(filling: Filling) -> Sections:
    """Return who hands over and who takes over (SOP 000, row 12)."""
    gives, takes = passed_on(filling), filling.signature()
    return [
        *sections.pairs("Pihak pertama, yang menyerahkan", [["Nama", gives["nama"]], ["Jabatan", gives["jabatan"]]]),
        *sections.pairs("Pihak kedua, yang menerima", [["Nama", takes["nama"]], ["Unit kerja", filling.owner]]),
    ]


LETTERS: Final[Mapping[str, Outline]] = {
    "surat-permohonan": Outline(  # row 1, received at row 2
        title="Surat Permohonan Penggunaan Perangkat Server",
        address=who_decides,
        opening="Dengan ini {pemilik} mengajukan permohonan penggunaan perangkat server dengan keterangan berikut.",
        contents=(sections.request, sections.server, sections.needs, sections.contact, sections.stated_here),
        boxes=(applicant("Pemohon,"), receiver("Diterima oleh,")),
        closing="Demikian permohonan ini diajukan. Atas perhatian Bapak/Ibu diucapkan terima kasih.",
    ),
    "bahan-laporan-ketersediaan": Outline(  # row 8
        title="Bahan Laporan Ketersediaan Perangkat Server",
        address=who_is_next,
        opening="Perangkat server di {instansi} telah dicek dan dievaluasi terhadap kebutuhan {pemilik}.",
        contents=(
            sections.request,
            sections.needs,
            sections.server,
            sections.stated_so_far,
            sections.position,
            sections.answers,
        ),
        boxes=(present("Yang memeriksa,"),),
    ),
    "laporan-ketersediaan": Outline(  # row 9
        title="Laporan Ketersediaan Perangkat",
        address=who_is_next,
        opening="Dilaporkan ketersediaan perangkat server di {instansi} untuk {pemilik}, dan konsep pemasangannya.",
        contents=(
            sections.request,
            sections.needs,
            sections.server,
            sections.position,
            sections.stated_so_far,
            sections.answers,
            machine_work.plan_digests,
            sections.papers,
        ),
        boxes=(present("Yang melaporkan,"),),
    ),
    "laporan-pemasangan": Outline(  # row 10
        title="Laporan Pemasangan dan Posisi Perangkat",
        address=who_is_next,
        opening="Pada hari {hari} konsep laporan pemasangan perangkat server untuk {pemilik} diperiksa dan disetujui.",
        contents=(
            sections.request,
            sections.server,
            sections.position,
            sections.needs,
            sections.stated_so_far,
            sections.answers,
            machine_work.plans,
            sections.papers,
        ),
        boxes=(before("Yang membuat konsep,"), present("Yang menyetujui,")),
    ),
    "bast-penggunaan": Outline(  # row 12
        title="Berita Acara Serah Terima Penggunaan Perangkat Server",
        address=nobody,
        opening=(
            "Pada hari {hari} pihak pertama menyerahkan penggunaan perangkat server di {instansi}, dan pihak kedua "
            "menerimanya untuk {pemilik} sebagai konfirmasi penggunaan perangkat."
        ),
        contents=(
            parties,
            sections.request,
            sections.server,
            sections.position,
            sections.needs,
            sections.stated_here,
            sections.papers,
        ),
        boxes=(before("Pihak pertama,"), present("Pihak kedua,")),
    ),
    "instruksi": Outline(  # rows 14 and 17
        title="Instruksi",
        address=who_is_next,
        opening="Untuk permohonan {pemilik} diperintahkan kegiatan berikut.",
        contents=(sections.order, sections.stated_here, sections.request, sections.server, sections.papers),
        boxes=(present("Yang memberi instruksi,"),),
    ),
    "laporan-pelaksanaan": Outline(  # row 16
        title="Laporan Pelaksanaan Penyiapan Perangkat Server",
        address=who_is_next,
        opening="Dilaporkan pelaksanaan penyiapan perangkat server untuk {pemilik}.",
        contents=(sections.request, sections.server, sections.stated_here, machine_work.work_done, sections.papers),
        boxes=(present("Yang melaporkan,"),),
    ),
    "konfirmasi-kesiapan": Outline(  # row 19
        title="Konfirmasi Kesiapan Perangkat Server",
        address=nobody,
        opening="Pada hari {hari} {pemilik} menerima konfirmasi kesiapan perangkat server berikut.",
        contents=(
            sections.request,
            sections.server,
            sections.position,
            sections.needs,
            sections.stated_here,
            sections.papers,
        ),
        boxes=(present("Yang menerima,"),),
    ),
}
"""Each letter and report by the name that an SOP's `dokumen` gives it. Rows are those of SOP 000."""

FORMS: Final[Mapping[str, Form]] = outlined(LETTERS)
"""The same as forms."""
