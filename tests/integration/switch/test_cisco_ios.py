"""A switch port on a simulated Cisco switch: what is refused, restored, finished, and never half done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lab.ios import IosSwitch
from lab.workspace import make_key, public_half
from sopauto.custody.port import Connect, Disconnect
from sopauto.custody.switches.session import NetmikoSwitches
from sopauto.custody.switches.template import read_template
from sopauto.errors import BadInput, OutcomeUnknown, Refused, Stale, StepFailed
from sopauto.work import Plan, Probe, WorkOrder

PORT = "GigabitEthernet1/0/1"
FREE = ["switchport access vlan 999", "switchport mode access", "shutdown"]
TRUNK = ["switchport trunk allowed vlan 30,40", "switchport mode trunk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    key_file: Path
    user: str = "sopauto"
    password_env: None = None
    sudo_password_env: None = None


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[IosSwitch, Path]]:
    key = make_key(tmp_path_factory.mktemp("keys") / "login")
    with IosSwitch(authorized=public_half(key)) as switch:
        yield switch, key


@pytest.fixture
def switch(running: tuple[IosSwitch, Path]) -> Iterator[IosSwitch]:
    """The switch, afterwards as it was before."""
    found, _ = running
    before = deepcopy((found.running, found.startup))
    found.received.clear()
    yield found
    found.running, found.startup = before
    found.faults = type(found.faults)()


@pytest.fixture
def modules(running: tuple[IosSwitch, Path], tmp_path: Path) -> tuple[Connect, Disconnect]:
    switches = NetmikoSwitches(credentials={"switch": Login(key_file=running[1])}, locks=tmp_path / "locks")
    return Connect(switches, templates=tmp_path, pause=0.05), Disconnect(switches, templates=tmp_path, pause=0.05)


def parameters(switch: IosSwitch, **changes: Any) -> dict[str, Any]:
    at = {"id": "sw1", "platform": "cisco_ios", "host": switch.host, "port": switch.port, "credentials": "switch"}
    return {
        "server": "web-01",
        "ticket": "PS-2026-0001",
        "switch": {**at, "host_key": switch.host_key},
        "port": PORT,
        "vlan": 30,
        "unused_vlan": 999,
        "mac": None,
        **changes,
    }


def order(plan: Plan) -> WorkOrder:
    return WorkOrder(
        ticket="PS-2026-0001",
        step="konfigurasi.1",
        attempt=1,
        person="joko",
        module=plan.module,
        parameters=plan.parameters,
        targets=plan.targets,
        procedure_digest="",
        materials={},
        plan=plan,
    )


def quiet(_: str) -> None:
    pass


def test_connect_and_disconnect_leave_the_port_as_it_was_found(
    switch: IosSwitch, modules: tuple[Connect, Disconnect]
) -> None:
    before = dict(switch.settings(PORT))
    connect, disconnect = modules
    plan = connect.plan(parameters(switch), quiet)
    assert switch.configured() == []
    assert "other_lines" not in plan.diff
    assert connect.probe(order(plan), quiet) is Probe.NOT_BEGUN
    result = connect.apply(order(plan), quiet)
    assert result.changed
    assert switch.settings(PORT)["description"] == "web-01/PS-2026-0001"
    assert switch.settings(PORT)["switchport access vlan"] == "30"
    assert "shutdown" not in switch.settings(PORT)
    assert switch.startup.ports[PORT] == switch.settings(PORT)
    assert connect.probe(order(plan), quiet) is Probe.DONE
    log = result.artifacts[0].content.decode()
    assert "switchport access vlan 30" in log
    assert all(line.isprintable() for line in log.split("\n"))

    back = disconnect.plan(parameters(switch), quiet)
    disconnect.apply(order(back), quiet)
    assert switch.settings(PORT) == before


def test_a_second_run_sends_nothing(switch: IosSwitch, modules: tuple[Connect, Disconnect]) -> None:
    connect, _ = modules
    plan = connect.plan(parameters(switch), quiet)
    connect.apply(order(plan), quiet)
    switch.received.clear()
    again = connect.apply(order(plan), quiet)
    assert not again.changed
    assert [line for line in switch.configured() if not line.startswith("write")] == []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (TRUNK, "is a trunk port (switchport trunk allowed vlan 30,40; switchport mode trunk)"),
        (TRUNK[:1], "is a dynamic port (switchport trunk allowed vlan 30,40; no switchport mode)"),
        (["switchport mode dynamic desirable"], "is a dynamic port (switchport mode dynamic desirable)"),
        (["switchport access vlan 999", "shutdown"], "is a dynamic port (no switchport mode)"),
        ([], "is a dynamic port (no switchport mode)"),
        ([*FREE, TRUNK[0]], "is set to more than the template writes (switchport trunk allowed vlan 30,40)"),
        ([*FREE, "switchport voice vlan 40"], "is set to more than the template writes (switchport voice vlan 40)"),
        ([*FREE, "spanning-tree portfast"], "is set to more than the template writes (spanning-tree portfast)"),
        ([*FREE, "channel-group 1 mode active"], "is a member port (channel-group 1 mode active)"),
        ([*FREE, "no switchport"], "is a routed port (no switchport)"),
        (["no switchport", "no ip address"], "is a routed port (no switchport; no ip address; no switchport mode)"),
        ([*FREE, "ip address 192.0.2.1 255.255.255.252"], "is a routed port (ip address 192.0.2.1 255.255.255.252)"),
        ([*FREE, "ipv6 address 2001:db8::1/64"], "is a routed port (ipv6 address 2001:db8::1/64)"),
        ([*FREE, "description uplink core-1"], "serves 'uplink core-1'"),
        ([*FREE, "description db-07/PS-2025-0003"], "serves 'db-07/PS-2025-0003'"),
        ([*FREE, "description web-01/PS-2025-0003"], "serves 'web-01/PS-2025-0003'"),
        (["switchport access vlan 40", *FREE[1:]], "stands in VLAN 40 and nothing says for whom"),
        (["switchport access vlan 30", *FREE[1:]], "stands in VLAN 30 and nothing says for whom"),
        (["switchport mode access"], "stands in VLAN 1 and nothing says for whom"),
    ],
)
def test_a_port_that_is_not_free_is_refused(
    switch: IosSwitch, modules: tuple[Connect, Disconnect], lines: list[str], told: str
) -> None:
    switch.hold(PORT, *lines)
    for module in modules:
        with pytest.raises(Refused, match=re.escape(f"sw1/{PORT} {told}; ")) as caught:
            module.plan(parameters(switch), quiet)
        assert caught.value.mend
        assert len(str(caught.value).splitlines()) == 1
    assert switch.configured() == []


@pytest.mark.parametrize("number", [23, 24, 25])
def test_what_a_switch_comes_with_besides_free_ports_is_refused(
    switch: IosSwitch, modules: tuple[Connect, Disconnect], number: int
) -> None:
    with pytest.raises(Refused, match=r"is a (member|trunk|routed) port"):
        modules[0].plan(parameters(switch, port=f"GigabitEthernet1/0/{number}"), quiet)
    assert switch.configured() == []


@pytest.mark.parametrize(
    "lines",
    [
        FREE,
        FREE[:2],
        ["switchport", *FREE, "duplex auto", "speed auto"],
        [*FREE, "description web-01/PS-2026-0001"],
        ["description web-01/PS-2026-0001", "switchport access vlan 40", "switchport mode access"],
    ],
)
def test_a_free_port_and_the_servers_own_are_set_and_restored(
    switch: IosSwitch, modules: tuple[Connect, Disconnect], lines: list[str]
) -> None:
    switch.hold(PORT, *lines)
    before = dict(switch.settings(PORT))
    plan = modules[0].plan(parameters(switch), quiet)
    modules[0].apply(order(plan), quiet)
    assert switch.settings(PORT)["switchport access vlan"] == "30"
    modules[0].undo(order(plan), quiet)
    assert switch.settings(PORT) == before


def test_a_log_message_amid_a_ports_lines_hides_none_of_them(
    switch: IosSwitch, modules: tuple[Connect, Disconnect]
) -> None:
    switch.hold(PORT, *FREE, "channel-group 1 mode active")
    switch.faults.chatter = "*Mar  1 00:03:11: %SYS-5-CONFIG_I: Configured from console by console"
    with pytest.raises(Refused, match="is a member port"):
        modules[0].plan(parameters(switch), quiet)


def test_a_short_port_name_is_not_read_as_an_empty_port(switch: IosSwitch, modules: tuple[Connect, Disconnect]) -> None:
    with pytest.raises(BadInput, match="write it as `show running-config` does"):
        modules[0].plan(parameters(switch, port="Gi1/0/24"), quiet)


def test_a_line_that_came_after_the_approval_is_stale(switch: IosSwitch, modules: tuple[Connect, Disconnect]) -> None:
    plan = modules[0].plan(parameters(switch), quiet)
    switch.settings(PORT)["switchport voice vlan 40"] = ""
    with pytest.raises(Stale, match=re.escape("other_lines is ['switchport voice vlan 40'] instead of []")):
        modules[0].apply(order(plan), quiet)
    assert switch.configured() == []


def test_what_an_agencys_own_template_writes_makes_no_port_foreign(
    switch: IosSwitch, modules: tuple[Connect, Disconnect], tmp_path: Path
) -> None:
    own = tmp_path / "switch" / "cisco_ios" / "port.j2"
    own.parent.mkdir(parents=True)
    own.write_bytes(read_template("cisco_ios", tmp_path / "none") + b"\nspanning-tree portfast\n")
    for module in (*modules, *modules):
        module.apply(order(module.plan(parameters(switch), quiet)), quiet)
        assert "spanning-tree portfast" in switch.startup.ports[PORT]
    switch.settings(PORT)["no cdp enable"] = ""
    with pytest.raises(Refused, match=re.escape("more than the template writes (no cdp enable)")):
        modules[0].plan(parameters(switch), quiet)


def test_a_port_that_does_not_exist_is_bad_input(switch: IosSwitch, modules: tuple[Connect, Disconnect]) -> None:
    with pytest.raises(BadInput, match="there is no port"):
        modules[0].plan(parameters(switch, port="GigabitEthernet9/9/9"), quiet)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server", "web;reload"),
        ("server", "{{ 7*7 }}"),
        ("server", "web\nshutdown"),
        ("port", "Gi1/0/1\nshutdown"),
        ("port", "Gi1; rm -rf /"),
        ("ticket", "PS-2026-0001\nend"),
        ("vlan", 5000),
        ("vlan", "30"),
    ],
)
def test_nothing_but_plain_words_gets_into_a_line(
    switch: IosSwitch, modules: tuple[Connect, Disconnect], name: str, value: object
) -> None:
    with pytest.raises(BadInput):
        modules[0].plan(parameters(switch, **{name: value}), quiet)
    assert switch.received == []


def test_another_host_key_ends_it_before_anything_is_sent(
    switch: IosSwitch, modules: tuple[Connect, Disconnect], running: tuple[IosSwitch, Path]
) -> None:
    wrong = parameters(switch)
    wrong["switch"] = {**wrong["switch"], "host_key": public_half(running[1])}
    with pytest.raises(StepFailed, match="no session"):
        modules[0].plan(wrong, quiet)
    assert switch.received == []


def test_a_state_that_the_approver_did_not_see_is_stale(switch: IosSwitch, modules: tuple[Connect, Disconnect]) -> None:
    plan = modules[0].plan(parameters(switch), quiet)
    switch.change_behind_our_back(PORT)
    with pytest.raises(Stale, match="description is 'changed on the console' instead of ''"):
        modules[0].apply(order(plan), quiet)
    assert switch.configured() == []


@pytest.mark.parametrize("line", ["description", "switchport mode", "switchport access vlan 30", "no shutdown"])
@pytest.mark.parametrize("fault", ["refuse", "drop_at", "drop_after"])
def test_a_fault_at_any_line_restores_the_port_or_finishes_it(
    switch: IosSwitch, modules: tuple[Connect, Disconnect], line: str, fault: str
) -> None:
    before = dict(switch.settings(PORT))
    plan = modules[0].plan(parameters(switch), quiet)
    setattr(switch.faults, fault, line)
    if (fault, line) == ("drop_after", "no shutdown"):
        modules[0].apply(order(plan), quiet)  # all lines were taken: what is left is to save
        assert switch.startup.ports[PORT]["switchport access vlan"] == "30"
        return
    with pytest.raises(StepFailed, match=r"the port is as before|before anything was changed") as caught:
        modules[0].apply(order(plan), quiet)
    assert switch.settings(PORT) == before
    assert switch.startup.ports[PORT] == before
    assert caught.value.evidence[0].content


def test_a_line_that_is_taken_without_effect_is_noticed(switch: IosSwitch, modules: tuple[Connect, Disconnect]) -> None:
    before = dict(switch.settings(PORT))
    plan = modules[0].plan(parameters(switch), quiet)
    switch.faults.ignore = "no shutdown"
    with pytest.raises(StepFailed, match="enabled is False instead of True"):
        modules[0].apply(order(plan), quiet)
    assert switch.settings(PORT) == before


def test_a_switch_that_is_gone_after_the_drop_is_unknown(
    switch: IosSwitch, modules: tuple[Connect, Disconnect]
) -> None:
    plan = modules[0].plan(parameters(switch), quiet)
    switch.faults = replace(switch.faults, drop_at="switchport access vlan", away_after_drop=99)
    with pytest.raises(OutcomeUnknown, match="look at the switch") as caught:
        modules[0].apply(order(plan), quiet)
    assert caught.value.evidence
    switch.faults.stay_away = 0
    assert modules[0].probe(order(plan), quiet) is Probe.UNKNOWN
    modules[0].undo(order(plan), quiet)
    assert modules[0].probe(order(plan), quiet) is Probe.NOT_BEGUN


def test_one_change_at_a_time_on_each_switch(
    switch: IosSwitch, modules: tuple[Connect, Disconnect], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setattr("sopauto.custody.switches.session.LOCK_SECONDS", 0.2)
    (tmp_path / "locks").mkdir()
    with (tmp_path / "locks" / "sw1.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Refused, match="somebody else changes sw1 now"):
            modules[0].plan(parameters(switch), quiet)
    assert switch.received == []


def test_an_agencys_own_template_wins(switch: IosSwitch, modules: tuple[Connect, Disconnect], tmp_path: Path) -> None:
    own = tmp_path / "switch" / "cisco_ios" / "port.j2"
    own.parent.mkdir(parents=True)
    own.write_text("interface {{ port }}\n{{ nothing }}\n")
    with pytest.raises(BadInput, match="the template does not work"):
        modules[0].plan(parameters(switch), quiet)
