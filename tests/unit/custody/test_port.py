"""`custody.connect` and `custody.disconnect`: what is planned, and what became of an attempt without a result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sopauto.custody.change import READING
from sopauto.custody.port import Connect, Disconnect
from sopauto.custody.port_state import PortState
from sopauto.custody.switches.base import SessionLostError
from sopauto.errors import BadInput, Refused, StepFailed
from sopauto.work import Plan, Probe, WorkOrder
from tests.unit.custody.switch_in_memory import CONNECTED, FREE, HALF, WORK, SwitchInMemory

LOST = SessionLostError("gone")


def module(switch: SwitchInMemory, kind: type[Connect | Disconnect] = Connect) -> Any:
    return kind(switch, templates=Path("none"), pause=0)


def plan(switch: SwitchInMemory, kind: type[Connect | Disconnect] = Connect, heard: list[str] | None = None) -> Plan:
    report = (heard if heard is not None else []).append
    made: Plan = module(switch, kind).plan(WORK.as_json(), report)
    return made


def order(plan: Plan | None) -> WorkOrder:
    return WorkOrder(
        ticket="PS-2026-0001",
        step="konfigurasi.1",
        attempt=1,
        person="joko",
        module="custody.connect",
        parameters=WORK.as_json(),
        targets=(WORK.target,),
        procedure_digest="",
        materials={},
        plan=plan,
    )


def quiet(_: str) -> None:
    pass


def test_a_plan_tells_the_state_before_the_lines_and_the_state_after() -> None:
    switch, heard = SwitchInMemory(), list[str]()
    made = plan(switch, heard=heard)
    assert (made.module, made.targets, made.parameters) == ("custody.connect", ("sw1/Gi1/0/1",), WORK.as_json())
    assert (made.before, made.after) == (FREE.as_json(), CONNECTED.as_json())
    assert made.lines == switch.port().lines(CONNECTED)
    assert made.diff.splitlines()[:2] == ["--- sw1/Gi1/0/1 now", "+++ sw1/Gi1/0/1 then"]
    assert heard == [f"{READING} sw1/Gi1/0/1"]
    assert switch.done == ["session", "read"]


def test_the_way_back_to_a_free_port_is_planned_by_the_other_module() -> None:
    made = plan(SwitchInMemory(running=CONNECTED), Disconnect)
    assert (made.module, made.before, made.after) == ("custody.disconnect", CONNECTED.as_json(), FREE.as_json())


@pytest.mark.parametrize(("state", "kind"), [(CONNECTED, Connect), (FREE, Disconnect)])
def test_a_port_that_is_as_wanted_needs_no_line(state: PortState, kind: type[Connect | Disconnect]) -> None:
    made = plan(SwitchInMemory(running=state), kind)
    assert (made.lines, made.diff) == ((), "")
    assert made.before == made.after


def test_a_foreign_port_is_refused_at_plan() -> None:
    switch = SwitchInMemory(running=replace(FREE, description="uplink core-1"))
    with pytest.raises(Refused, match="serves 'uplink core-1'"):
        plan(switch)


def test_a_session_that_drops_while_planning_is_a_failure() -> None:
    switch = SwitchInMemory(faults={"read": [LOST]})
    with pytest.raises(StepFailed, match=r"sw1/Gi1/0/1: the session dropped \(gone\); plan again$"):
        plan(switch)


@pytest.mark.parametrize(
    ("running", "saved", "told"),
    [
        (CONNECTED, CONNECTED, Probe.DONE),
        (FREE, FREE, Probe.NOT_BEGUN),
        (CONNECTED, FREE, Probe.NOT_BEGUN),
        (CONNECTED, HALF, Probe.NOT_BEGUN),
        (FREE, CONNECTED, Probe.NOT_BEGUN),
        (HALF, FREE, Probe.UNKNOWN),
        (HALF, HALF, Probe.UNKNOWN),
        (HALF, CONNECTED, Probe.UNKNOWN),
    ],
)
def test_the_switch_says_what_became_of_an_attempt(running: PortState, saved: PortState, told: Probe) -> None:
    made = plan(SwitchInMemory())
    switch, heard = SwitchInMemory(running=running, startup=saved), list[str]()
    assert module(switch).probe(order(made), heard.append) is told
    assert switch.done == ["session", "read", "saved"]
    assert heard == [f"{READING} sw1/Gi1/0/1"]


@pytest.mark.parametrize("at", ["read", "saved"])
def test_a_session_that_drops_while_asking_decides_nothing(at: str) -> None:
    made = plan(SwitchInMemory())
    with pytest.raises(StepFailed, match=r"sw1/Gi1/0/1: the session dropped \(gone\); run again$"):
        module(SwitchInMemory(faults={at: [LOST]})).probe(order(made), quiet)


def test_the_lines_that_are_sent_are_those_of_the_plan_and_nothing_else() -> None:
    made = plan(SwitchInMemory())
    switch, heard = SwitchInMemory(), list[str]()
    with pytest.raises(KeyError):  # the switch in memory knows no such line
        module(switch).apply(order(replace(made, lines=("interface Gi1/0/9",))), quiet)
    assert module(SwitchInMemory()).apply(order(made), heard.append).changed
    assert heard


def test_undo_brings_back_what_the_plan_began_from() -> None:
    made = plan(SwitchInMemory())
    switch = SwitchInMemory(running=HALF, startup=CONNECTED)
    assert module(switch).undo(order(made), quiet).changed
    assert (switch.running, switch.startup) == (FREE, FREE)


@pytest.mark.parametrize("act", ["apply", "probe", "undo"])
def test_without_a_plan_nothing_is_asked(act: str) -> None:
    switch = SwitchInMemory()
    with pytest.raises(BadInput, match="PS-2026-0001: the order has no plan; plan it first"):
        getattr(module(switch), act)(order(None), quiet)
    assert switch.done == []


def test_both_change_a_machine_and_carry_the_template() -> None:
    for kind in (Connect, Disconnect):
        made = module(SwitchInMemory(), kind)
        assert made.mutates is True
        (name,) = made.materials(WORK.as_json())
        assert name == "templates/cisco_ios/port.j2"
