"""Overdue rows: a reminder to whom everybody waits for, later an escalation to the superior (design rule 6).

Each letter goes out once per entry of a row: a row that is entered anew is reminded of anew. The database keeps that
promise, also when a timer and a person remind at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Protocol

from sopauto.clock import Clock, OfficeHours
from sopauto.email_address import is_email
from sopauto.errors import Conflict, SopautoError
from sopauto.people import People, Person
from sopauto.procedures.model import Procedure
from sopauto.tickets.duties import next_positions
from sopauto.tickets.model import Ticket
from sopauto.tickets.storage import Kind, Mail, Reader, Reminder, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A position, and who holds it today."""

    title: str
    holders: tuple[Person, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Who gets a letter, and in which position."""

    person: Person
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A ticket whose present row is overdue: whom everybody waits for, their superiors, and the letters so far."""

    procedure: Procedure
    ticket: Ticket
    due: datetime
    seats: tuple[Seat, ...]
    superiors: tuple[Seat, ...]
    sent: Mapping[Kind, Reminder]


class Letters(Protocol):
    """Writes the letters."""

    def compose(self, kind: Kind, late: Late, to: Addressee) -> Mail:
        """Return the e-mail; raises BadInput (the template does not work)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminding:
    """What reminding takes. `escalate_after`: office days that a reminder is left to work, at least."""

    store: Store
    people: People
    clock: Clock
    hours: OfficeHours
    letters: Letters
    procedure_of: Callable[[Ticket, Reader], Procedure]
    escalate_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What became of one overdue ticket: the letter queued now, those sent before, and what stood in the way.

    `lacks` is missing in the people file, `fault` an error that left the ticket without being looked after.
    """

    ticket: str
    step: str
    due: datetime
    seats: tuple[Seat, ...] = ()
    sent: Mapping[Kind, Reminder] = field(default_factory=dict)
    queued: Reminder | None = None
    to: tuple[Addressee, ...] = ()
    lacks: tuple[str, ...] = ()
    fault: str = ""


def remind(office: Reminding) -> list[Notice]:
    """Queue each letter that is due now. What is wrong with one ticket does not keep the others waiting."""
    now = office.clock.now()
    with office.store.read() as reader:
        overdue = reader.reminders.overdue(now)
    return [_look_after(office, ticket, due, now) for ticket, due in overdue]


def _look_after(office: Reminding, ticket: Ticket, due: datetime, now: datetime) -> Notice:
    notice = Notice(ticket=ticket.id, step=ticket.step, due=due)
    try:
        late = _late(office, ticket, due, now.date())
        notice = replace(notice, seats=late.seats, sent=late.sent)
        return _write_first_possible(office, late, notice, now)
    except Conflict as conflict:
        return replace(notice, lacks=(conflict.what,))  # the next time looks again
    except SopautoError as error:
        return replace(notice, fault=str(error))


def _write_first_possible(office: Reminding, late: Late, notice: Notice, now: datetime) -> Notice:
    """Queue the first wanted letter that can reach anybody."""
    for kind, seats in _wanted(office, late, now):
        notice = replace(notice, lacks=notice.lacks + tuple(_lacks(late, seats)))
        to = _addressees(seats)
        if to:
            return replace(notice, queued=_queue(office, late, kind, to, now), to=to)
    return notice


def _wanted(office: Reminding, late: Late, now: datetime) -> Iterator[tuple[Kind, tuple[Seat, ...]]]:
    if Kind.REMINDER not in late.sent:
        yield Kind.REMINDER, late.seats
    if Kind.ESCALATION not in late.sent:
        moment = _escalation_moment(office, late)
        if moment is not None and now > moment:
            yield Kind.ESCALATION, late.superiors


def _escalation_moment(office: Reminding, late: Late) -> datetime | None:
    """Return when the superior is told: the row's own time limit later, and no earlier than `escalate_after`.

    It counts from the reminder, so that nobody is passed over because the timer stood still; where nobody could be
    reminded, from the deadline.
    """
    reminded = late.sent.get(Kind.REMINDER)
    start = reminded.queued_at if reminded else late.due
    limit = late.procedure.step(late.ticket.step).time_limit
    ends = (
        office.hours.deadline(start, limit.office_time, limit.office_days),
        office.hours.deadline(start, None, office.escalate_after),
    )
    return max((end for end in ends if end is not None), default=None)


def _queue(office: Reminding, late: Late, kind: Kind, to: Sequence[Addressee], now: datetime) -> Reminder:
    """Keep the letter and put it into the outbox in one transaction; raises Conflict."""
    ticket = late.ticket
    mails = [office.letters.compose(kind, late, addressee) for addressee in to]
    reminder = Reminder(
        ticket=ticket.id,
        step=ticket.step,
        round=ticket.rounds[ticket.step],
        kind=kind,
        to=", ".join(f"{addressee.person.name} ({addressee.title})" for addressee in to),
        queued_at=now,
    )
    with office.store.write() as writer:
        if writer.ticket(ticket.id).head != ticket.head:
            raise Conflict("somebody acted meanwhile; the next time looks again")
        writer.reminders.add(reminder)
        writer.post(mails, now)
    return reminder


def _late(office: Reminding, ticket: Ticket, due: datetime, on: date) -> Late:
    with office.store.read() as reader:
        procedure = office.procedure_of(ticket, reader)
        sent = {reminder.kind: reminder for reminder in reader.reminders.of(ticket)}
    positions = next_positions(procedure, ticket)
    superiors = {above: position for position in positions if (above := office.people.position(position).superior)}
    return Late(
        procedure=procedure,
        ticket=ticket,
        due=due,
        seats=_seats(office.people, procedure, ticket, {position: position for position in positions}, on),
        superiors=_seats(office.people, procedure, ticket, superiors, on),
        sent=sent,
    )


def _seats(
    people: People, procedure: Procedure, ticket: Ticket, wanted: Mapping[str, str], on: date
) -> tuple[Seat, ...]:
    """Return who holds the positions, each given with the actor of the SOP that it stands for or above.

    What belongs to the requesting unit is looked for in the ticket's own: another unit's head is not concerned.
    """
    officials = {actor.id for actor in procedure.actors if not actor.applicant}
    return tuple(
        Seat(
            title=people.position(position).title,
            holders=tuple(people.holders(position, on, unit=None if officials & {position, actor} else ticket.unit)),
        )
        for position, actor in wanted.items()
    )


def _addressees(seats: Iterable[Seat]) -> tuple[Addressee, ...]:
    """Return whom a letter reaches, each address once."""
    found: dict[str, Addressee] = {}
    for seat in seats:
        for person in seat.holders:
            if is_email(person.email):
                found.setdefault(person.email, Addressee(person=person, title=seat.title))
    return tuple(found.values())


def _lacks(late: Late, seats: Sequence[Seat]) -> Iterator[str]:
    """Yield what the people file lacks for a letter to these positions."""
    if not seats:
        yield f"{' and '.join(seat.title for seat in late.seats)} has no superior"
    for seat in seats:
        if not seat.holders:
            yield f"nobody holds {seat.title}"
        for person in seat.holders:
            if not is_email(person.email):
                yield f"{person.id} has no e-mail address"
