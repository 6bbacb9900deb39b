"""A scan of many servers: against `ssh` in `xargs -P` running the same, against Ansible and pyinfra, and as it grows.

All servers are one sshd on loopback under many names, so that both sides meet the same machine; growth is measured on a
simulated server that answers what was recorded.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Figure, medians, seconds
from lab.recorded import RecordedServer
from lab.sshd import Sshd
from lab.workspace import make_key, public_half
from sopauto.inventory.kept.store import SqlHistory
from sopauto.inventory.reading import script, snapshot
from sopauto.inventory.scanning.openssh import OpenSsh
from sopauto.inventory.scanning.scan import Limits, Scanner, Target
from sopauto.settings import Credentials
from sopauto.store.engine import open_store

HOSTS = int(os.environ.get("BENCH_HOSTS", "40"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
GROWTH = tuple(int(count) for count in os.environ.get("BENCH_GROWTH", "100,1000,5000").split(","))
PARALLEL = 20
RECORDED = Path(__file__).parents[1] / "tests" / "unit" / "inventory" / "reading" / "recorded" / "debian.txt"
PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.setup:
    - ansible.builtin.package_facts:
    - ansible.builtin.service_facts:
"""
PYINFRA = "pyinfra==3.10.0"
"""Installed for the measurement only: it wants an older paramiko than ours."""
FACTS = (
    *("server.Hostname", "server.Kernel", "server.KernelVersion", "server.Arch", "server.LinuxDistribution"),
    *("server.Mounts", "server.Users", "hardware.Cpus", "hardware.Memory", "hardware.BlockDevices"),
    *("hardware.NetworkDevices", "deb.DebPackages", "systemd.SystemdStatus"),
)
"""What pyinfra is asked for: hardware, system, packages and services, as Ansible's three modules tell them."""


def run() -> list[Figure]:
    """Measure with BENCH_HOSTS hosts (40), BENCH_ROUNDS rounds (5), and growth over BENCH_GROWTH (100,1000,5000)."""
    with tempfile.TemporaryDirectory() as folder, Sshd(host="127.0.7.40") as server:
        root = Path(folder)
        login = Credentials(user=server.user, key_file=server.key_file)
        targets = [
            Target(
                server=f"server-{i:05}",
                address=server.host,
                port=server.port,
                host_key=server.host_key,
                credentials="inventory",
            )
            for i in range(HOSTS)
        ]
        what = script.source(["updates"])  # the peers do not ask for it either
        peers = (
            ("ssh in xargs -P", ">= 0.83x", _xargs(root, server, what)),
            ("ansible: setup, package_facts, service_facts", ">= 10x", _ansible(root, server)),
            ("pyinfra: facts of the same", ">= 3x", _pyinfra(root, server)),
        )
        rates = [
            _rate(name, *medians(lambda: _scan(root, targets, login, what), peer, rounds=ROUNDS), aim=aim)
            for name, aim, peer in peers
        ]
    return [*rates, *_growth()]


def _rate(peer_name: str, ours: float, peer: float, *, aim: str) -> Figure:
    return Figure(
        what=f"scan of {HOSTS} hosts",
        unit="hosts/s",
        ours=HOSTS / ours,
        peer=HOSTS / peer,
        peer_name=peer_name,
        aim=aim,
    )


def _scan(root: Path, targets: list[Target], login: Credentials, what: bytes, parallel: int = PARALLEL) -> None:
    """Scan into a new database."""
    database = Path(tempfile.mkdtemp(dir=root)) / "sopauto.db"
    store = open_store(f"sqlite:///{database}")
    begun = SqlHistory(store).begin(datetime.now(UTC), len(targets))
    with OpenSsh(credentials={"inventory": login}) as shell:
        scanner = Scanner(
            shell,
            SqlHistory(store),
            script=what,
            parse=snapshot.parse,
            now=lambda: datetime.now(UTC),
            show=lambda _: None,
        )
        tally = scanner.run(begun, targets, Limits(parallel=parallel, seconds=300))
    assert tally.read == len(targets), tally.unread
    store.engine.dispose()


