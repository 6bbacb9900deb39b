"""A port on its switch: reconnecting, and what the agency's own template makes of its state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sopauto.custody import live_port
from sopauto.custody.live_port import LivePort
from sopauto.custody.switches.base import SessionLostError
from sopauto.errors import Refused, StepFailed
from tests.unit.custody.switch_in_memory import CONNECTED, FREE, WORK, SwitchInMemory

OWN = "interface {{ port }}\nspanning-tree portfast\n{% if enabled %}storm-control on{% else %}shutdown{% endif %}\n"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "switch" / "cisco_ios" / "port.j2"
    file.parent.mkdir(parents=True)
    file.write_text(OWN)
    return tmp_path


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr(live_port.time, "sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("failed", [0, 1, 3])
def test_a_session_after_a_drop_may_take_four_tries(slept: list[float], failed: int) -> None:
    away = [StepFailed("away"), SessionLostError("away"), StepFailed("away")]
    switch = SwitchInMemory(faults={"session": away[:failed]})
    with LivePort(WORK, switch, templates=Path("none"), pause=0.5).session_again() as session:
        assert session.read(WORK.port) == FREE
    assert switch.done == [*["session"] * (failed + 1), "read"]
    assert slept == [0.5] * failed


def test_the_fifth_try_is_not_made(slept: list[float]) -> None:
    switch = SwitchInMemory(faults={"session": [StepFailed(f"away {n}") for n in range(9)]})
    with pytest.raises(StepFailed, match="away 3"), switch.port().session_again():
        pass
    assert len(switch.done) == 4
    assert len(slept) == 3


def test_who_may_not_log_in_does_not_try_again(slept: list[float]) -> None:
    switch = SwitchInMemory(faults={"session": [Refused("somebody else changes sw1 now")]})
    with pytest.raises(Refused), switch.port().session_again():
        pass
    assert (switch.done, slept) == (["session"], [])


def test_a_fault_of_the_work_in_a_session_is_not_taken_for_a_login_that_failed(slept: list[float]) -> None:
    switch = SwitchInMemory()
    with pytest.raises(SessionLostError, match="in the work"), switch.port().session_again():
        raise SessionLostError("in the work")
    assert (switch.done, slept) == (["session"], [])


def test_what_the_agencys_own_template_writes_on_either_way_is_no_foreign_line(own: Path) -> None:
    lines = ("spanning-tree portfast", "storm-control on", "no cdp enable")
    switch = SwitchInMemory(running=replace(FREE, other_lines=lines), startup=replace(CONNECTED, other_lines=lines[:2]))
    port = switch.port(own)
    assert port.running(switch) == replace(FREE, other_lines=("no cdp enable",))
    assert port.saved(switch) == CONNECTED
    assert switch.port().running(switch) == switch.running


def test_its_lines_are_those_of_the_agencys_own_template(own: Path) -> None:
    port = SwitchInMemory().port(own)
    assert port.lines(CONNECTED) == ("interface Gi1/0/1", "spanning-tree portfast", "storm-control on")
    assert port.lines(FREE) == ("interface Gi1/0/1", "spanning-tree portfast", "shutdown")
    assert port.target == "sw1/Gi1/0/1"
