"""The forms of the SOPs: which there are, what they need, and who fills them. `render.py` puts them on paper.

The JSON that is kept beside each PDF is what the PDF prints, with long lists whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sopauto.clock import OfficeHours, day_in_words
from sopauto.documents import (
    access_forms,
    custody_form,
    daily_journal,
    disposition,
    inventory_form,
    letters,
    software_form,
)
from sopauto.documents.parts import Filling, lacking, letterhead, shown
from sopauto.documents.render import pdf, visible
from sopauto.errors import BadInput
from sopauto.people import People
from sopauto.settings import Settings
from sopauto.tickets.desk import Occasion
from sopauto.tickets.people_then import remembered
from sopauto.work import Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form: its title, what fills it, and the names that the letter and the SOP's actors have to state for it.

    `template` is the shipped template that it shares with other forms (empty: it has one of its own name).
    """

    title: str
    fill: Callable[[Filling], dict[str, Any]]
    template: str = ""
    letter: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


FORMS: Final[Mapping[str, Form]] = {
    disposition.FORM: Form(title="Lembar Disposisi", fill=disposition.fill, letter=("nomor_surat", "tanggal")),
    custody_form.DROP_OFF: Form(
        title="Formulir Serah Terima Barang",
        fill=custody_form.hand_over,
        letter=("nama_host",),
        data=("spesifikasi", "ciri", "penyerah", "penerima"),
    ),
    inventory_form.FORM: Form(title=inventory_form.TITLE, fill=inventory_form.fill, letter=("nama_host",)),
    "bast-pengembalian": Form(
        title="Berita Acara Serah Terima Pengembalian Server",
        fill=custody_form.hand_back,
        letter=("nama_host", "tiket_penitipan"),
        data=("keadaan", "penyerah", "penerima"),
    ),
    software_form.FORM: Form(
        title=software_form.OUTLINE.title, fill=software_form.OUTLINE.fill, template=letters.TEMPLATE
    ),
    "jurnal-harian": Form(title="Jurnal Harian", fill=daily_journal.fill),
    access_forms.REVIEW: Form(title=access_forms.REVIEW_TITLE, fill=access_forms.review),
    **{
        name: Form(title=outline.title, fill=outline.fill, template=letters.TEMPLATE)
        for name, outline in {**letters.LETTERS, **access_forms.FORMS}.items()
    },
}
"""Each form by the name that an SOP's `dokumen` gives it."""


def required(form: str) -> tuple[str, ...]:
    """Return the names that a letter or an SOP's `isian` has to state before the form can be filled."""
    return FORMS[form].letter + FORMS[form].data


class Forms:
    """Fills forms. Fulfils `tickets.desk.Papers`."""

    def __init__(self, settings: Settings, people: People, hours: OfficeHours | None = None) -> None:
        self._settings = settings
        self._people = people
        self._hours = hours

    def make(self, form: str, occasion: Occasion) -> Sequence[Artifact]:
        """Return a form as PDF and as JSON; raises BadInput (unknown form, or something that it needs is missing)."""
        if form not in FORMS:
            raise BadInput(f"there is no form {form!r}", where=occasion.step.id, mend=f"known: {', '.join(FORMS)}")
        people = remembered(self._people, occasion.reader)
        filling = Filling(occasion=occasion, settings=self._settings, people=people, hours=self._hours)
        refuse_incomplete(form, filling)
        data = visible({**self._sheet(form, filling), **FORMS[form].fill(filling)})
        printed = pdf(
            form, data, shared=FORMS[form].template, templates=self._settings.templates, at=occasion.action.at
        )
        content = json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1).encode()
        return (
            Artifact(name=f"{form}.pdf", media_type="application/pdf", content=printed),
            Artifact(name=f"{form}.json", media_type="application/json", content=content),
        )

    def _sheet(self, form: str, filling: Filling) -> dict[str, Any]:
        """Return what stands on every form: letterhead, title, numbers, place and date."""
        agency, occasion = self._settings.agency, filling.occasion
        head = occasion.procedure.head
        on = filling.local(occasion.action.at).date()
        return {
            "kop": letterhead(agency),
            "judul": FORMS[form].title,
            "nomor": occasion.after.id,
            "sop": {"nama": shown(head.name), "nomor": shown(head.number), "baris": occasion.step.id},
            "tempat_tanggal": f"{shown(agency.city)}, {day_in_words(on)}".removeprefix(", "),
        }


def refuse_incomplete(form: str, filling: Filling) -> None:
    """Refuse to fill a form while something that it needs was not said; raises BadInput."""
    for name in FORMS[form].letter:
        if not filling.letter.get(name):
            raise lacking(filling, f"{form} needs {name!r} of the letter", "the SOP's `surat` has to ask for it")
    for name in FORMS[form].data:
        if not filling.data.get(name):
            raise lacking(filling, f"{form} needs {name!r}", f"state it with `--set {name}=…`")