def _xargs(root: Path, server: Sshd, what: bytes) -> Callable[[], object]:
    (root / "script").write_bytes(what)
    (root / "known_hosts").write_text(f"[{server.host}]:{server.port} {server.host_key}\n")
    ssh = (
        f"ssh -F none -T -i {server.key_file} -o UserKnownHostsFile={root / 'known_hosts'} -o BatchMode=yes "
        f"-o IdentitiesOnly=yes -p {server.port} -l {server.user} {server.host} sh -s"
    )
    line = f"seq {HOSTS} | xargs -P {PARALLEL} -I@ sh -c '{ssh} <{root / 'script'} >{root}/answer-@'"
    return lambda: subprocess.run(["sh", "-c", line], check=True, capture_output=True)


def _ansible(root: Path, server: Sshd) -> Callable[[], object]:
    hosts = {f"server-{i:05}": None for i in range(HOSTS)}
    variables = {
        "ansible_host": server.host,
        "ansible_port": server.port,
        "ansible_user": server.user,
        "ansible_ssh_private_key_file": str(server.key_file),
        "ansible_python_interpreter": sys.executable,
        "ansible_ssh_common_args": "-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
    }
    (root / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": variables}}))
    (root / "facts.yml").write_text(PLAYBOOK)
    program = Path(sys.executable).parent / "ansible-playbook"
    environment = {**os.environ, "ANSIBLE_PIPELINING": "1", "ANSIBLE_FORKS": str(PARALLEL), "ANSIBLE_HOME": str(root)}
    command = [program, "-i", root / "hosts.json", root / "facts.yml"]
    return lambda: subprocess.run(command, env=environment, check=True, capture_output=True)


def _pyinfra(root: Path, server: Sshd) -> Callable[[], object]:
    """Install pyinfra in an environment of its own."""
    uv = shutil.which("uv")
    assert uv, "uv runs the benchmarks"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, root / "pyinfra"], check=True)
    python = root / "pyinfra" / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, PYINFRA], check=True)
    reached = {
        "ssh_hostname": server.host,
        "ssh_port": server.port,
        "ssh_user": server.user,
        "ssh_key": str(server.key_file),
        "ssh_known_hosts_file": str(root / "known_hosts"),
        "ssh_look_for_keys": False,
        "ssh_allow_agent": False,
    }
    hosts = [(f"server-{i:05}", reached) for i in range(HOSTS)]
    (root / "hosts.py").write_text(f"servers = {hosts!r}\n")
    program = root / "pyinfra" / "bin" / "pyinfra"
    command = [program, "--parallel", str(PARALLEL), "--json", "-y", root / "hosts.py", "fact", *FACTS]

    def collect() -> None:
        told = json.loads(subprocess.run(command, cwd=root, check=True, capture_output=True).stdout)
        assert sum(bool(packages) for packages in told["deb.DebPackages"].values()) == HOSTS

    return collect


@contextmanager
def _simulated(root: Path) -> Iterator[tuple[RecordedServer, Credentials]]:
    key = make_key(root / "login")
    with RecordedServer(authorized=public_half(key), host="127.0.7.41", answer=RECORDED.read_bytes()) as server:
        yield server, Credentials(user=server.user, key_file=key)


def _growth() -> Iterator[Figure]:
    """Yield time and memory for more and more simulated servers; the memory of each is that of a process of its own."""
    with tempfile.TemporaryDirectory() as folder, _simulated(Path(folder)) as (server, login):
        for count in GROWTH:
            targets = [
                Target(
                    server=f"server-{i:05}",
                    address=server.host,
                    port=server.port,
                    host_key=server.host_key,
                    credentials="inventory",
                )
                for i in range(count)
            ]
            spent, memory = _in_a_process(Path(folder), targets, login)
            yield Figure(what=f"scan of {count} simulated hosts", unit="s", ours=spent)
            yield Figure(what=f"scan of {count} simulated hosts: memory", unit="MiB", ours=memory)


def _in_a_process(root: Path, targets: list[Target], login: Credentials) -> tuple[float, float]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            spent = seconds(lambda: _scan(root, targets, login, b"true\n", parallel=32))
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            os.write(writing, json.dumps([spent, memory]).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        content = told.read()
    os.waitpid(child, 0)
    spent, memory = json.loads(content)
    return float(spent), float(memory)
