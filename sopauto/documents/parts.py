"""What forms are filled from: the ticket, its letter and its entries; people, agency, and the moment of the action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sopauto.assets.model import Server
from sopauto.clock import OfficeHours, day_in_words, moment_in_words
from sopauto.errors import BadInput
from sopauto.journal.entry import read_body
from sopauto.machines.host_keys import fingerprint
from sopauto.people import People
from sopauto.procedures.fields import MAX_TEXT, one_line
from sopauto.procedures.model import Field, Step
from sopauto.settings import Agency, Settings
from sopauto.tickets.desk import Occasion

Pairs = list[list[str]]
"""Labels with their values, in the order in which they are printed."""

Body = Mapping[str, Any]
"""What an entry of the journal says (`journal.entry.KEYS`)."""

PASSED_ON: Final = frozenset({"approve", "done"})
"""Verbs by which a person passes a ticket on to the next row."""


def shown(value: object, longest: int = MAX_TEXT) -> str:
    """Return any value as one line of bounded length, control characters escaped."""
    return one_line(str(value), longest)


def letterhead(agency: Agency) -> dict[str, Any]:
    """Return what stands at the top of every form."""
    return {
        "baris": [shown(line) for line in agency.letterhead or (agency.name,)],
        "alamat": shown(agency.address),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """One form being filled at the completion of a step. Without `hours` nobody is told to be late."""

    occasion: Occasion
    settings: Settings
    people: People
    hours: OfficeHours | None = None

    @property
    def letter(self) -> Mapping[str, Any]:
        """What the ticket's letter says."""
        return self.occasion.after.letter

    @property
    def data(self) -> Mapping[str, Any]:
        """What the ticket's actors stated, with the present action."""
        return {**self.occasion.before.data, **self.occasion.action.data}

    @property
    def owner(self) -> str:
        """The name of the organisation unit that the ticket is for."""
        return shown(self.letter.get("opd") or self.people.unit(self.occasion.after.unit))

    @property
    def server(self) -> Server:
        """The server that the ticket is about; raises BadInput (the register does not know it)."""
        return self.occasion.reader.assets.server(str(self.letter["nama_host"]))

    @property
    def registered(self) -> Server | None:
        """The server that the ticket is about, where the letter names one that the register knows."""
        try:
            return self.server if self.letter.get("nama_host") else None
        except BadInput:
            return None

    def local(self, at: datetime) -> datetime:
        """Return a moment in the agency's time zone."""
        return at.astimezone(self.settings.zone)

    def moment(self, at: datetime) -> str:
        """Return a moment in words, with its time zone: Selasa, 24 November 2026 pukul 09.00 WIB."""
        return f"{moment_in_words(self.local(at))} {self.local(at).tzname()}"

    def entries(self, ticket: str | None = None) -> Iterator[tuple[Body, str]]:
        """Yield what each entry so far of this ticket (or another) says, and the key that signed it."""
        for entry in self.occasion.reader.entries(ticket or self.occasion.before.id):
            yield read_body(entry.body), entry.key

    def kept(self, name: str, ticket: str | None = None) -> str:
        """Return the SHA-256 of the document that was last kept under a name (empty: none was)."""
        documents = [document for body, _ in self.entries(ticket) for document in body["documents"]]
        return next((str(document["sha256"]) for document in reversed(documents) if document["name"] == name), "")

    def step(self, step_id: str) -> Step | None:
        """Return a step of the SOP (None: the name is that of an end or of a state)."""
        return next((step for step in self.occasion.procedure.steps if step.id == step_id), None)

    def actors(self, step_id: str) -> str:
        """Return who acts at a step, as the SOP calls them (empty: nobody, the ticket ended)."""
        step = self.step(step_id)
        return shown(", ".join(self.occasion.procedure.actor(actor).title for actor in step.actors)) if step else ""

    def stated(self, *names: str) -> Pairs:
        """Return what the letter and the actors said, labelled as the SOP labels it; what nobody said is left out."""
        fields = {field.name: field for field in self._fields()}
        rows = {field.name for step in self.occasion.procedure.steps for field in step.fields}
        # The opening leaves more among the data (`unit`, `applicant`): nobody said that.
        values = {**self.letter, **{name: value for name, value in self.data.items() if name in rows}}
        return [
            [fields[name].label, self.told(fields[name], values[name])]
            for name in names
            if name in fields and values.get(name)
        ]

    def told(self, field: Field, value: object) -> str:
        """Return a value as it is printed: dates in words."""
        return day_in_words(date.fromisoformat(str(value))) if field.kind == "tanggal" else shown(value)

    def signed(self, person: str, position: str, at: datetime, keys: Sequence[str]) -> dict[str, Any]:
        """Return an electronic signature: who, in which position, when, and with which keys."""
        who = self.people.person(person)
        return {
            "nama": shown(who.name),
            "nip": shown(who.nip),
            "jabatan": shown(self.people.position(position).title),
            "waktu": self.moment(at),
            "kunci": [fingerprint(key) for key in keys],
        }

    def signed_by(self, body: Body, key: str) -> dict[str, Any]:
        """Return the electronic signature of an entry."""
        return self.signed(body["person"], body["position"], datetime.fromisoformat(body["at"]), [key])

    def signature(self) -> dict[str, Any]:
        """Return the signature of the present action. It is made after the form: one of the person's keys of today."""
        action = self.occasion.action
        keys = self.people.keys(action.person, action.at.date())
        return self.signed(action.person, action.position, action.at, [key.public for key in keys])

    def _fields(self) -> Iterator[Field]:
        """Yield every field that the SOP asks for."""
        yield from self.occasion.procedure.letter
        for step in self.occasion.procedure.steps:
            yield from step.fields


def lacking(filling: Filling, what: str, mend: str) -> BadInput:
    """Return the error of a form that cannot be filled."""
    return BadInput(what, where=f"{filling.occasion.before.id} {filling.occasion.step.id}", mend=mend)
