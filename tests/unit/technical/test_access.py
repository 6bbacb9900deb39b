"""Cards at doors: what a controller says is not believed before it is read back."""

from __future__ import annotations

from datetime import date

import pytest

from sopauto.access.doors.door import DoorCard
from sopauto.access.steps import CardWork, GrantAccess, RevokeAccess
from sopauto.errors import StepFailed
from sopauto.work import Json, WorkOrder

CARD = DoorCard(card="KA-000001", zones=("ruang-server",), valid_from=date(2026, 11, 24), valid_until=None)


class Forgetful:
    """A controller that says yes to everything and does nothing."""

    def __init__(self, *cards: DoorCard) -> None:
        self._cards = {card.card: card for card in cards}

    def read(self, card: str) -> DoorCard | None:
        return self._cards.get(card)

    def put(self, card: DoorCard) -> None:
        """Say yes."""

    def remove(self, card: str) -> None:
        """Say yes."""


@pytest.mark.parametrize(
    ("kind", "knows", "wanted"), [(GrantAccess, (), CARD.as_json()), (RevokeAccess, (CARD,), None)]
)
def test_a_controller_that_says_yes_and_does_nothing_is_found_out(
    kind: type[CardWork], knows: tuple[DoorCard, ...], wanted: Json | None
) -> None:
    work = kind({"utama": Forgetful(*knows)})
    parameters = {"wanted": {"utama": {CARD.card: wanted}}}
    order = WorkOrder(
        ticket="AR-2026-0001",
        step="akses.7",
        attempt=1,
        person="wawan",
        module=kind.name,
        parameters=parameters,
        targets=("utama",),
        procedure_digest="",
        materials={},
        plan=work.plan(parameters, lambda _: None),
    )
    with pytest.raises(StepFailed, match="does not show it"):
        work.apply(order, lambda _: None)
