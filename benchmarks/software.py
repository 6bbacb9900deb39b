"""All default tests of a server with ten software, ours over one SSH connection, against testinfra's Ansible backend.

Both make the same checks by the same code, on a real OpenSSH server on loopback. The ten software are stand-ins with
five checks each that hold on any Debian machine: what is measured is the way to the server.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import testinfra

from benchmarks.measure import Figure, medians
from lab.sshd import Sshd
from sopauto.app import quiet
from sopauto.drivers.ssh import Ssh
from sopauto.machines.host_keys import fingerprint
from sopauto.settings import Credentials
from sopauto.software.default_tests import DefaultTests, check

SOFTWARE: Final = 10
ROUNDS: Final = 3


def run() -> list[Figure]:
    """Measure three rounds; takes some minutes, as root (the server lets its own user in)."""
    with Sshd() as server, tempfile.TemporaryDirectory() as folder:
        tests = _tests(server)
        parameters = {
            "server": "server-01",
            "address": server.host,
            "port": server.port,
            "fingerprint": fingerprint(server.host_key),
            "credentials": "servers",
            "tests": tests,
        }
        login = Credentials(user=server.user, key_file=server.key_file)
        ours = DefaultTests(Ssh(credentials={"servers": login}))
        inventory = _inventory(server, Path(folder))
        os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

        def peer() -> None:
            host = testinfra.get_host("ansible://server-01", ansible_inventory=str(inventory))
            assert all(check(host, None, test).passed for test in tests)

        def own() -> None:
            assert all(result.passed for result in ours.test(parameters, quiet))

        mine, theirs = medians(own, peer, rounds=ROUNDS)
    what = f"{len(tests)} checks of {SOFTWARE} software"
    return [Figure(what=what, unit="s", ours=mine, peer=theirs, peer_name="testinfra, ansible backend", aim="<= 0.20x")]


def _tests(server: Sshd) -> list[dict[str, Any]]:
    checks: list[dict[str, Any]] = [
        {"kind": "package", "package": "openssh-server"},
        {"kind": "port", "port": f"{server.port}/tcp", "address": server.host},
        {"kind": "process", "process": "sshd"},
        {"kind": "command", "command": ["echo", "agenda 1.0"], "exit": 0, "contains": "agenda"},
        {"kind": "file", "file": "/etc/ssh/sshd_config", "contains": "Subsystem"},
    ]
    titled = [{"title": str(one[one["kind"]]), "within": 0, **one} for one in checks]
    return titled * SOFTWARE


def _inventory(server: Sshd, folder: Path) -> Path:
    known = folder / "known_hosts"
    known.write_text(f"[{server.host}]:{server.port} {server.host_key}\n")
    host = {
        "ansible_host": server.host,
        "ansible_port": server.port,
        "ansible_user": server.user,
        "ansible_ssh_private_key_file": str(server.key_file),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={known}",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    path = folder / "inventory.json"
    path.write_text(json.dumps({"all": {"hosts": {"server-01": host}}}))
    return path
