"""`inv server.harden` on a virtual machine, against `ansible-playbook` with the same playbook on another one like it.

Whole processes. Ours looks first whether the server still is as the approver saw it, which is a run in check mode; what
an engineer does by hand to know the same is measured beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Figure, seconds
from lab.guest import Guest
from lab.mailbox import Mailbox
from lab.newserver import request, walk_of, workspace_for
from sopauto.cli.console import say
from sopauto.tickets.gate import approved_record
from sopauto.work import Json

ROOT: Final = Path(__file__).parent.parent
PROGRAMS: Final = Path(sys.executable).parent
PROFILE: Final = {
    "title": "Ukur",
    "resources": {"memory_mb": 400},
    "upgrade": False,
    "administrators": ["yoga"],
    "hardening": {"firewall": False},
}
"""Without what User Mode Linux lacks."""


def run() -> list[Figure]:
    """Measure one run each, one virtual machine at a time; takes a quarter of an hour, as root on Debian."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        ours, parameters = _ours(home)
        with _server(home / "peer") as guest:
            inventory = _inventory(guest, parameters, home)
            _plain("provision_server.yml", inventory)
            look = seconds(lambda: _plain("harden_server.yml", inventory, "--check", "--diff"))
            work = seconds(lambda: _plain("harden_server.yml", inventory))
    what = "harden a server"
    return [
        Figure(what=what, unit="s", ours=ours, peer=work, peer_name="ansible-playbook", aim="<= 1.1x"),
        Figure(what=what, unit="s", ours=ours, peer=look + work, peer_name="ansible-playbook --check, then without"),
    ]


def _ours(home: Path) -> tuple[float, Mapping[str, Json]]:
    """Return the seconds of `server.harden` at row 15, and the parameters of each module."""
    with _server(home / "ours") as guest, Mailbox(directory=home / "mail") as mailbox:
        workspace = workspace_for(home / "dtiki", server=guest, mailbox=mailbox, profile=PROFILE)
        walk = walk_of(workspace, guest)
        ticket = walk.until(walk.open(request(guest), person="siti"), "pemasangan.15")
        environment = {**os.environ, "SOPAUTO_HOME": str(workspace.home)}

        def command(name: str) -> None:
            who = ["--as", "yoga", "--key", str(workspace.keys["yoga"])]
            subprocess.run(
                [PROGRAMS / "inv", name, ticket.id, *who],
                cwd=ROOT,
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )

        command("server.provision")
        taken = seconds(lambda: command("server.harden"))
        with workspace.app().store.read() as reader:
            row = workspace.app().procedure_of(ticket, reader).step(ticket.step)
            return taken, approved_record(reader, ticket, row).plan.parameters


@contextmanager
def _server(state: Path) -> Iterator[Guest]:
    guest = Guest.up(state, prepared=True, say=say)
    try:
        yield guest
    finally:
        guest.down()


def _inventory(guest: Guest, parameters: Mapping[str, Json], home: Path) -> Path:
    """Return an inventory with the same variables, as an engineer would write it."""
    variables: dict[str, Any] = {}
    for module in ("server.provision", "server.harden"):
        variables |= parameters[module]["variables"]
    host = {
        **variables,
        "ansible_host": guest.host,
        "ansible_port": guest.port,
        "ansible_user": guest.user,
        "ansible_ssh_private_key_file": str(guest.key_file),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={guest.known_hosts()}",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    path = home / "inventory.json"
    path.write_text(json.dumps({"all": {"hosts": {guest.name: host}}}))
    return path


def _plain(playbook: str, inventory: Path, *options: str) -> None:
    environment = {**os.environ, "ANSIBLE_ROLES_PATH": str(ROOT / "roles"), "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    subprocess.run(
        [PROGRAMS / "ansible-playbook", "--inventory", inventory, *options, ROOT / "playbooks" / playbook],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
