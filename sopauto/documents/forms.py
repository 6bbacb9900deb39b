"""The forms of the SOPs as data: what stands in each, and who signs. `render.py` puts them on paper.

The JSON that is kept beside each PDF is exactly what the PDF prints.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sopauto.clock import day_in_words
from sopauto.documents import inventory_form
from sopauto.documents.parts import Section, entries, shown, stated
from sopauto.documents.render import pdf
from sopauto.errors import BadInput
from sopauto.people import People
from sopauto.settings import Settings
from sopauto.tickets.desk import Occasion
from sopauto.work import Artifact

Party = Mapping[str, str]
"""Who signs a form: `sebagai`, `nama`, `nip`."""


class Forms:
    """Fills forms. Fulfils `tickets.desk.Papers`."""

    def __init__(self, settings: Settings, people: People) -> None:
        self._settings = settings
        self._people = people

    def make(self, form: str, occasion: Occasion) -> Sequence[Artifact]:
        """Return a form as PDF and as JSON; raises BadInput (unknown form, or something that it needs is missing)."""
        if form not in FORMS:
            raise BadInput(f"there is no form {form!r}", where=occasion.step.id, mend=f"known: {', '.join(FORMS)}")
        title, fill = FORMS[form]
        opening, sections, parties = fill(self, occasion)
        data = self._sheet(title, occasion, opening, sections, parties)
        content = json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1).encode()
        printed = pdf(form, data, templates=self._settings.templates)
        return (
            Artifact(name=f"{form}.pdf", media_type="application/pdf", content=printed),
            Artifact(name=f"{form}.json", media_type="application/json", content=content),
        )

    def _sheet(
        self, title: str, occasion: Occasion, opening: str, sections: Sequence[Section], parties: Sequence[Party]
    ) -> dict[str, Any]:
        agency, action = self._settings.agency, occasion.action
        signer = self._people.person(action.person)
        at = action.at.astimezone(self._settings.zone)
        return {
            "kop": [shown(line) for line in agency.letterhead] or [agency.name],
            "alamat": agency.address,
            "judul": title,
            "nomor": occasion.after.id,
            "pembuka": opening,
            "bagian": [dict(section) for section in sections],
            "pihak": [dict(party) for party in parties],
            "tempat_tanggal": f"{agency.city}, {day_in_words(at.date())}".removeprefix(", "),
            "kaki": (
                f"Ditandatangani secara elektronik (SSH) oleh {signer.name} pada {at:%Y-%m-%d %H:%M}; "
                "dapat diperiksa dengan ssh-keygen -Y verify"
            ),
        }

    def party(self, person_id: str, position: str, *, on: date) -> Party:
        """Return a person of the agency as one who signs."""
        person = self._people.person(person_id)
        title = self._people.position(position).title
        held = self._people.holds(person_id, position, on)
        return {"sebagai": title if held else "", "nama": person.name, "nip": person.nip}

    def disposition(self, occasion: Occasion) -> tuple[str, list[Section], list[Party]]:
        """Return the lembar disposisi: the letter, and each disposition so far (SOP 001, penitipan.2 and .3)."""
        letter = occasion.after.letter
        action = occasion.action
        earlier = [
            body
            for body in entries(occasion)
            if body["verb"] == "approve" and occasion.procedure.step(body["step"]).documents == occasion.step.documents
        ]
        now = {
            "at": action.at.isoformat(),
            "person": action.person,
            "position": action.position,
            "to": occasion.after.step,
            "note": action.note,
        }
        rows = [self._routed(body, occasion) for body in (*earlier, now)]
        sections: list[Section] = [
            {
                "judul": "Surat masuk",
                "isi": [
                    ["Nomor surat", stated(letter, "nomor_surat")],
                    ["Tanggal surat", stated(letter, "tanggal")],
                    ["Dari", letter.get("opd") or occasion.after.unit],
                    ["Perihal", stated(letter, "perihal")],
                ],
            },
            {"judul": "Disposisi", "kolom": ["Waktu", "Dari", "Kepada", "Catatan"], "baris": rows},
        ]
        return "", sections, [self.party(action.person, action.position, on=action.at.date())]

    def _routed(self, body: Mapping[str, Any], occasion: Occasion) -> list[str]:
        """Return one disposition as a row: when, from whom, to whom, with which words."""
        at = datetime.fromisoformat(body["at"]).astimezone(self._settings.zone)
        person, position = self._people.person(body["person"]), self._people.position(body["position"])
        receivers = occasion.procedure.step(body["to"]).actors if "." in body["to"] else ()
        return [
            f"{at:%Y-%m-%d %H:%M}",
            f"{person.name} ({position.title})",
            ", ".join(occasion.procedure.actor(actor).title for actor in receivers) or "-",
            shown(body["note"]) or "untuk ditindaklanjuti",
        ]

    def hand_over(self, occasion: Occasion) -> tuple[str, list[Section], list[Party]]:
        """Return the Formulir Serah Terima Barang: features and both parties (SOP 001, penitipan.12)."""
        data = {**occasion.before.data, **occasion.action.data}
        sections = [server_section(occasion, {}), features_section(data)]
        opening = (
            f"Telah diserahkan satu server milik {shown(occasion.after.letter['opd'])} untuk dititipkan di ruang "
            f"server {self._settings.agency.name}, dengan keterangan sebagai berikut."
        )
        return opening, sections, hand_over_parties(data)

    def inventory(self, occasion: Occasion) -> tuple[str, list[Section], list[Party]]:
        """Return the Formulir Data Inventaris Server: server and network data (SOP 001, konfigurasi.7)."""
        snapshot = occasion.facts.get("snapshot")
        if not snapshot:
            raise BadInput("there is no inventory to fill in", where=occasion.step.id, mend="`inv inventory.collect`")
        action = occasion.action
        sections = [server_section(occasion, {}), *inventory_form.sections(snapshot)]
        return "", sections, [self.party(action.person, action.position, on=action.at.date())]

    def hand_back(self, occasion: Occasion) -> tuple[str, list[Section], list[Party]]:
        """Return the BAST of the return: what came, what goes, and both parties (the return procedure, row 8)."""
        data = {**occasion.before.data, **occasion.action.data}
        came = _drop_off_data(occasion)
        sections = [
            server_section(occasion, {"Tiket penitipan": stated(occasion.after.letter, "tiket_penitipan")}),
            features_section(came),
            {"judul": "Keadaan waktu dikembalikan", "isi": [["Keadaan server", stated(data, "keadaan")]]},
        ]
        opening = (
            "Pada hari ini kedua pihak menyatakan bahwa server berikut telah diperiksa terhadap Formulir Serah Terima "
            f"Barang dan dikembalikan kepada {shown(occasion.after.letter['opd'])}."
        )
        return opening, sections, hand_over_parties(data)


def server_section(occasion: Occasion, further: Mapping[str, str]) -> Section:
    """Return what the register knows of the ticket's server, and where it stands."""
    server = occasion.reader.assets.server(str(occasion.after.letter["nama_host"]))
    rows = [
        ["Nama host", server.id],
        ["Merek dan model", f"{server.brand} {server.model}"],
        ["Nomor seri", server.serial],
        ["Pemilik", stated(occasion.after.letter, "opd")],
    ]
    place = server.place
    if place is not None:
        top = place.bottom_unit + place.height - 1
        rows += [
            ["Tempat", f"rak {place.rack}, unit {place.bottom_unit} sampai {top}"],
            ["Jaringan", f"{place.switch} port {place.port}, VLAN {place.vlan}, IP {place.address}"],
        ]
    return {"judul": "Server", "isi": rows + [[label, value] for label, value in further.items()]}


