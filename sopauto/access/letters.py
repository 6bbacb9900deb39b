"""The letter about a review that waits for its Kasi. Fulfils `tickets.access_reminding.Letter`."""

from __future__ import annotations

from datetime import timedelta

from sopauto.access.review import Silent
from sopauto.clock import day_in_words
from sopauto.mail.messages import closing, moment
from sopauto.mail.rendering import REVIEW, render
from sopauto.people import Person
from sopauto.procedures.fields import one_line
from sopauto.settings import Settings
from sopauto.tickets.storage import Mail


def review_letter(settings: Settings, silent: Silent, to: Person) -> Mail:
    """Return the e-mail; raises BadInput (the template does not work)."""
    last = silent.since.astimezone(settings.zone).date() + timedelta(days=settings.access.suspend_after)
    values = {
        "tiket": silent.ticket.id,
        "penerima": one_line(to.name),
        "jumlah": str(len(silent.lines)),
        "sejak": moment(settings, silent.since),
        "batas_waktu": day_in_words(last),
        "penutup": closing(settings, silent.ticket.id),
    }
    subject, body = render(REVIEW, values, templates=settings.templates)
    return Mail(ticket=silent.ticket.id, to=to.email, subject=subject, body=body)
