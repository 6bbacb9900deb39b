"""What a port is set to: as plans keep it, as differences tell it, without what a template writes."""

from __future__ import annotations

from dataclasses import replace

from sopauto.custody.port_state import PortState, difference, say_difference
from tests.unit.custody.switch_in_memory import CONNECTED, FREE


def test_a_state_is_read_as_it_was_written() -> None:
    state = replace(CONNECTED, other_lines=("no cdp enable", "speed 100"))
    assert state.as_json() == {
        "mode": "access",
        "vlan": 30,
        "description": "web-01/PS-2026-0001",
        "enabled": True,
        "other_lines": ["no cdp enable", "speed 100"],
    }
    assert PortState.from_json(state.as_json()) == state
    assert PortState.from_json(FREE.as_json()) == FREE


def test_plans_of_before_other_lines_were_kept_are_read() -> None:
    old = {name: value for name, value in CONNECTED.as_json().items() if name != "other_lines"}
    assert PortState.from_json(old) == CONNECTED


def test_lines_and_settings_that_a_template_writes_are_left_out() -> None:
    lines = ("no cdp enable", "protected=true", "qos=gold", "cdp", "true")
    state = replace(FREE, other_lines=lines)
    assert state.without(["no cdp enable", "set port tap1 protected=true tag=30"]) == replace(
        FREE, other_lines=("qos=gold", "cdp", "true")
    )
    assert state.without([]) == state
    assert state.other_lines == lines


def test_a_difference_shows_each_setting_before_and_after() -> None:
    assert difference("sw1/Gi1/0/1", FREE, CONNECTED).splitlines() == [
        "--- sw1/Gi1/0/1 now",
        "+++ sw1/Gi1/0/1 then",
        "@@ -1,4 +1,4 @@",
        " mode: access",
        "-vlan: 999",
        "-description: ",
        "-enabled: False",
        "+vlan: 30",
        "+description: web-01/PS-2026-0001",
        "+enabled: True",
    ]
    assert difference("sw1/Gi1/0/1", FREE, FREE) == ""
    assert "+other_lines: ['speed 100']" in difference("x", FREE, replace(FREE, other_lines=("speed 100",)))


def test_a_difference_in_words_names_only_what_differs() -> None:
    assert say_difference(FREE, FREE) == ""
    assert say_difference(FREE, replace(FREE, vlan=30)) == "vlan is 999 instead of 30"
    assert say_difference(replace(CONNECTED, mode="trunk", enabled=False), CONNECTED) == (
        "mode is 'trunk' instead of 'access', enabled is False instead of True"
    )
