"""Whose port may be set, in which words, and what it is to become."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from sopauto.custody.port_state import PortState
from sopauto.custody.port_work import MAX_TOLD, PortWork, refuse_foreign
from sopauto.custody.switches.platforms import NAMES
from sopauto.errors import BadInput, Refused
from tests.unit.custody.switch_in_memory import CONNECTED, FREE, SWITCH, WORK

FREE_PORTS = "free ports are access ports in VLAN 999 without a description"


def test_parameters_are_read_as_they_were_written() -> None:
    assert PortWork.from_json(WORK.as_json()) == WORK
    assert WORK.as_json() == {
        "server": "web-01",
        "ticket": "PS-2026-0001",
        "switch": {
            "id": "sw1",
            "platform": "cisco_ios",
            "host": "192.0.2.1",
            "port": 22,
            "credentials": "switch",
            "host_key": "",
        },
        "port": "Gi1/0/1",
        "vlan": 30,
        "unused_vlan": 999,
        "mac": None,
    }


def test_what_a_port_is_to_become() -> None:
    assert (WORK.target, WORK.owner) == ("sw1/Gi1/0/1", "web-01/PS-2026-0001")
    assert PortState(mode="access", vlan=30, description="web-01/PS-2026-0001", enabled=True) == CONNECTED
    assert PortState(mode="access", vlan=999, description="", enabled=False) == FREE
    never_shut = replace(WORK, switch=replace(SWITCH, platform="ovs_linux"))
    assert never_shut.disconnected() == replace(FREE, enabled=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vlan", 1),
        ("vlan", 4094),
        ("unused_vlan", 1),
        ("unused_vlan", 4094),
        ("port", "A" + "a" * 79),
        ("port", "TenGigabitEthernet1/0/1.100:2_a-b"),
        ("server", "a" * 253),
        ("server", "0.a-b"),
        ("ticket", "-"),
        ("ticket", "PSERVE-2026-12345678"),
    ],
)
def test_plain_words_and_numbers_are_taken(name: str, value: object) -> None:
    assert getattr(PortWork.from_json({**WORK.as_json(), name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("vlan", 0, "0 is no VLAN; write 1 to 4094"),
        ("vlan", 4095, "4095 is no VLAN; write 1 to 4094"),
        ("unused_vlan", 0, "0 is no VLAN; write 1 to 4094"),
        ("unused_vlan", 4095, "4095 is no VLAN; write 1 to 4094"),
        ("vlan", "30", "'30' is no VLAN; write 1 to 4094"),
        ("port", "A" + "a" * 80, f"'A{'a' * 79}' is no port; correct the assets"),
        ("port", "1/0/1", "'1/0/1' is no port; correct the assets"),
        ("server", "a" * 254, f"'{'a' * 80}' is no server; correct the assets"),
        ("server", "-a", "'-a' is no server; correct the assets"),
        ("server", "wëb", "'wëb' is no server; correct the assets"),
        ("ticket", "P-2026-0001", "'P-2026-0001' is no ticket; correct the assets"),
        ("ticket", "PSERVER-2026-0001", "'PSERVER-2026-0001' is no ticket; correct the assets"),
    ],
)
def test_anything_else_is_bad_input_that_names_the_parameter(name: str, value: object, told: str) -> None:
    with pytest.raises(BadInput, match=re.escape(f"parameter {name}: {told}") + "$"):
        PortWork.from_json({**WORK.as_json(), name: value})


def test_a_platform_that_nobody_knows_is_bad_input_that_names_the_switch() -> None:
    parameters = {**WORK.as_json(), "switch": {**WORK.as_json()["switch"], "platform": "junos"}}
    told = f"sw1: switches of the platform 'junos' are not known; use one of {', '.join(NAMES)}"
    with pytest.raises(BadInput, match=told):
        PortWork.from_json(parameters)


@pytest.mark.parametrize("state", [FREE, CONNECTED, replace(CONNECTED, vlan=40), replace(FREE, enabled=True)])
def test_a_free_port_and_the_servers_own_are_not_refused(state: PortState) -> None:
    refuse_foreign(WORK, state)


@pytest.mark.parametrize(
    ("changes", "told", "mend"),
    [
        ({"mode": "trunk", "other_lines": ("a", "b")}, "is a trunk port (a; b)", f"{FREE_PORTS}; correct the assets"),
        ({"mode": "trunk", "description": "core"}, "is a trunk port ()", f"{FREE_PORTS}; correct the assets"),
        ({"description": "core"}, "serves 'core'", "give the server another port"),
        ({"description": "core", "other_lines": ("a",)}, "serves 'core'", "give the server another port"),
        (
            {"other_lines": ("a", "b"), "vlan": 40},
            "is set to more than the template writes (a; b)",
            "take it off, or give the server another port",
        ),
        (
            {"description": WORK.owner, "other_lines": ("a",)},
            "is set to more than the template writes (a)",
            "take it off, or give the server another port",
        ),
        (
            {"vlan": 30},
            "stands in VLAN 30 and nothing says for whom",
            f"{FREE_PORTS}; free it, or choose another port",
        ),
        (
            {"vlan": None},
            "stands in VLAN None and nothing says for whom",
            f"{FREE_PORTS}; free it, or choose another port",
        ),
    ],
)
def test_any_other_port_is_refused_with_the_first_hindrance(changes: dict[str, Any], told: str, mend: str) -> None:
    with pytest.raises(Refused) as caught:
        refuse_foreign(WORK, replace(FREE, **changes))
    assert str(caught.value) == f"sw1/Gi1/0/1 {told}; {mend}"


def test_a_refusal_tells_no_more_than_a_bounded_part_of_a_ports_lines() -> None:
    with pytest.raises(Refused) as caught:
        refuse_foreign(WORK, replace(FREE, other_lines=("x" * 150, "y" * 150)))
    assert f"({'x' * 150}; {'y' * (MAX_TOLD - 152)})" in str(caught.value)
