"""Whatever people answer and machines do: no ticket of a shipped SOP comes to where nobody can bring it on."""

from __future__ import annotations

from pathlib import Path

import pytest

from sopauto.app import shipped_library
from sopauto.procedures.model import Procedure, StepKind
from sopauto.tickets.acting import open_from_letter
from sopauto.tickets.model import State
from tests.integration.ways.agencies import CASES
from tests.integration.ways.search import Search, Spot, Walked

ONE_OF = {("review-akses", "review.3"): {"ya", "tidak"}}
"""Rows whose answer follows from what was stated before: what the lines say is what is decided."""


def test_every_shipped_sop_is_walked() -> None:
    assert CASES.keys() == {procedure.code for procedure in shipped_library().all()}


@pytest.mark.parametrize("code", sorted(CASES))
def test_no_state_of_a_ticket_is_a_dead_end(code: str, tmp_path: Path) -> None:
    case = CASES[code](tmp_path)
    ticket = open_from_letter(case.world.desk(case.opener), case.letter, person=case.opener)
    procedure = case.world.app.library.get(code)
    search = Search(world=case.world, procedure=procedure, statements=case.statements, further=case.further)
    walked = search.from_(ticket.id)
    print(f"{code}: {len(walked.spots)} states, {sum(map(len, walked.edges.values()))} moves")
    assert _in_words(walked, walked.without_an_end()) == []
    missing = {spot.told: ways for spot in walked.spots.values() if (ways := _missing(procedure, walked, spot))}
    assert missing == {}
    reached = {spot.step for spot in walked.spots.values()}
    assert reached | {procedure.start} == {step.id for step in procedure.steps}


def _in_words(walked: Walked, spots: list[Spot]) -> list[str]:
    return [f"{spot.told}: {'; '.join(walked.refused[spot.key])}" for spot in spots]


def _missing(procedure: Procedure, walked: Walked, spot: Spot) -> set[str]:
    """Return the ways of a row by which it cannot be left from a state."""
    if spot.state is not State.OPEN:
        return set()
    step, found = procedure.step(spot.step), walked.ways(spot.key)
    if found & ONE_OF.get((procedure.code, step.id), set()):
        return set()
    wanted = {"ya", "tidak"} if step.kind is StepKind.DECISION else {"lanjut"}
    return (wanted | ({"kembali"} if step.back else set())) - found
