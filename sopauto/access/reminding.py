"""Reviews that nobody answers: the Kasi is reminded once, and later what is still open is suspended by rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sopauto.access.effects import REVIEWER
from sopauto.access.ending import Ending, Removal
from sopauto.access.review import Silent, silent_reviews
from sopauto.errors import Conflict
from sopauto.people import People, Person
from sopauto.tickets.storage import Kind, Mail, Reminder

Letter = Callable[[Silent, Person], Mail]
"""Writes the reminder to one person; raises BadInput."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """What became of a silent review: whom a letter goes to, or what was suspended (both may be empty)."""

    silent: Silent
    to: tuple[str, ...] = ()
    removals: tuple[Removal, ...] = ()


def remind_reviewers(ending: Ending, letter: Letter) -> list[Reminded]:
    """Remind and suspend as the settings say; return each silent review. May be repeated at will."""
    now, access = ending.clock.now(), ending.access
    found = []
    for silent in silent_reviews(ending.store):
        if silent.is_late(now, access.suspend_after):
            removals = ending.suspend(silent.ticket.id)
            found.append(Reminded(silent=silent, removals=tuple(removals)))
        elif silent.is_late(now, access.remind_after):
            found.append(Reminded(silent=silent, to=_remind(ending, silent, letter)))
        else:
            found.append(Reminded(silent=silent))
    return found


def _remind(ending: Ending, silent: Silent, letter: Letter) -> tuple[str, ...]:
    """Queue the letters, once per review; return whom they go to (nobody: they went before)."""
    ticket, now = silent.ticket, ending.clock.now()
    holders = _reviewers(ending.people, silent, ending)
    with ending.store.read() as reader:
        if reader.reminders.of(ticket) or not holders:
            return ()
    mails = [letter(silent, person) for person in holders]
    reminder = Reminder(
        ticket=ticket.id,
        step=ticket.step,
        round=ticket.rounds[ticket.step],
        kind=Kind.REMINDER,
        to=", ".join(person.name for person in holders),
        queued_at=now,
    )
    try:
        with ending.store.write() as writer:
            writer.reminders.add(reminder)
            writer.post(mails, now)
    except Conflict:
        return ()  # another process reminded at the same moment
    return tuple(person.id for person in holders)


def _reviewers(people: People, silent: Silent, ending: Ending) -> Sequence[Person]:
    return people.holders(str(silent.ticket.letter[REVIEWER]), ending.clock.now().date())
