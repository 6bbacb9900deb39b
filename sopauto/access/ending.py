"""Access that ends by rule: its last day passed, its holder left, a review got no answer (SOP 004, review, removal).

Giving access needs a work order. Taking it needs none where what was approved says so itself: the plan that officials
signed names the last day. The door comes first: a grant is over when every controller has been read back without its
card. Until then it is `ending` or `suspending`, with the fault; the next run tries again, and may be repeated at will.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sopauto.access.doors.door import Doors
from sopauto.access.doors.listed import doors_of
from sopauto.access.effects import all_doors
from sopauto.access.model import LEAVING, LIVE, Answer, Grant, State
from sopauto.access.register import BOOK
from sopauto.access_settings import Access
from sopauto.clock import Clock
from sopauto.errors import Conflict, SopautoError, StepFailed
from sopauto.people import Holding, People
from sopauto.people_sound import number
from sopauto.tickets.domain import Workspace
from sopauto.tickets.people_then import PeopleThen
from sopauto.tickets.storage import Store
from sopauto.tickets.timing import refuse_clock

RULE: Final = "aturan"
"""Who closes a door where no person does."""
EXPIRED: Final = "masa berlaku berakhir {day}"
LEFT: Final = "pemegang tidak lagi menjabat"
UNANSWERED: Final = "review {review} tidak dijawab"
LEAVES: Final = {State.ENDING: State.ENDED, State.SUSPENDING: State.SUSPENDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What became of one grant: over (`fault` empty), or why a door has not confirmed it.

    `before` is what stood in the way until now, such as a door that was found to know the card of access that was over.
    """

    grant: Grant
    fault: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What ending access by rule takes."""

    store: Store
    doors: Doors
    access: Access
    people: People
    clock: Clock

    def run(self) -> list[Removal]:
        """Mark what is due and bring it to the doors; return each grant with what became of it.

        What a door did not confirm stays due. A grant that somebody else changes meanwhile is left to them.
        Raises: Refused (the clock of this machine is behind: nothing would be due).
        """
        today = self.clock.now().date()
        with self.store.read() as reader:
            refuse_clock(reader, self.clock.now())
            expired = list(reader.part(BOOK).expired(today))
            live = list(reader.part(BOOK).in_states(LIVE))
        for grant in expired:
            assert grant.request.valid_until is not None
            self._mark(grant, State.ENDING, EXPIRED.format(day=grant.request.valid_until.isoformat()))
        gone, left = {grant.ticket for grant in expired}, self._identities_of_who_left(today)
        for grant in live:
            if grant.ticket not in gone and grant.request.identity in left:
                self._mark(grant, State.ENDING, LEFT)
        return self.to_the_doors()

    def suspend(self, review: str) -> list[Removal]:
        """Suspend what a review left unanswered; return what became of each."""
        now, reason = self.clock.now(), UNANSWERED.format(review=review)
        with self.store.write() as writer:
            for line in writer.part(BOOK).lines(review):
                if line.answer is None:
                    writer.part(BOOK).answer(review, line.grant.ticket, Answer.SUSPENDED, by=RULE, at=now)
                    if line.grant.state is State.ACTIVE:
                        writer.part(BOOK).move(line.grant, State.SUSPENDING, reason=reason)
        return self.to_the_doors()

    def to_the_doors(self) -> list[Removal]:
        """Remove from the doors what is decided; a controller that fails is not asked for the other cards."""
        with self.store.read() as reader:
            due = reader.part(BOOK).in_states(LEAVING)
        faults: dict[str, str] = {}
        return [self._remove(grant, faults) for grant in due]

    def _identities_of_who_left(self, today: date) -> set[str]:
        """Return the NIP of each person who held something by a people file, and by today's holds nothing any more.

        Who leaves may be taken out of the file: an earlier one, that entries were signed under, still knows them.
        """
        with self.store.read() as reader:
            files = [self.people, *PeopleThen(self.people, reader).backwards()]
        once = {_identity(people, holding) for people in files for holding in people.holdings}
        open_ones = [held for held in self.people.holdings if held.until is None or held.until >= today]
        return once - {_identity(self.people, held) for held in open_ones}

    def _mark(self, grant: Grant, state: State, reason: str) -> None:
        if grant.state is state:
            return
        try:
            with self.store.write() as writer:
                writer.part(BOOK).move(grant, state, reason=reason)
        except Conflict:
            return  # somebody acts on it just now; the next run looks again

    def _remove(self, grant: Grant, faults: dict[str, str]) -> Removal:
        fault = "; ".join(filter(None, (self._at(door, grant, faults) for door in all_doors(self.access))))
        now = self.clock.now()
        state = grant.state if fault else LEAVES[grant.state]
        since = (grant.faulty_since or now) if fault else None
        try:
            with self.store.write() as writer:
                writer.part(BOOK).move(grant, state, reason=grant.reason, fault=fault, faulty_since=since)
                if not fault:
                    writer.part(BOOK).close_span(grant.ticket, now, RULE)
        except Conflict as error:
            return Removal(grant=grant, fault=str(error), before=grant.fault)
        return Removal(grant=replace(grant, state=state, fault=fault), fault=fault, before=grant.fault)

    def _at(self, door: str, grant: Grant, faults: dict[str, str]) -> str:
        """Remove a card at a controller and read it back; return the fault (empty: none)."""
        if door in faults:
            return faults[door]
        controller = self.doors[door]
        try:
            controller.remove(grant.card)
            if controller.read(grant.card) is None:
                return ""
            raise StepFailed(f"door {door} still knows card {grant.card}")
        except SopautoError as error:
            faults[door] = error.what if not error.where else f"{error.where}: {error.what}"
            return faults[door]


def _identity(people: People, holding: Holding) -> str:
    return number(people.persons[holding.person].nip)


def ending(store: Store, workspace: Workspace) -> Ending:
    """Return what ends access by rule in a workspace."""
    settings = workspace.settings
    return Ending(
        store=store,
        doors=doors_of(settings),
        access=settings.access,
        people=workspace.people,
        clock=workspace.clock,
    )
