"""A ticket that is done: what only reads may be run again each month, what changes a machine never."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sopauto.errors import Refused
from sopauto.procedures.model import Technical
from sopauto.tickets.desk import Desk
from sopauto.tickets.model import State
from sopauto.tickets.running import refuse_another_round
from tests.unit.tickets.test_machine import opened, step


def desk(*, mutates: bool) -> Desk:
    return cast("Desk", SimpleNamespace(modules={"m": cast("Any", SimpleNamespace(mutates=mutates))}))


def test_a_round_that_changes_a_machine_is_refused_on_a_ticket_that_is_done() -> None:
    work = Technical(modules=("m",), executor="teknisi", approver="kasi", recurring="bulanan")
    row = step(4, "teknisi", technical=work)
    done = replace(opened(), state=State.DONE)
    with pytest.raises(Refused, match=r"is done: t\.4 changes a machine"):
        refuse_another_round(desk(mutates=True), done, row)
    refuse_another_round(desk(mutates=False), done, row)
    refuse_another_round(desk(mutates=True), opened(), row)
