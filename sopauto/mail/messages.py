"""The e-mails of an SOP: a template, what the SOP's keterangan demands, and whom it goes to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sopauto.clock import moment_in_words
from sopauto.errors import BadInput, Refused
from sopauto.people import People
from sopauto.procedures.fields import unseen, visible
from sopauto.procedures.model import CONTACT, Message
from sopauto.settings import Settings
from sopauto.tickets.desk import Occasion
from sopauto.tickets.storage import Mail

SHIPPED: Final = Path(__file__).parent / "templates"
SUFFIX: Final = ".txt.j2"


def named_in(folder: Path) -> frozenset[str]:
    """Return the names of the e-mail templates in a folder."""
    return frozenset(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))


MESSAGES: Final = named_in(SHIPPED)
"""The templates that are shipped; an agency's own, in `templates/mail/`, win."""


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
        for name in message.required:
            if not values.get(name):
                raise Refused(
                    f"the message {message.template} lacks {name!r}, which the SOP demands",
                    where=f"{occasion.before.id} {occasion.step.id}",
                    mend="say it with `--note`" if name == "catatan" else f"state it with `--set {name}=…`",
                )
        subject, body = self._rendered(message.template, values)
        for name in message.required:
            if str(values[name]) not in body:
                raise Refused(
                    f"the text of {message.template} does not contain {name!r}, which the SOP demands",
                    where=f"{occasion.before.id} {occasion.step.id}",
                    mend=f"add {{{{ {name} }}}} to the template",
                )
        return Mail(ticket=occasion.before.id, to=self._address(message, occasion), subject=subject, body=body)

    def _values(self, message: Message, occasion: Occasion) -> dict[str, Any]:
        ticket, agency = occasion.after, self._settings.agency
        stated = {**ticket.letter, **ticket.data, **occasion.action.data}
        place = stated.get("place")
        values = {name: _told(value) for name, value in stated.items() if isinstance(value, str | int)}
        values |= {
            "tiket": ticket.id,
            "catatan": _told(occasion.action.note),
            "ip": place["address"] if isinstance(place, Mapping) else _address_of(occasion),
            "penutup": f"Hormat kami,\n{agency.name}\n(pesan ini dikirim oleh sopauto untuk tiket {ticket.id})",
        }
        if message.to != CONTACT:
            values["penerima"] = self._people.position(message.to).title
        return values

    def _rendered(self, template: str, values: Mapping[str, Any]) -> tuple[str, str]:
        """Return subject and body. Values are data: a template inside one is not looked at."""
        from jinja2 import StrictUndefined, TemplateError
        from jinja2.sandbox import SandboxedEnvironment

        path = self._path(template)
        environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)
        try:
            text = environment.from_string(path.read_text()).render(values)
        except TemplateError as error:
            raise BadInput(f"the template does not work: {error}", where=str(path), mend="correct it") from None
        subject, _, body = text.partition("\n")
        return subject.strip(), body.strip() + "\n"

    def _path(self, template: str) -> Path:
        for folder in (self._settings.templates / "mail", SHIPPED):
            path = folder / f"{template}{SUFFIX}"
            if path.is_file():
                return path
        raise BadInput(f"there is no e-mail template {template!r}", mend=f"known: {', '.join(sorted(MESSAGES))}")

    def _address(self, message: Message, occasion: Occasion) -> str:
        if message.to == CONTACT:
            return str(occasion.after.letter["kontak_email"])
        on = occasion.action.at.date()
        applicant = occasion.procedure.actor(message.to).applicant
        holders = self._people.holders(message.to, on, unit=occasion.after.unit if applicant else None)
        if not holders:
            raise BadInput(f"nobody holds {message.to} on {on.isoformat()}", mend="add the holding to the people file")
        return holders[0].email


def _address_of(occasion: Occasion) -> str:
    """Return the IP address of the ticket's server; empty while it has none."""
    for server in occasion.reader.assets.servers():
        if server.id == occasion.after.letter.get("nama_host") and server.place is not None:
            return str(server.place.address)
    return ""


def _told(value: str | int) -> str:
    """Return a value on one line, a moment as an official writes it."""
    text = str(value)
    try:
        at = datetime.fromisoformat(text) if len(text) >= len("2026-11-24T09:00") else None
    except ValueError:
        at = None
    if at is not None:
        return moment_in_words(at)
    return text if unseen(text) is None else visible(text)
