"""Setting a port on each of 20 simulated switches, against plain netmiko that sends the same lines and saves."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, medians
from lab.workspace import make_key, public_half
from sopauto.custody.live_port import LivePort
from sopauto.custody.port import Connect, Disconnect
from sopauto.custody.port_work import PortWork
from sopauto.custody.switches.session import NetmikoSwitches
from sopauto.work import Plan, WorkOrder

SWITCHES = 20
PORT = "GigabitEthernet1/0/1"
SIMULATORS = """
import json, sys
from contextlib import ExitStack
from lab.ios import IosSwitch
with ExitStack() as stack:
    switches = [stack.enter_context(IosSwitch(authorized=sys.argv[1])) for _ in range(int(sys.argv[2]))]
    print(json.dumps([[s.port, s.host_key] for s in switches]), flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How all switches are logged in to."""

    key_file: Path
    user: str = "sopauto"
    password_env: None = None
    sudo_password_env: None = None


def run() -> list[Figure]:
    """Measure connect and disconnect of a port on all switches; the simulators run in a process of their own."""
    with tempfile.TemporaryDirectory() as folder:
        login = make_key(Path(folder) / "login")
        command = [sys.executable, "-c", SIMULATORS, public_half(login), str(SWITCHES)]
        simulators = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert simulators.stdout is not None
            found = json.loads(simulators.stdout.readline())
            orders = [_orders(Path(folder), login, i, port, key) for i, (port, key) in enumerate(found)]
            ours, peer = medians(lambda: _ours(orders), lambda: _plain(orders, login, Path(folder)), rounds=5)
        finally:
            simulators.communicate()
    name = "plain netmiko, same lines, saved"
    return [
        Figure(what=f"set a port on {SWITCHES} switches", unit="s", ours=ours, peer=peer, peer_name=name, aim="<= 1.2x")
    ]


def _orders(home: Path, login: Path, number: int, port: int, host_key: str) -> list[tuple[Any, WorkOrder]]:
    """Return connect and disconnect, each with its module and order."""
    switches = NetmikoSwitches(credentials={"switch": Login(key_file=login)}, locks=home / "locks")
    parameters = {
        "server": "web-01",
        "ticket": "PS-2026-0001",
        "switch": {
            "id": f"sw{number}",
            "platform": "cisco_ios",
            "host": "127.0.0.1",
            "port": port,
            "credentials": "switch",
            "host_key": host_key,
        },
        "port": PORT,
        "vlan": 30,
        "unused_vlan": 999,
        "mac": None,
    }
    there = Connect(switches, templates=home)
    plan = there.plan(parameters, lambda _: None)
    back = Disconnect(switches, templates=home)
    work = PortWork.from_json(parameters)
    lines = LivePort(work, switches, templates=home).lines(back.wanted(work))
    way_back = Plan(
        module=back.name, targets=plan.targets, parameters=parameters, before=plan.after, lines=lines, after=plan.before
    )
    return [(there, _order(plan)), (back, _order(way_back))]


def _order(plan: Plan) -> WorkOrder:
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


def _ours(orders: list[list[tuple[Any, WorkOrder]]]) -> None:
    for turn in zip(*orders, strict=True):
        with ThreadPoolExecutor(SWITCHES) as pool:
            list(pool.map(lambda pair: pair[0].apply(pair[1], lambda _: None), turn))


def _plain(orders: list[list[tuple[Any, WorkOrder]]], login: Path, home: Path) -> None:
    for turn in zip(*orders, strict=True):
        with ThreadPoolExecutor(SWITCHES) as pool:
            list(pool.map(lambda pair: _push(pair[1], login, home), turn))


def _push(order: WorkOrder, login: Path, home: Path) -> None:
    """Send the lines and save, as an engineer's script would, with the same host key check and error pattern."""
    from netmiko import ConnectHandler

    from sopauto.custody.switches.cisco_ios.driver import ERROR

    switch = order.parameters["switch"]
    known_hosts = home / f"known-{switch['id']}"
    known_hosts.write_text(f"[{switch['host']}]:{switch['port']} {switch['host_key']}\n")
    assert order.plan is not None
    with ConnectHandler(
        device_type="cisco_ios",
        host=switch["host"],
        port=switch["port"],
        username="sopauto",
        use_keys=True,
        key_file=str(login),
        ssh_strict=True,
        system_host_keys=False,
        alt_host_keys=True,
        alt_key_file=str(known_hosts),
        fast_cli=False,
    ) as connection:
        connection.send_config_set(list(order.plan.lines), error_pattern=ERROR, cmd_verify=True)
        connection.save_config()
