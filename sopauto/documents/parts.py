"""What forms are filled from: the ticket, its letter and its entries; people, agency, and the moment of the action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sopauto.assets.model import Server
from sopauto.clock import day_in_words, moment_in_words
from sopauto.errors import BadInput
from sopauto.journal.entry import read_body
from sopauto.people import People
from sopauto.procedures.fields import one_line
from sopauto.procedures.model import Field, Step
from sopauto.settings import Settings
from sopauto.technical.host_keys import fingerprint
from sopauto.tickets.desk import Occasion

Pairs = list[list[str]]
"""Labels with their values, in the order in which they are printed."""


def shown(value: object) -> str:
    """Return any value as one line of bounded length, control characters escaped."""
    return one_line(str(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """One form being filled at the completion of a step."""

    occasion: Occasion
    settings: Settings
    people: People

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

    def local(self, at: datetime) -> datetime:
        """Return a moment in the agency's time zone."""
        return at.astimezone(self.settings.zone)

    def moment(self, at: datetime) -> str:
        """Return a moment in words, with its time zone: Selasa, 24 November 2026 pukul 09.00 WIB."""
        return f"{moment_in_words(self.local(at))} {self.local(at).tzname()}"

    def entries(self, ticket: str | None = None) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield what each entry so far of this ticket (or another) says, and the key that signed it."""
        for entry in self.occasion.reader.entries(ticket or self.occasion.before.id):
            yield read_body(entry.body), entry.key

    def step(self, step_id: str) -> Step | None:
        """Return a step of the SOP (None: the name is that of an end or of a state)."""
        return next((step for step in self.occasion.procedure.steps if step.id == step_id), None)

    def stated(self, *names: str) -> Pairs:
        """Return what the letter and the actors said, labelled as the SOP labels it; what nobody said is left out."""
        values = {**self.letter, **self.data}
        fields = {field.name: field for field in self._fields()}
        return [
            [fields[name].label, self._told(fields[name], values[name])]
            for name in names
            if name in fields and values.get(name)
        ]

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

    def _told(self, field: Field, value: object) -> str:
        """Return a value as it is printed: dates in words."""
        return day_in_words(date.fromisoformat(str(value))) if field.kind == "tanggal" else shown(value)


def lacking(filling: Filling, what: str, mend: str) -> BadInput:
    """Return the error of a form that cannot be filled."""
    return BadInput(what, where=f"{filling.occasion.before.id} {filling.occasion.step.id}", mend=mend)
