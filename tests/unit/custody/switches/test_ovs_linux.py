"""A port on Open vSwitch, in the words of its database (3.1): what counts as free, and what is refused."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sopauto.assets.model import Switch
from sopauto.custody.port import Connect, Disconnect
from sopauto.custody.switches.base import Session
from sopauto.custody.switches.ovs_linux.driver import OvsSession
from sopauto.errors import BadInput, Refused
from sopauto.work import Json

INTERFACE = "08227261-e451-4720-ae30-85f673f15d6f"
OTHER = "42c1a3be-93c1-4a5c-8b7e-0d0ad2a2a0f1"
UNSET: list[Any] = ["set", []]
EMPTY: list[Any] = ["map", []]
FREE_PORT = {
    "_uuid": ["uuid", "8736a6c0-c61e-4556-8272-74c9d7878929"],
    "bond_active_slave": UNSET,
    "bond_downdelay": 0,
    "bond_fake_iface": False,
    "bond_mode": UNSET,
    "bond_updelay": 0,
    "cvlans": UNSET,
    "external_ids": EMPTY,
    "fake_bridge": False,
    "interfaces": ["uuid", INTERFACE],
    "lacp": UNSET,
    "mac": UNSET,
    "name": "tap1",
    "other_config": EMPTY,
    "protected": False,
    "qos": UNSET,
    "rstp_statistics": EMPTY,
    "rstp_status": EMPTY,
    "statistics": ["map", [["rx_packets", 12]]],
    "status": ["map", [["stp_state", "forwarding"]]],
    "tag": 999,
    "trunks": UNSET,
    "vlan_mode": "access",
}
FREE_INTERFACE = {"type": "", "options": EMPTY, "external_ids": EMPTY}
OWN = ["map", [["sopauto", "web-01/PS-2026-0001"]]]


@dataclass(slots=True)
class Shell:
    """A login on the switch that answers with rows of its database."""

    port: Mapping[str, Any]
    interface: Mapping[str, Any]
    base_prompt: str = "sopsw0"
    asked: list[str] = field(default_factory=list)

    def send_command(self, command: str, **_: object) -> str:
        """Return what the shell prints."""
        self.asked.append(command)
        rows = {"list port tap1": self.port, f"list interface {INTERFACE}": self.interface}
        row = next((row for question, row in rows.items() if question in command), None)
        if row is None:
            return 'ovs-vsctl: no row "tap9" in table Port\nstatus=1'
        return json.dumps({"data": [list(row.values())], "headings": list(row)}) + "\nstatus=0"


@dataclass(frozen=True, slots=True)
class Switches:
    shell: Shell

    @contextmanager
    def session(self, switch: Switch) -> Iterator[Session]:
        yield OvsSession(self.shell, io.BytesIO())


def plan(shell: Shell, *, port: str = "tap1", module: type[Connect | Disconnect] = Connect) -> Json:
    parameters = {
        "server": "web-01",
        "ticket": "PS-2026-0001",
        "switch": {
            "id": "sw1",
            "platform": "ovs_linux",
            "host": "192.0.2.1",
            "port": 22,
            "credentials": "switch",
            "host_key": "",
        },
        "port": port,
        "vlan": 30,
        "unused_vlan": 999,
    }
    return module(Switches(shell), templates=Path("none")).plan(parameters, lambda _: None).before


@pytest.mark.parametrize(
    ("port", "interface", "told"),
    [
        ({"tag": UNSET, "vlan_mode": UNSET}, {}, "is a trunk port (tag=[])"),
        ({"tag": UNSET, "trunks": ["set", [30, 40]]}, {}, "is a trunk port (trunks=30,40; tag=[])"),
        ({"trunks": 30}, {}, "is a trunk port (trunks=30)"),
        ({"vlan_mode": "native-untagged"}, {}, "is a trunk port (vlan_mode=native-untagged)"),
        ({"vlan_mode": "dot1q-tunnel"}, {}, "is a trunk port (vlan_mode=dot1q-tunnel)"),
        (
            {"interfaces": ["set", [["uuid", INTERFACE], ["uuid", OTHER]]], "bond_mode": "balance-tcp"},
            {},
            "is a member port (bond_mode=balance-tcp; interfaces=2)",
        ),
        (
            {},
            {"type": "patch", "options": ["map", [["peer", "pb"]]]},
            "is a virtual port (type=patch; options:peer=pb)",
        ),
        ({}, {"type": "vxlan"}, "is a virtual port (type=vxlan)"),
        ({}, {"type": "internal"}, "is a virtual port (type=internal)"),
        ({"external_ids": ["map", [["sopauto", "db-07/PS-2025-0003"]]]}, {}, "serves 'db-07/PS-2025-0003'"),
        ({"tag": 40}, {}, "stands in VLAN 40 and nothing says for whom"),
        ({"tag": 30}, {}, "stands in VLAN 30 and nothing says for whom"),
        ({"external_ids": ["map", [["vm", "7"]]]}, {}, "is set to more than the template writes (external_ids:vm=7)"),
        ({}, {"external_ids": ["map", [["vm", "7"]]]}, "is set to more than the template writes (external_ids:vm=7)"),
        ({"lacp": "active"}, {}, "is set to more than the template writes (lacp=active)"),
        ({"protected": True}, {}, "is set to more than the template writes (protected=true)"),
        ({"qos": ["uuid", OTHER]}, {}, f"is set to more than the template writes (qos={OTHER})"),
    ],
)
@pytest.mark.parametrize("module", [Connect, Disconnect])
def test_a_port_that_is_not_free_is_refused(
    port: dict[str, Any], interface: dict[str, Any], told: str, module: type[Connect | Disconnect]
) -> None:
    shell = Shell({**FREE_PORT, **port}, {**FREE_INTERFACE, **interface})
    with pytest.raises(Refused, match=re.escape(f"sw1/tap1 {told}; ")) as caught:
        plan(shell, module=module)
    assert caught.value.mend
    assert not any("set port" in command for command in shell.asked)


@pytest.mark.parametrize(
    ("port", "interface"),
    [
        ({}, {}),
        ({"vlan_mode": UNSET}, {"type": "system"}),
        ({"external_ids": OWN}, {}),
        ({"external_ids": OWN, "tag": 40}, {}),
    ],
)
def test_a_free_port_and_the_servers_own_are_accepted(port: dict[str, Any], interface: dict[str, Any]) -> None:
    before = plan(Shell({**FREE_PORT, **port}, {**FREE_INTERFACE, **interface}))
    assert before["mode"] == "access"
    assert before["other_lines"] == []


def test_a_port_that_does_not_exist_is_bad_input() -> None:
    with pytest.raises(BadInput, match="there is no port tap9"):
        plan(Shell(FREE_PORT, FREE_INTERFACE), port="tap9")
