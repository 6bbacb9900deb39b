"""One change of one port: whatever goes wrong, it is as before, as approved, or its outcome is called unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sopauto.custody.change import (
    READING,
    RECONNECTING,
    RESTORING,
    SAVED,
    SAVING,
    SENDING,
    VERIFYING,
    Change,
)
from sopauto.custody.switches.base import SENT, LineRefusedError, SessionLostError
from sopauto.errors import BadInput, OutcomeUnknown, Refused, Stale, StepFailed
from sopauto.work import Result
from tests.unit.custody.switch_in_memory import CONNECTED, FREE, HALF, WORK, SwitchInMemory

LOST = SessionLostError("gone")
REFUSED = LineRefusedError("% Invalid input")


def change(switch: SwitchInMemory, heard: list[str] | None = None) -> Change:
    report = (heard if heard is not None else []).append
    return Change(switch.port(), before=FREE, after=CONNECTED, ticket="PS-2026-0001", report=report)


def apply(switch: SwitchInMemory, heard: list[str] | None = None) -> Result:
    return change(switch, heard).apply(switch.port().lines(CONNECTED))


def undo(switch: SwitchInMemory, heard: list[str] | None = None) -> Result:
    return change(switch, heard).undo()


def test_a_port_is_read_set_read_back_saved_and_the_saved_state_read() -> None:
    switch, heard = SwitchInMemory(), list[str]()
    result = apply(switch, heard)
    assert switch.done == ["session", "read", "send", "read", "save", "saved"]
    assert heard == [
        f"{READING} sw1/Gi1/0/1",
        f"{SENDING} 5 lines to sw1/Gi1/0/1",
        f"{SENT}: interface Gi1/0/1",
        f"{VERIFYING} sw1/Gi1/0/1",
        SAVING,
        SAVED,
    ]
    assert result.changed
    assert result.summary == "sw1/Gi1/0/1 (VLAN 30): set, read back and saved"
    assert result.facts == {"port": "sw1/Gi1/0/1", "before": FREE.as_json(), "after": CONNECTED.as_json()}
    (log,) = result.artifacts
    assert (log.name, log.media_type, log.content) == ("sesi-switch.log", "text/plain", b"log 6")


def test_a_port_that_is_as_approved_already_is_saved_and_nothing_is_sent() -> None:
    switch, heard = SwitchInMemory(running=CONNECTED), list[str]()
    result = apply(switch, heard)
    assert switch.done == ["session", "read", "read", "save", "saved"]
    assert not result.changed
    assert result.summary == "sw1/Gi1/0/1 (VLAN 30): already as wanted; nothing was sent"
    assert result.facts["before"] == CONNECTED.as_json()
    assert switch.startup == CONNECTED


def test_a_state_that_the_approver_did_not_see_ends_it_before_a_line_is_sent() -> None:
    switch = SwitchInMemory(running=replace(FREE, vlan=40))
    with pytest.raises(Stale, match="sw1/Gi1/0/1 is not as the approver saw it: vlan is 40 instead of 999") as caught:
        apply(switch)
    assert caught.value.where == "PS-2026-0001"
    assert "`inv ticket.plan PS-2026-0001`" in caught.value.mend
    assert switch.done == ["session", "read"]


def test_a_port_that_is_gone_before_a_line_was_sent_is_bad_input() -> None:
    switch = SwitchInMemory(faults={"read": [BadInput("there is no port")]})
    with pytest.raises(BadInput, match="there is no port"):
        apply(switch)
    assert switch.done == ["session", "read"]


def test_a_switch_that_nobody_may_use_now_is_left_alone() -> None:
    switch = SwitchInMemory(faults={"session": [Refused("somebody else changes sw1 now")]})
    with pytest.raises(Refused, match="somebody else"):
        apply(switch)
    assert switch.done == ["session"]


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ({"send": [REFUSED]}, "% Invalid input"),
        ({"read": [None, BadInput("there is no port")]}, "there is no port"),
        ({"send": [HALF]}, "sw1/Gi1/0/1 is not as approved: vlan is 999 instead of 30, enabled is False instead"),
        ({"save": [REFUSED]}, "% Invalid input"),
        ({"save": [FREE]}, "sw1/Gi1/0/1 was not saved: vlan is 999 instead of 30, description is ''"),
        ({"saved": [HALF]}, "sw1/Gi1/0/1 was not saved: vlan is 999"),
    ],
)
def test_a_fault_while_the_session_holds_restores_the_port_and_its_saved_state(
    faults: dict[str, list[Any]], why: str
) -> None:
    switch, heard = SwitchInMemory(half=HALF, faults=faults), list[str]()
    with pytest.raises(StepFailed, match=r"; the port is as before; see sesi-switch\.log") as caught:
        apply(switch, heard)
    assert str(caught.value).startswith(f"sw1/Gi1/0/1: {why}")
    assert (switch.running, switch.startup) == (FREE, FREE)
    assert RESTORING in heard
    assert switch.done.count("session") == 2
    assert caught.value.mend == "see sesi-switch.log, then run again"
    (log,) = caught.value.evidence
    assert len(log.content.decode().split("\n")) == 2  # of both sessions


def test_the_way_back_sends_and_saves_nothing_where_nothing_differs() -> None:
    switch = SwitchInMemory(half=FREE, faults={"send": [REFUSED]})
    with pytest.raises(StepFailed, match="the port is as before"):
        apply(switch)
    assert switch.done == ["session", "read", "send", "session", "read", "saved", "read", "saved"]


def test_the_way_back_saves_what_only_the_saved_state_differs_in() -> None:
    switch = SwitchInMemory(startup=CONNECTED, half=FREE, faults={"send": [REFUSED]})
    with pytest.raises(StepFailed, match="the port is as before"):
        apply(switch)
    assert switch.done[3:] == ["session", "read", "saved", "save", "read", "saved"]
    assert switch.startup == FREE


@pytest.mark.parametrize(
    ("faults", "differs"),
    [
        ({"send": [REFUSED], "save": [CONNECTED]}, "vlan is 30 instead of 999"),  # right now, wrong after a restart
        ({"send": [REFUSED, HALF], "save": [FREE]}, "description is 'web-01/PS-2026-0001' instead of ''"),
        ({"send": [REFUSED, HALF]}, "description is 'web-01/PS-2026-0001' instead of ''"),
    ],
)
def test_a_port_that_is_wrong_now_or_after_a_restart_is_never_called_as_before(
    faults: dict[str, list[Any]], differs: str
) -> None:
    switch = SwitchInMemory(startup=CONNECTED, half=HALF, faults=faults)
    with pytest.raises(OutcomeUnknown, match="% Invalid input; the way back did not hold: ") as caught:
        apply(switch)
    assert differs in str(caught.value)
    assert "`inv ticket.settle PS-2026-0001`" in caught.value.mend
    assert caught.value.evidence[0].content.count(b"log") == 2


@pytest.mark.parametrize(
    "faults",
    [
        {"send": [REFUSED, LineRefusedError("again")]},
        {"send": [REFUSED, SessionLostError("again")]},
        {"send": [REFUSED], "read": [None, BadInput("again")]},
        {"send": [REFUSED], "saved": [SessionLostError("again")]},
        {"send": [REFUSED], "session": [None, Refused("again")]},
        {"send": [REFUSED], "session": [None, *[StepFailed("again")] * 4]},
    ],
)
def test_a_way_back_that_fails_is_unknown(faults: dict[str, list[Any]]) -> None:
    switch = SwitchInMemory(half=HALF, faults=faults)
    with pytest.raises(OutcomeUnknown, match="% Invalid input; the way back failed: again"):
        apply(switch)


def test_a_session_that_dropped_before_anything_was_changed_is_a_failure() -> None:
    switch, heard = SwitchInMemory(faults={"send": [LOST]}), list[str]()
    with pytest.raises(StepFailed, match=r"the session dropped before anything was changed \(gone\)") as caught:
        apply(switch, heard)
    assert heard[-1] == RECONNECTING
    assert switch.done == ["session", "read", "send", "session", "read"]
    assert caught.value.evidence[0].content == b"log 3\nlog 5"


def test_a_session_that_dropped_after_the_last_line_is_finished() -> None:
    switch, heard = SwitchInMemory(half=CONNECTED, faults={"send": [LOST]}), list[str]()
    result = apply(switch, heard)
    assert result.changed
    assert result.facts["before"] == FREE.as_json()
    assert switch.done[3:] == ["session", "read", "read", "save", "saved"]
    assert heard[-1] == SAVED
    assert switch.startup == CONNECTED


def test_a_session_that_dropped_in_the_middle_is_brought_back() -> None:
    switch, heard = SwitchInMemory(half=HALF, faults={"send": [LOST]}), list[str]()
    with pytest.raises(StepFailed, match="gone; the port is as before"):
        apply(switch, heard)
    assert heard[-3:-1] == [RECONNECTING, RESTORING]
    assert (switch.running, switch.startup) == (FREE, FREE)


@pytest.mark.parametrize(
    ("half", "faults"),
    [
        (CONNECTED, {"session": [None, *[StepFailed("away")] * 4]}),
        (CONNECTED, {"session": [None, Refused("away")]}),
        (CONNECTED, {"read": [None, SessionLostError("away")]}),
        (CONNECTED, {"save": [LineRefusedError("away")]}),
        (CONNECTED, {"saved": [SessionLostError("away")]}),
        (FREE, {"read": [None, BadInput("away")]}),
    ],
)
def test_what_cannot_be_read_after_a_drop_is_unknown(half: Any, faults: dict[str, list[Any]]) -> None:
    switch = SwitchInMemory(half=half, faults={"send": [LOST], **faults})
    with pytest.raises(OutcomeUnknown, match="gone; then away"):
        apply(switch)
    assert switch.done.count("send") == 1


@pytest.mark.parametrize("found", [CONNECTED, HALF, replace(FREE, description="changed on the console")])
def test_undo_comes_from_any_state(found: Any) -> None:
    switch = SwitchInMemory(running=found, startup=found)
    result = undo(switch)
    assert (switch.running, switch.startup) == (FREE, FREE)
    assert result.changed
    assert result.summary == "sw1/Gi1/0/1 (VLAN 999, shut down): set, read back and saved"
    assert (result.facts["before"], result.facts["after"]) == (found.as_json(), FREE.as_json())


def test_undo_of_what_never_happened_saves_and_sends_nothing() -> None:
    switch = SwitchInMemory(startup=CONNECTED)
    assert not undo(switch).changed
    assert switch.done == ["session", "read", "read", "save", "saved"]
    assert switch.startup == FREE


@pytest.mark.parametrize("fault", [REFUSED, LOST, HALF])
def test_an_undo_that_cannot_be_proven_is_unknown(fault: Any) -> None:
    switch = SwitchInMemory(running=CONNECTED, half=HALF, faults={"send": [fault]})
    with pytest.raises(OutcomeUnknown, match=r"the way back failed: (%|gone|sw1)") as caught:
        undo(switch)
    assert caught.value.where == WORK.target
    assert caught.value.evidence[0].content.startswith(b"log")
