"""The time that an entry bears: never before the entry it follows, never ahead of a clock that can be asked.

An entry that breaks this makes its ticket "NOT intact" for ever, so it is refused before it is signed, and before a
machine is touched. What a machine has done by then has to be recorded all the same: it bears the time that is known
best, and says so. What other clocks did before is mended in `mending.py`.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sopauto.clock import Steady
from sopauto.errors import Refused
from sopauto.journal.entry import Entry, read_body
from sopauto.journal.verify import MENDED
from sopauto.tickets.desk import Desk
from sopauto.tickets.model import Ticket, Verb
from sopauto.tickets.storage import Reader

if TYPE_CHECKING:
    from sopauto.tickets.record import Draft

WAITED_FOR: Final = timedelta(seconds=3)
"""By how much two machines' clocks may differ: who is behind waits that long."""
AHEAD: Final = timedelta(minutes=2)
"""How far a clock may be ahead of the database server's."""
STEP: Final = timedelta(minutes=1)
"""By how much the clock may have moved otherwise than time passed while a machine was worked on."""


def moment(desk: Desk, reader: Reader, ticket: Ticket | None) -> datetime:
    """Return the time for an entry that a person is about to sign, in a ticket or (None) as its opening.

    Raises: Refused (the clock is behind the entry before, or ahead of the database server's).
    """
    before = _before(reader, ticket.id if ticket else None)
    now = desk.clock.now()
    if before is not None and timedelta() < at_of(before) - now <= WAITED_FOR:
        time.sleep((at_of(before) - now).total_seconds())
        now = desk.clock.now()
    refuse_wrong(reader, before, now)
    return now


def moment_after_work(desk: Desk, reader: Reader, ticket: Ticket, since: Steady | None) -> tuple[datetime, str]:
    """Return the time for the result of work that a machine has done, and what to say of it (empty: nothing).

    `since` was begun with the work. Nothing is refused: the work is done.
    """
    now = best = desk.clock.now()
    if since is not None and abs(since.now() - now) > STEP:
        best = since.now()
    server, before = reader.server_time(), reader.last_entry(ticket.id)
    if server is not None and best - server > AHEAD:
        best = server.astimezone(now.tzinfo).replace(microsecond=0)
    if before is not None:
        best = max(best, at_of(before).astimezone(now.tzinfo))
    if best == now:
        return now, ""
    return best, f" (the clock of this machine said {_told(now)}: the entry bears the time of the work as it is known)"


def lies_ahead(reader: Reader, ticket: Ticket, at: datetime) -> bool:
    """Tell whether a ticket's last entry is later than a moment: another one of that moment could not follow it."""
    before = reader.last_entry(ticket.id)
    return before is not None and at_of(before) > at


def refuse_misdated(desk: Desk, draft: Draft) -> None:
    """Refuse to sign an entry that would be older than the one before it, or ahead; raises Refused."""
    if draft.action.verb is Verb.CLOCK:
        return  # it is what mends this; `verify` holds what it says against the entries
    ticket_id = draft.ticket.id if draft.ticket.entries else None
    with desk.store.read() as reader:
        before = reader.last_entry(ticket_id) if ticket_id else None
        if draft.prev != (before.digest if before else reader.last_opening()):
            return  # somebody was quicker: that is a conflict, told when it is written
        refuse_wrong(reader, _before(reader, ticket_id), draft.action.at)


def refuse_clock(reader: Reader, now: datetime) -> None:
    """Refuse to go by a clock that is behind the ticket opened last, or ahead of the database server's; raises Refused.

    What is done by rule on a day signs nothing: with a wrong clock nothing would be due, or all of it.
    """
    refuse_wrong(reader, _before(reader, None), now + WAITED_FOR)


def refuse_wrong(reader: Reader, before: Entry | None, at: datetime) -> None:
    """Refuse a time that lies before the entry before, or ahead of the database server's; raises Refused."""
    refuse_ahead(reader, at)
    if before is None or at >= at_of(before):
        return
    made = _told(at_of(before).astimezone(at.tzinfo))
    what = (
        f"the clock of this machine says {_told(at)}, but entry {before.number} of {before.ticket} was made at {made}"
    )
    mend = (
        f"set the clock; if the one that made entry {before.number} ran ahead: `inv ticket.mend-clock {before.ticket}`"
    )
    raise Refused(what, mend=mend)


def refuse_ahead(reader: Reader, at: datetime) -> None:
    """Refuse a time that lies ahead of the database server's clock, where there is one; raises Refused."""
    server = reader.server_time()
    if server is not None and at - server > AHEAD:
        shown = _told(server.astimezone(at.tzinfo))
        raise Refused(
            f"the clock of this machine says {_told(at)}, that of the database server {shown}", mend="set the clock"
        )


def at_of(entry: Entry) -> datetime:
    """Return the time that an entry bears."""
    return datetime.fromisoformat(read_body(entry.body)["at"])


def _before(reader: Reader, ticket_id: str | None) -> Entry | None:
    """Return the entry that the next one of a ticket follows; for an opening that of the ticket opened last.

    An opening whose clock was mended says nothing of the time any more: the entry that mended it does.
    """
    if ticket_id is not None:
        return reader.last_entry(ticket_id)
    newest = reader.rows(limit=1)
    entries = reader.entries(newest[0].id) if newest else ()
    mending = [entry for entry in entries if read_body(entry.body)["verb"] == MENDED]
    return mending[0] if mending else (entries[0] if entries else None)


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
