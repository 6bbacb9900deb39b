"""Memory of the playbook runner: a playbook that prints 50 MB, against one that prints ten letters."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.measure import Figure
from lab.loopback import LoopbackServer
from lab.workspace import make_key, public_half

MUCH: Final = 50_000_000
LITTLE: Final = 10
RUN: Final = """
import json, re, sys
from pathlib import Path
from sopauto.drivers.playbook import Ansible
from sopauto.settings import Credentials
given = json.loads(sys.argv[1])
login = Credentials(user=given["user"], key_file=Path(given["key_file"]))
run = Ansible(credentials={"x": login}).run(
    "playbooks/p.yml", {"playbooks/p.yml": given["playbook"].encode()}, given["parameters"], check=False, report=len)
assert run.failure is None, run.failure
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""
"""Prints how much memory the runner's own process took at most, in MiB (`ru_maxrss` would count that of its parent)."""


def run() -> list[Figure]:
    """Measure one run each, on an SSH server on loopback."""
    with tempfile.TemporaryDirectory() as folder:
        key = make_key(Path(folder) / "login")
        with LoopbackServer(authorized=public_half(key), host="127.0.34.10") as server:
            much, little = (_memory(server, key, letters) for letters in (MUCH, LITTLE))
    what = "memory of the runner, 50 MB printed"
    return [Figure(what=what, unit="MiB", ours=much, peer=little, peer_name="ten letters printed", aim="bounded")]


def _memory(server: LoopbackServer, key: Path, letters: int) -> float:
    task = f"    - ansible.builtin.debug: {{msg: \"{{{{ 'x' * {letters} }}}}\"}}\n"
    given = {
        "user": server.user,
        "key_file": str(key),
        "playbook": f"- hosts: all\n  gather_facts: false\n  tasks:\n{task}",
        "parameters": {
            "server": "server-01",
            "address": server.host,
            "port": server.port,
            "host_key": server.host_key,
            "credentials": "x",
        },
    }
    ended = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(given)], capture_output=True, text=True, check=True, timeout=300
    )
    return float(ended.stdout)
