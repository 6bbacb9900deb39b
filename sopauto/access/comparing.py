"""Whether the doors know what the register says of every card that was ever given.

What is over and still known at a door goes back to be ended: the register shows it, and the next `access.expire` has it
to do again. Nothing else is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sopauto.access.doors.door import DoorCard, Doors
from sopauto.access.doors.listed import doors_of
from sopauto.access.effects import all_doors, door_cards
from sopauto.access.ending import RULE
from sopauto.access.model import LEAVING, OVER, Grant, State
from sopauto.access.register import BOOK
from sopauto.access_settings import Access
from sopauto.clock import Clock
from sopauto.errors import Conflict, SopautoError
from sopauto.tickets.domain import Workspace
from sopauto.tickets.storage import Store

FOUND: Final = "pintu {door} masih mengenal kartu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A card at a controller that is not as the register says, or a controller that cannot tell (card empty).

    `reopened`: the card was over, and is to be ended again.
    """

    door: str
    card: str
    told: str
    reopened: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """What holding doors against the register takes."""

    store: Store
    doors: Doors
    access: Access
    clock: Clock

    def run(self) -> Iterator[Difference]:
        """Yield what differs, card by card; a controller that cannot tell is named once and asked no more.

        Raises: BadInput (there is no controller, or none guards a zone of an active card).
        """
        with self.store.read() as reader:
            grants = reader.part(BOOK).in_states(State)
        faulty: set[str] = set()
        for grant in grants:
            yield from self._of(grant, faulty)

    def _of(self, grant: Grant, faulty: set[str]) -> Iterator[Difference]:
        wanted = door_cards(grant, self.access) if grant.state is State.ACTIVE else {}
        reopened = False
        for door in all_doors(self.access):
            if door in faulty:
                continue
            try:
                found = self.doors[door].read(grant.card)
            except SopautoError as error:
                faulty.add(door)
                yield Difference(door=door, card="", told=error.what)
                continue
            if told := _told(grant, wanted.get(door), found):
                reopened = reopened or self._reopen(grant, door, found)
                yield Difference(door=door, card=grant.card, told=told, reopened=reopened)

    def _reopen(self, grant: Grant, door: str, found: DoorCard | None) -> bool:
        """Let access that is over be ended again where a door knows its card; tell whether that was written."""
        state = OVER.get(grant.state)
        if found is None or state is None:
            return False
        now = self.clock.now()
        try:
            with self.store.write() as writer:
                fault = FOUND.format(door=door)
                book = writer.part(BOOK)
                book.move(grant, state, reason=grant.reason, fault=fault, faulty_since=now)
                book.open_span(grant.ticket, now, RULE)  # from now on it is known that the card opens a door
        except Conflict:
            return False  # somebody acts on it just now; the next comparison looks again
        return True


def _told(grant: Grant, wanted: DoorCard | None, found: DoorCard | None) -> str:
    """Return how a card differs (empty: it does not). What is on its way out may still be there."""
    if found == wanted:
        return ""
    if found is None:
        return "active, and the door does not know it"
    if wanted is None:
        on_its_way = " so far" if grant.state in LEAVING else ""
        return f"{grant.state}, and the door still knows it{on_its_way}"
    return "the door knows other zones or days than were approved"


def comparing(store: Store, workspace: Workspace) -> Comparing:
    """Return what holds the doors of a workspace against its register."""
    settings = workspace.settings
    return Comparing(store=store, doors=doors_of(settings), access=settings.access, clock=workspace.clock)
