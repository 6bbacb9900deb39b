"""Whether the doors know what the register says of every card that was ever given. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sopauto.access.door import DoorCard, Doors
from sopauto.access.model import Grant, State
from sopauto.access_settings import Access
from sopauto.errors import SopautoError
from sopauto.tickets.access import all_doors, door_cards
from sopauto.tickets.storage import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A card at a controller that is not as the register says, or a controller that cannot tell (card empty)."""

    door: str
    card: str
    told: str


def differences(store: Store, doors: Doors, access: Access) -> Iterator[Difference]:
    """Yield what differs, card by card; a controller that does not answer is named once and asked no more.

    Raises: BadInput (there is no controller, or none guards a zone of an active card).
    """
    with store.read() as reader:
        grants = reader.access.in_states(State)
    silent: set[str] = set()
    for grant in grants:
        wanted = door_cards(grant, access) if grant.state is State.ACTIVE else {}
        for door in all_doors(access):
            if door in silent:
                continue
            try:
                found = doors[door].read(grant.card)
            except SopautoError as error:
                silent.add(door)
                yield Difference(door=door, card="", told=error.what)
                continue
            if told := _told(grant, wanted.get(door), found):
                yield Difference(door=door, card=grant.card, told=told)


def _told(grant: Grant, wanted: DoorCard | None, found: DoorCard | None) -> str:
    """Return how a card differs (empty: it does not). What is on its way out may still be there."""
    if found == wanted:
        return ""
    if found is None:
        return "active, and the door does not know it"
    if wanted is None:
        return f"{grant.state}, and the door still knows it"
    return "the door knows other zones or days than were approved"
