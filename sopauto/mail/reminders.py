"""Reminders of overdue steps: to whom everybody waits for, and to the superior of that position (design rule 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sopauto.mail.messages import closing, moment
from sopauto.mail.rendering import REMINDER, render
from sopauto.people import People
from sopauto.procedures.fields import one_line
from sopauto.procedures.model import Procedure
from sopauto.settings import Settings
from sopauto.tickets.duties import next_positions
from sopauto.tickets.model import Ticket
from sopauto.tickets.storage import Mail


class Reminders:
    """Writes reminders."""

    def __init__(self, settings: Settings, people: People) -> None:
        self._settings = settings
        self._people = people

    def overdue(self, procedure: Procedure, ticket: Ticket, *, due: datetime, now: datetime) -> Sequence[Mail]:
        """Return one e-mail for each person concerned; none while the step is not overdue."""
        if now <= due:
            return ()
        found = {address: title for title, address in self._concerned(procedure, ticket, now)}
        return [self._mail(procedure, ticket, due, address, title) for address, title in found.items()]

    def _concerned(self, procedure: Procedure, ticket: Ticket, now: datetime) -> Iterator[tuple[str, str]]:
        """Yield title and e-mail address of who is next, and of their superiors."""
        on = now.astimezone(self._settings.zone).date()
        applicants = {actor.id for actor in procedure.actors if actor.applicant}
        for position in next_positions(procedure, ticket):
            superior = self._people.position(position).superior
            for concerned in (position, superior) if superior else (position,):
                unit = ticket.unit if concerned in applicants else None
                title = one_line(self._people.position(concerned).title)
                yield from ((title, holder.email) for holder in self._people.holders(concerned, on, unit=unit))

    def _mail(self, procedure: Procedure, ticket: Ticket, due: datetime, address: str, title: str) -> Mail:
        step = procedure.step(ticket.step)
        values = {
            "tiket": ticket.id,
            "sop": one_line(procedure.head.name),
            "baris": step.id,
            "kegiatan": one_line(step.text),
            "sejak": moment(self._settings, ticket.since),
            "batas_waktu": moment(self._settings, due),
            "penerima": title,
            "penutup": closing(self._settings, ticket.id),
        }
        subject, body = render(REMINDER, values, templates=self._settings.templates)
        return Mail(ticket=ticket.id, to=address, subject=subject, body=body)
