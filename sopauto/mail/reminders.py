"""The letters about overdue rows. Fulfils `tickets.reminding.Letters`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sopauto.mail.messages import closing, moment
from sopauto.mail.rendering import ESCALATION, REMINDER, render
from sopauto.procedures.fields import one_line
from sopauto.settings import Settings
from sopauto.tickets.reminding import Addressee, Late, Seat
from sopauto.tickets.storage import Kind, Mail

TEMPLATES: Final[Mapping[Kind, str]] = {Kind.REMINDER: REMINDER, Kind.ESCALATION: ESCALATION}


class ReminderLetters:
    """Writes reminders and escalations."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def compose(self, kind: Kind, late: Late, to: Addressee) -> Mail:
        """Return the e-mail; raises BadInput (the template does not work)."""
        subject, body = render(TEMPLATES[kind], self._values(late, to), templates=self._settings.templates)
        return Mail(ticket=late.ticket.id, to=to.person.email, subject=subject, body=body)

    def _values(self, late: Late, to: Addressee) -> dict[str, str]:
        ticket = late.ticket
        step = late.procedure.step(ticket.step)
        return {
            "tiket": ticket.id,
            "sop": one_line(late.procedure.head.name),
            "baris": step.id,
            "kegiatan": one_line(step.text),
            "sejak": moment(self._settings, ticket.since),
            "batas_waktu": moment(self._settings, late.due),
            "penerima": one_line(to.title),
            "pelaksana": _named(late.seats),
            "diingatkan": self._reminded(late),
            "penutup": closing(self._settings, ticket.id),
        }

    def _reminded(self, late: Late) -> str:
        """Return who was reminded when; empty while nobody was."""
        reminder = late.sent.get(Kind.REMINDER)
        return f"{one_line(reminder.to)} pada {moment(self._settings, reminder.queued_at)}" if reminder else ""


def _named(seats: Iterable[Seat]) -> str:
    """Return positions and the names of who holds them."""
    return one_line(
        "; ".join(
            f"{seat.title} ({', '.join(person.name for person in seat.holders) or 'belum ada pejabatnya'})"
            for seat in seats
        )
    )
