"""Mending a ticket whose entries bear times of a clock that was wrong: one signed entry says which, and from there on.

Nothing is changed or hidden: the entries stay as they were signed, `ticket.verify` names the mending one. It may be
signed by whoever may act at the row where the ticket stands: they are held up by it, it gives no leave and decides
nothing, and what they do next is checked as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sopauto.errors import BadInput, Refused
from sopauto.journal.entry import Entry
from sopauto.journal.verify import CLOCK, misordered
from sopauto.tickets.contention import Seen, until_kept
from sopauto.tickets.desk import Desk
from sopauto.tickets.duties import take_position
from sopauto.tickets.machine import advance
from sopauto.tickets.model import Action, Ticket, Verb
from sopauto.tickets.record import Draft, commit
from sopauto.tickets.storage import Reader
from sopauto.tickets.timing import WAITED_FOR, at_of, refuse_ahead


def mend_clock(desk: Desk, ticket_id: str, *, person: str, note: str) -> Ticket:
    """Record which entries bear a wrong time, with a word of who says so; entries go on from the present time.

    Raises: BadInput (no word), Refused (nothing is wrong with the times, or the person may not act there), Conflict.
    """
    if not note.strip():
        raise BadInput("a word is missing on what the clock did", where="--note", mend="write it: it is signed")
    return until_kept(desk, lambda seen: _mend_once(desk, seen, ticket_id, person, note))


def _mend_once(desk: Desk, seen: Seen, ticket_id: str, person: str, note: str) -> Ticket:
    with desk.store.read() as reader:
        ticket = seen.of(reader, ticket_id)
        procedure = desk.procedure_of(ticket, reader)
        _refuse_while_running(desk, reader, ticket)
        position = take_position(procedure, ticket, Verb.CLOCK, person=person, people=desk.people, on=desk.today())
        now = desk.clock.now()
        refuse_ahead(reader, now)
        entries = reader.entries(ticket_id)
        wrong = [*misordered(entries), *_this_one(entries, ticket, now.isoformat(), desk)]
    if not wrong:
        raise Refused(f"no entry of {ticket_id} bears a time that is wrong", mend=f"see `inv ticket.show {ticket_id}`")
    action = Action(verb=Verb.CLOCK, person=person, position=position, at=now, note=note, data={CLOCK: wrong})
    transition = advance(procedure, ticket, action)
    draft = Draft(procedure=procedure, action=action, step=ticket.step, transition=transition, prev=ticket.head)
    return commit(desk, [draft])[0]


def _this_one(entries: Sequence[Entry], ticket: Ticket, now: str, desk: Desk) -> list[dict[str, Any]]:
    """Return what the mending entry says of itself: it is older than the one before, whose clock ran ahead."""
    last = at_of(entries[-1])
    if last <= desk.clock.now():
        return []
    if last - desk.clock.now() <= WAITED_FOR:
        raise Refused(f"the last entry of {ticket.id} lies seconds ahead", mend="wait so long, then go on")
    return [{"entry": ticket.entries + 1, "at": now, "before": last.isoformat()}]


def _refuse_while_running(desk: Desk, reader: Reader, ticket: Ticket) -> None:
    """Refuse while machine work of this ticket runs: its result is yet to be written behind the last entry."""
    attempts = reader.attempts(ticket.id, ticket.step)
    if attempts and attempts[-1].outcome is None and desk.workers.alive(attempts[-1].worker):
        raise Refused(f"attempt {attempts[-1].number} at {ticket.step} runs", mend="wait for its result")
