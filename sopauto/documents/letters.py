"""Letters and reports of an installation (SOP 000): a table of what each is composed of, and one way to fill them.

They share one template, `naskah.typ`. Nothing of them is asked for: what nobody stated is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sopauto.documents import machine_work, sections
from sopauto.documents.parts import PASSED_ON, Body, Filling, Pairs, lacking, shown
from sopauto.documents.sections import Sections
from sopauto.tickets.model import Verb

TEMPLATE: Final = "naskah"

Box = Mapping[str, Any]
"""One who signs: in which role (`sebagai`), with the electronic signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What a letter or report consists of. `opening` may name `{hari}`, `{pemilik}` and `{instansi}`."""

    title: str
    opening: str
    contents: tuple[Callable[[Filling], Sections], ...]
    boxes: tuple[Callable[[Filling], Box], ...]
    address: Callable[[Filling], Pairs]
    closing: str = ""

    def fill(self, filling: Filling) -> dict[str, Any]:
        """Return what the paper says and who signs it."""
        words = {
            "hari": filling.moment(filling.occasion.action.at),
            "pemilik": filling.owner,
            "instansi": shown(filling.settings.agency.name),
        }
        return {
            "alamat": self.address(filling),
            "pembuka": self.opening.format(**words),
            "bagian": [section for content in self.contents for section in content(filling)],
            "penutup": self.closing,
            "tanda_tangan": [signed for box in self.boxes if (signed := dict(box(filling)))],
        }


def present(role: str) -> Callable[[Filling], Box]:
    """Return the box of who acts now."""
    return lambda filling: {"sebagai": role, **filling.signature()}


def before(role: str) -> Callable[[Filling], Box]:
    """Return the box of who passed the ticket on to the present row."""
    return lambda filling: {"sebagai": role, **_passed_on(filling)}


def applicant(role: str) -> Callable[[Filling], Box]:
    """Return the box of who opened the ticket."""
    return lambda filling: {"sebagai": role, **_opened(filling)}


def receiver(role: str) -> Callable[[Filling], Box]:
    """Return the box of who receives what the applicant wrote (none yet when the ticket is just being opened)."""
    return lambda filling: {} if filling.occasion.action.verb is Verb.OPEN else present(role)(filling)


def nobody(_: Filling) -> Pairs:
    """Address a paper to nobody: it is a record of both parties."""
    return []


def who_is_next(filling: Filling) -> Pairs:
    """Address a paper to who acts at the next row."""
    to = filling.actors(filling.occasion.after.step) if filling.occasion.after.is_open else ""
    return [["Kepada", to], ["Dari", filling.signature()["jabatan"]]] if to else []


def who_decides(filling: Filling) -> Pairs:
    """Address a request to who first decides, by way of those who pass it on (SOP 000, row 1)."""
    steps = filling.occasion.procedure.steps
    first = next((place for place, step in enumerate(steps) if step.approval), None)
    if first is None:
        return []
    through = dict.fromkeys(filling.actors(step.id) for step in steps[1:first])
    return [["Kepada", filling.actors(steps[first].id)], *([["Melalui", ", ".join(through)]] if through else [])]


def parties(filling: Filling) -> Sections:
    """Return who hands over and who takes over (SOP 000, row 12)."""
    gives, takes = _passed_on(filling), filling.signature()
    return [
        *sections.pairs("Pihak pertama, yang menyerahkan", [["Nama", gives["nama"]], ["Jabatan", gives["jabatan"]]]),
        *sections.pairs("Pihak kedua, yang menerima", [["Nama", takes["nama"]], ["Unit kerja", filling.owner]]),
    ]


def _opened(filling: Filling) -> Box:
    """Return who opened the ticket. While it is being opened, nothing is kept of that yet."""
    opening = next(filling.entries(), None)
    return _signed_before(filling, *opening) if opening else filling.signature()


def _passed_on(filling: Filling) -> Box:
    """Return who passed the ticket on to the present row; raises BadInput (nobody did)."""
    here = filling.occasion.step.id
    came: list[tuple[Body, str]] = [
        (body, key) for body, key in filling.entries() if body["to"] == here and body["verb"] in PASSED_ON
    ]
    if not came:
        raise lacking(filling, f"nobody passed the ticket on to {here}", "name this form at a later row of the SOP")
    return _signed_before(filling, *came[-1])


def _signed_before(filling: Filling, body: Body, key: str) -> Box:
    """Return the signature of an earlier entry with its row: it was made there, not over this paper."""
    return {**filling.signed_by(body, key), "keterangan": f"pada baris {body['step']}"}


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
