"""The forms of the SOPs: which there are, what they need, and who fills them. `render.py` puts them on paper.

The JSON that is kept beside each PDF is what the PDF prints, with long lists whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sopauto.clock import OfficeHours, day_in_words
from sopauto.documents import daily_journal, disposition
from sopauto.documents.form import Form
from sopauto.documents.parts import Filling, lacking, letterhead, shown
from sopauto.documents.render import pdf, visible
from sopauto.errors import BadInput
from sopauto.people import People
from sopauto.settings import Settings
from sopauto.tickets.desk import Occasion
from sopauto.tickets.people_then import remembered
from sopauto.work import Artifact

SHARED: Final[Mapping[str, Form]] = {
    disposition.FORM: Form(title="Lembar Disposisi", fill=disposition.fill, letter=("nomor_surat", "tanggal")),
    "jurnal-harian": Form(title="Jurnal Harian", fill=daily_journal.fill),
}
"""The forms that belong to no domain, by the name that an SOP's `dokumen` gives them."""


class Forms:
    """Fills forms. Fulfils `tickets.desk.Papers`."""

    def __init__(
        self, forms: Mapping[str, Form], settings: Settings, people: People, hours: OfficeHours | None = None
    ) -> None:
        self._forms = forms
        self._settings = settings
        self._people = people
        self._hours = hours

    def make(self, name: str, occasion: Occasion) -> Sequence[Artifact]:
        """Return a form as PDF and as JSON; raises BadInput (unknown form, or something that it needs is missing)."""
        if name not in self._forms:
            known = ", ".join(self._forms)
            raise BadInput(f"there is no form {name!r}", where=occasion.step.id, mend=f"known: {known}")
        form = self._forms[name]
        people = remembered(self._people, occasion.reader)
        filling = Filling(occasion=occasion, settings=self._settings, people=people, hours=self._hours)
        refuse_incomplete(name, form, filling)
        data = visible({**self._sheet(form, filling), **form.fill(filling)})
        printed = pdf(name, data, shared=form.template, templates=self._settings.templates, at=occasion.action.at)
        content = json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1).encode()
        return (
            Artifact(name=f"{name}.pdf", media_type="application/pdf", content=printed),
            Artifact(name=f"{name}.json", media_type="application/json", content=content),
        )

    def _sheet(self, form: Form, filling: Filling) -> dict[str, Any]:
        """Return what stands on every form: letterhead, title, numbers, place and date."""
        agency, occasion = self._settings.agency, filling.occasion
        head = occasion.procedure.head
        on = filling.local(occasion.action.at).date()
        return {
            "kop": letterhead(agency),
            "judul": form.title,
            "nomor": occasion.after.id,
            "sop": {"nama": shown(head.name), "nomor": shown(head.number), "baris": occasion.step.id},
            "tempat_tanggal": f"{shown(agency.city)}, {day_in_words(on)}".removeprefix(", "),
        }


def refuse_incomplete(form: str, needs: Form, filling: Filling) -> None:
    """Refuse to fill a form while something that it needs was not said; raises BadInput."""
    for name in needs.letter:
        if not filling.letter.get(name):
            raise lacking(filling, f"{form} needs {name!r} of the letter", "the SOP's `surat` has to ask for it")
    for name in needs.data:
        if not filling.data.get(name):
            raise lacking(filling, f"{form} needs {name!r}", f"state it with `--set {name}=…`")