def features_section(data: Mapping[str, Any]) -> Section:
    """Return specification and features as they were checked at the drop-off."""
    rows = [["Spesifikasi", stated(data, "spesifikasi")], ["Ciri-ciri", stated(data, "ciri")]]
    return {"judul": "Pemeriksaan waktu dititipkan", "isi": rows}


def hand_over_parties(data: Mapping[str, Any]) -> list[Party]:
    """Return who hands over and who receives."""
    return [
        {"sebagai": "Yang menyerahkan,", "nama": stated(data, "penyerah"), "nip": ""},
        {"sebagai": "Yang menerima,", "nama": stated(data, "penerima"), "nip": ""},
    ]


def _drop_off_data(occasion: Occasion) -> Mapping[str, Any]:
    """Return what was stated when the server came; raises BadInput (the letter names a ticket of another server)."""
    letter = occasion.after.letter
    came = occasion.reader.ticket(str(letter["tiket_penitipan"]))
    if came.letter.get("nama_host") != letter["nama_host"]:
        raise BadInput(
            f"{came.id} is not the drop-off of {letter['nama_host']}",
            where=f"{occasion.after.id} tiket_penitipan",
            mend="reject the ticket; the applicant corrects the letter",
        )
    return came.data


Fill = Callable[[Forms, Occasion], tuple[str, list[Section], list[Party]]]
"""Returns opening words, sections and parties."""

FORMS: Final[Mapping[str, tuple[str, Fill]]] = {
    "lembar-disposisi": ("Lembar Disposisi", Forms.disposition),
    "serah-terima-barang": ("Formulir Serah Terima Barang", Forms.hand_over),
    "inventaris-server": ("Formulir Data Inventaris Server", Forms.inventory),
    "bast-pengembalian": ("Berita Acara Serah Terima Pengembalian Server", Forms.hand_back),
}
"""Title and content of each form, by the name that an SOP's `dokumen` gives it."""
