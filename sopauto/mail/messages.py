"""The e-mails of an SOP: what the SOP's keterangan demands, in the words of a template, and whom they go to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sopauto.clock import day_in_words, moment_in_words
from sopauto.errors import BadInput, Refused
from sopauto.mail.rendering import MESSAGES, named_in, render
from sopauto.people import People, Person
from sopauto.procedures.fields import one_line
from sopauto.procedures.model import CONTACT, Field, Message, Procedure
from sopauto.settings import Settings
from sopauto.tickets.desk import Occasion
from sopauto.tickets.storage import Mail

__all__ = ["MESSAGES", "Letters", "closing", "moment", "named_in"]

MENDS: Mapping[str, str] = {
    "catatan": "say it with `--note`",
    "ip": "the server needs its place first; see `inv assets.list servers`",
}


class Letters:
    """Writes the e-mails. Fulfils `tickets.desk.Messages`."""

    def __init__(self, settings: Settings, people: People) -> None:
        self._settings = settings
        self._people = people

    def compose(self, message: Message, occasion: Occasion) -> Mail:
        """Return the e-mail.

        Raises: Refused (it lacks what the SOP demands), BadInput (no template, no addressee).
        """
        values = self._values(message, occasion)
        where = f"{occasion.before.id} {occasion.step.id}"
        for name in message.required:
            if not values.get(name):
                mend = MENDS.get(name, f"state it with `--set {name}=…`")
                raise Refused(
                    f"the message {message.template} lacks {name!r}, which the SOP demands", where=where, mend=mend
                )
        subject, body = render(message.template, values, templates=self._settings.templates)
        for name in message.required:
            if not _stands_in(values[name], body):
                raise Refused(
                    f"the text of {message.template} does not contain {name!r}, which the SOP demands",
                    where=where,
                    mend=f"add {{{{ {name} }}}} to the template",
                )
        return Mail(ticket=occasion.before.id, to=self._address(message, occasion), subject=subject, body=body)

    def _values(self, message: Message, occasion: Occasion) -> dict[str, str]:
        """Return what a template may use: letter, statements, and `tiket`, `catatan`, `ip`, `penutup`, `penerima`."""
        ticket = occasion.after
        stated = {**ticket.letter, **ticket.data, **occasion.action.data}
        kinds = {field.name: field.kind for field in _fields(occasion.procedure)}
        values = {
            name: self._told(value, kinds.get(name)) for name, value in stated.items() if isinstance(value, str | int)
        }
        values |= {
            "tiket": ticket.id,
            "catatan": one_line(occasion.action.note),
            "ip": _address_of(occasion, stated),
            "penutup": closing(self._settings, ticket.id),
        }
        if message.to != CONTACT:
            values["penerima"] = one_line(self._people.position(message.to).title)
        return values

    def _told(self, value: str | int, kind: str | None) -> str:
        """Return a value on one line; dates and moments in words, moments in the agency's time zone."""
        if kind == "tanggal":
            return day_in_words(date.fromisoformat(str(value)))
        if kind == "tanggal-jam":
            return moment(self._settings, datetime.fromisoformat(str(value)))
        return one_line(str(value))

    def _address(self, message: Message, occasion: Occasion) -> str:
        if message.to != CONTACT:
            return self._holder(message.to, occasion).email
        address = occasion.after.letter.get("kontak_email")
        if not address:
            raise BadInput(
                "the letter names no contact person's e-mail",
                where=f"{occasion.before.id} {occasion.step.id}",
                mend="the SOP's `surat` has to ask for `kontak_email`",
            )
        return str(address)

    def _holder(self, position: str, occasion: Occasion) -> Person:
        """Return who holds a position on that day; an applicant's is that of the ticket's own unit."""
        on = occasion.action.at.astimezone(self._settings.zone).date()
        applicant = occasion.procedure.actor(position).applicant
        holders = self._people.holders(position, on, unit=occasion.after.unit if applicant else None)
        if not holders:
            raise BadInput(f"nobody holds {position} on {on.isoformat()}", mend="add the holding to the people file")
        return holders[0]


def moment(settings: Settings, at: datetime) -> str:
    """Return a moment in words with its time zone; one without a zone is meant as the agency's clock shows it."""
    local = at.astimezone(settings.zone) if at.tzinfo else at.replace(tzinfo=settings.zone)
    return f"{moment_in_words(local)} {local.tzname()}"


def closing(settings: Settings, ticket: str) -> str:
    """Return the last lines of every e-mail."""
    return f"Hormat kami,\n{one_line(settings.agency.name)}\n(pesan ini dikirim oleh sopauto untuk tiket {ticket})"


def _fields(procedure: Procedure) -> Iterator[Field]:
    """Yield every field that an SOP asks for."""
    yield from procedure.letter
    for step in procedure.steps:
        yield from step.fields


def _address_of(occasion: Occasion, stated: Mapping[str, Any]) -> str:
    """Return the IP address of the ticket's server; empty while it has none."""
    for server in occasion.reader.assets.servers():
        if server.id == occasion.after.letter.get("nama_host") and server.place is not None:
            return str(server.place.address)
    place = stated.get("place")
    return str(place["address"]) if isinstance(place, Mapping) else ""


def _stands_in(value: str, body: str) -> bool:
    """Tell whether a value stands in a text as itself, not as part of a longer word or number."""
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", body) is not None
