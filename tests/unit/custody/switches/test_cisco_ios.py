"""A port on Cisco IOS, in the words of its configuration: mode, VLAN, and what makes it somebody else's."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest

from sopauto.custody.port_state import PortState
from sopauto.custody.switches.base import LineRefusedError
from sopauto.custody.switches.cisco_ios.driver import SAVE_SECONDS, IosSession

PORT = "GigabitEthernet1/0/1"
ACCESS = "switchport mode access"


class Console:
    base_prompt = "sw1"

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.seconds: list[int] = []

    def send_command(self, command: str, *, read_timeout: int, **_: object) -> str:
        self.seconds.append(read_timeout)
        return self.answer


def state(lines: Sequence[str], *, after: str = "end\n") -> PortState:
    answer = f"Building configuration...\n\n!\ninterface {PORT}\n" + "".join(f" {line}\n" for line in lines) + after
    return IosSession(Console(answer), io.BytesIO()).read(PORT)


@pytest.mark.parametrize(
    ("lines", "mode"),
    [
        ([ACCESS], "access"),
        (["switchport mode trunk"], "trunk"),
        (["switchport mode dynamic desirable"], "dynamic"),
        ([], "dynamic"),
        ([ACCESS, "no switchport"], "routed"),
        ([ACCESS, "ip address 192.0.2.1 255.255.255.252"], "routed"),
        ([ACCESS, "ipv6 address 2001:db8::1/64"], "routed"),
        ([ACCESS, "channel-group 1 mode active"], "member"),
        ([ACCESS, "no switchport nonegotiate"], "routed"),
        ([ACCESS, "ip addressing"], "access"),
    ],
)
def test_what_a_port_serves_as(lines: list[str], mode: str) -> None:
    assert state(lines).mode == mode


@pytest.mark.parametrize(
    ("lines", "vlan"),
    [([], 1), (["switchport access vlan 30"], 30), (["switchport access vlan dynamic"], None)],
)
def test_without_a_line_a_port_stands_in_vlan_1(lines: list[str], vlan: int | None) -> None:
    assert state([ACCESS, *lines]).vlan == vlan


def test_whose_it_is_and_whether_it_is_shut_down() -> None:
    found = state([ACCESS, "description uplink core-1", "shutdown"])
    assert (found.description, found.enabled) == ("uplink core-1", False)
    assert (state([ACCESS]).description, state([ACCESS]).enabled) == ("", True)


@pytest.mark.parametrize(
    "line", ["switchport", "duplex auto", "speed auto", "negotiation auto", "mdix auto", "no shutdown", "description x"]
)
def test_what_the_template_writes_and_defaults_are_no_other_lines(line: str) -> None:
    assert state([ACCESS, line]).other_lines == ()


@pytest.mark.parametrize(
    "line", ["speed 100", "switchport voice vlan 40", "shutdown all", "switchport access vlan dynamic", "xswitchport"]
)
def test_any_other_line_is_kept_as_it_stands(line: str) -> None:
    assert state([ACCESS, line]).other_lines == (line,)


def test_a_missing_mode_is_told_since_no_line_shows_it() -> None:
    assert state(["shutdown"]).other_lines == ("no switchport mode",)


@pytest.mark.parametrize("after", ["end\n", "!\n speed 100\nend\n", "interface GigabitEthernet1/0/2\n speed 100\n", ""])
def test_what_stands_below_the_port_is_not_the_ports(after: str) -> None:
    assert state([ACCESS, "speed 10"], after=after).other_lines == ("speed 10",)


def test_a_message_amid_the_lines_counts_as_a_line_and_hides_none() -> None:
    found = state([ACCESS, "*Mar  1 00:03:11: %SYS-5-CONFIG_I: Configured", "channel-group 1 mode on"])
    assert found.other_lines == ("*Mar 1 00:03:11: %SYS-5-CONFIG_I: Configured", "channel-group 1 mode on")


def test_saving_is_given_the_time_that_older_switches_take() -> None:
    console = Console("[OK]")
    IosSession(console, io.BytesIO()).save()
    assert console.seconds == [SAVE_SECONDS]
    with pytest.raises(LineRefusedError, match=r"^saving failed: %Error \(No space left\)$"):
        IosSession(Console("%Error\n (No space left)\n"), io.BytesIO()).save()
