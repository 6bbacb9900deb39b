"""The main job on a virtual machine behind a real switch: packets prove it, and the switch's own log."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cast import STATEMENTS, drop_off, give_back
from lab.datacentre import UNUSED, Datacentre
from lab.mailbox import Mailbox
from lab.network import VLAN
from lab.walking import Walk
from lab.workspace import Workspace, workspace_of_lab
from sopauto.cli.console import say
from sopauto.tickets.model import State, Ticket
from tests.conftest import need_or_skip

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]
PATIENT = 20.0
"""Seconds within which a server that is on the network says something, also on a busy machine."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Datacentre]:
    """A data centre of one virtual machine; afterwards nothing may be left of it."""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        need_or_skip(missing="root on Debian (virtual machines, Open vSwitch)")
    up = Datacentre.up(say=say)
    try:
        yield up
    finally:
        up.down()
    assert up.left_behind() == []


@pytest.fixture
def workspace(lab: Datacentre, tmp_path: Path) -> Iterator[Workspace]:
    with Mailbox(directory=tmp_path / "mail") as mailbox:
        yield workspace_of_lab(tmp_path / "kominfo", lab=lab, mailbox=mailbox)


def walk(workspace: Workspace) -> Walk:
    return Walk(app=workspace.app(), keys=workspace.keys, statements=STATEMENTS)


def kept(workspace: Workspace, ticket: str) -> Ticket:
    with workspace.app().store.read() as reader:
        return reader.ticket(ticket)


def inv(lab: Datacentre, workspace: Workspace, *arguments: str, as_: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the gateway's namespace: only from there switch and servers are reached."""
    program = str(Path(sys.executable).parent / "inv")
    who = ["--as", as_, *(["--key", str(workspace.keys[as_])] if arguments[0] != "ticket.show" else [])]
    environment = {"SOPAUTO_HOME": str(workspace.home), "PWD": str(ROOT)}
    return lab.gateway.run([program, "--search-root", str(ROOT), *arguments, *who], environment=environment)


def looked_and_approved(lab: Datacentre, workspace: Workspace, ticket: str) -> bool:
    """Let bambang look at the plan, then approve what he saw."""
    commands = ("ticket.show", "ticket.approve")
    return all(inv(lab, workspace, command, ticket, as_="bambang").returncode == 0 for command in commands)


def test_the_server_is_reachable_between_connect_and_disconnect_only(lab: Datacentre, workspace: Workspace) -> None:
    machine = lab.machines[0]
    before = len(lab.switch.log())
    assert lab.gateway.banner(machine.address) is None

    ticket = walk(workspace).until(walk(workspace).open(drop_off(), person="siti"), "konfigurasi.1")
    refused = inv(lab, workspace, "custody.connect", ticket.id, as_="joko")
    assert refused.returncode == 3
    assert len(lab.switch.log()) == before, "nothing may be sent before the approval"

    planned = inv(lab, workspace, "ticket.plan", ticket.id, as_="joko")
    assert planned.returncode == 0, planned.stderr
    assert looked_and_approved(lab, workspace, ticket.id)
    assert lab.gateway.banner(machine.address) is None
    connected = inv(lab, workspace, "custody.connect", ticket.id, as_="joko")
    assert connected.returncode == 0, connected.stderr
    assert "SSH-2.0" in (lab.gateway.banner(machine.address, seconds=PATIENT) or "")

    ticket = walk(workspace).until(kept(workspace, ticket.id), "konfigurasi.4")
    assert "answers on" in inv(lab, workspace, "custody.check", ticket.id, as_="joko").stdout
    assert inv(lab, workspace, "ticket.approve", ticket.id, as_="siti").returncode == 0
    for person in ("siti", "bambang"):
        assert inv(lab, workspace, "ticket.done", ticket.id, as_=person).returncode == 0
    collected = inv(lab, workspace, "inventory.collect", ticket.id, "--json", as_="joko")
    assert collected.returncode == 0, collected.stderr
    assert f'"serial": "{machine.serial}"' in collected.stdout
    assert f'"mac": "{machine.mac}"' in collected.stdout

    back = walk(workspace)
    leaving = back.until(back.open(give_back(ticket.id), person="siti"), "pengembalian.5")
    assert inv(lab, workspace, "ticket.plan", leaving.id, as_="joko").returncode == 0
    assert looked_and_approved(lab, workspace, leaving.id)
    assert "SSH-2.0" in (lab.gateway.banner(machine.address, seconds=PATIENT) or "")
    assert inv(lab, workspace, "custody.disconnect", leaving.id, as_="joko").returncode == 0
    assert lab.gateway.banner(machine.address) is None
    assert walk(workspace).to_the_end(kept(workspace, leaving.id)).state is State.DONE


def test_a_port_that_changed_since_the_approval_gets_no_line(lab: Datacentre, workspace: Workspace) -> None:
    machine = lab.machines[0]
    ticket = walk(workspace).until(walk(workspace).open(drop_off(), person="siti"), "konfigurasi.1")
    assert inv(lab, workspace, "ticket.plan", ticket.id, as_="joko").returncode == 0
    assert looked_and_approved(lab, workspace, ticket.id)
    lab.switch.vsctl("set", "port", machine.port, "tag=77")
    try:
        refused = inv(lab, workspace, "custody.connect", ticket.id, as_="joko")
        assert refused.returncode == 3
        assert "vlan is 77 instead of 999" in refused.stderr
        assert not any("set port" in line for line in lab.switch.log()[-1:])
        assert lab.gateway.banner(machine.address) is None
    finally:
        lab.switch.vsctl("set", "port", machine.port, f"tag={UNUSED}")


def test_a_trunk_is_refused(lab: Datacentre, workspace: Workspace) -> None:
    machine = lab.machines[0]
    ticket = walk(workspace).until(walk(workspace).open(drop_off(), person="siti"), "konfigurasi.1")
    lab.switch.vsctl("set", "port", machine.port, "tag=[]", "trunks=30,40", "vlan_mode=trunk")
    try:
        refused = inv(lab, workspace, "ticket.plan", ticket.id, as_="joko")
        assert refused.returncode == 3
        assert "is a trunk port" in refused.stderr
    finally:
        lab.switch.vsctl("set", "port", machine.port, f"tag={UNUSED}", "trunks=[]", "vlan_mode=access")


def test_the_cable_can_be_pulled(lab: Datacentre) -> None:
    machine = lab.machines[0]
    lab.switch.vsctl("set", "port", machine.port, f"tag={VLAN}")
    try:
        assert lab.gateway.banner(machine.address, seconds=PATIENT) is not None
        machine.unplug()
        assert lab.gateway.banner(machine.address) is None
        machine.plug_in()
        assert lab.gateway.banner(machine.address, seconds=20) is not None
    finally:
        lab.switch.vsctl("set", "port", machine.port, f"tag={UNUSED}")
