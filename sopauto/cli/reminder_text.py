"""How reminders of overdue rows are told to a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sopauto.cli.console import print_json, table
from sopauto.cli.ticket_text import local, moment

if TYPE_CHECKING:
    from sopauto.app import App
    from sopauto.tickets.reminding import Notice, Seat


def tell_reminders(here: App, notices: Sequence[Notice], *, json: bool) -> None:
    """Print each overdue ticket: whom everybody waits for, since when, what was queued and what stood in the way."""
    if json:
        print_json([_as_json(here, notice) for notice in notices])
        return
    rows = [
        [
            notice.ticket,
            notice.step,
            " or ".join(map(_seat, notice.seats)) or "-",
            moment(local(here, notice.due)),
            _told(here, notice),
        ]
        for notice in notices
    ]
    table(["ticket", "row", "who", "due since", "queued"], rows, empty="nothing is overdue")


def _seat(seat: Seat) -> str:
    return f"{seat.title} ({', '.join(person.id for person in seat.holders) or 'nobody'})"


def _told(here: App, notice: Notice) -> str:
    """Return in words what was queued now, otherwise what was sent before; then what stood in the way."""
    if notice.queued:
        told = [f"{notice.queued.kind} to {', '.join(addressee.person.id for addressee in notice.to)}"]
    else:
        before = [f"{letter.kind} of {moment(local(here, letter.queued_at))}" for letter in notice.sent.values()]
        told = [f"nothing new ({', '.join(before)})" if before else "nothing"]
    return "; ".join([*told, *notice.lacks, *([notice.fault] if notice.fault else [])])


def _as_json(here: App, notice: Notice) -> dict[str, Any]:
    return {
        "ticket": notice.ticket,
        "step": notice.step,
        "who": [_seat(seat) for seat in notice.seats],
        "due": local(here, notice.due),
        "queued": notice.queued.kind.value if notice.queued else None,
        "to": [addressee.person.email for addressee in notice.to],
        "before": {kind.value: local(here, letter.queued_at) for kind, letter in notice.sent.items()},
        "lacks": list(notice.lacks),
        "fault": notice.fault or None,
    }
