"""Every shipped entry and one of an agency's own on a virtual machine: from the requirements to the removal.

The modules are driven by hand, one entry after the other on the same server: what one leaves behind would show at the
next. The whole SOP with its papers is walked in test_software.py.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lab.guest import Guest
from sopauto.catalogue.shelf import Shelf
from sopauto.cli.console import say
from sopauto.drivers.default_tests import DefaultTests
from sopauto.drivers.playbook import Ansible
from sopauto.drivers.ssh import Ssh
from sopauto.machines.host_keys import fingerprint
from sopauto.procedures.library import Library
from sopauto.settings import Credentials
from sopauto.technical.run_files import shipped
from sopauto.technical.software import Check, Configure, Install, Remove, Run, SoftwareStage
from sopauto.technical.software_tests import RunTests
from sopauto.tickets.gate import digests
from sopauto.tickets.model import State, Ticket
from sopauto.tickets.software import software_parameters
from sopauto.work import Json, Plan, Result, WorkOrder
from tests.acceptance.entries import put_package
from tests.conftest import need_or_skip

pytestmark = pytest.mark.lab

OWN = "buku-tamu"
"""A package file of an agency's own, which no shipped entry knows."""
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "nginx": {"port": 8181, "server_name": "web.example.go.id"},
    "apache-php": {"server_name": "web.example.go.id"},
    "postgresql": {"max_connections": 50},
    "mariadb": {"max_connections": 60},
    "redis": {"keep": "allkeys-lru"},
    "tomcat": {"heap_mb": 96},
    "docker": {"log_mb": 5},
    "chrony": {"server": "10.0.2.2"},
    "fail2ban": {"tries": 3},
    "zabbix-agent": {"name": "server-01.example.go.id"},
    "nodejs": {"environment": "development"},
    "status-page": {"port": 8191},
    OWN: {"port": 8282},
}
USER_MODE = {
    # It has no nftables for IPv4: Docker finds the older tables.
    "docker": (
        "apt-get update -qq && apt-get install -y -qq iptables && "
        "update-alternatives --set iptables /usr/sbin/iptables-legacy && "
        "update-alternatives --set ip6tables /usr/sbin/ip6tables-legacy"
    ),
    # Its programs have 512 GB to address, and MariaDB sets 8 TB aside.
    "mariadb": (
        "mkdir -p /etc/mysql/mariadb.conf.d && "
        'printf "[mariadbd]\\nloose_innodb_buffer_pool_size_max=1G\\n" >/etc/mysql/mariadb.conf.d/99-lab.cnf'
    ),
}
"""What is set on the server before an entry comes, since it runs by User Mode Linux."""


@dataclass(slots=True, kw_only=True)
class Bench:
    """A server, and the modules that work on it."""

    guest: Guest
    shelf: Shelf
    settings: Path

    def order(self, module: str, software: str, *, row: int, plan: Plan | None = None) -> WorkOrder:
        parameters = self.parameters(module, software, row=row)
        return WorkOrder(
            ticket="PL-2026-0001",
            step=f"instalasi.{row}",
            attempt=1,
            person="yoga",
            module=module,
            parameters=parameters,
            targets=(self.guest.name,),
            procedure_digest="",
            materials={},
            plan=plan,
        )

    def parameters(self, module: str, software: str, *, row: int) -> Json:
        procedure = Library(()).get("instalasi-piranti-lunak")
        now = datetime.now(UTC)
        ticket = Ticket(
            id="PL-2026-0001",
            procedure=procedure.code,
            procedure_digest="",
            unit="dinkes",
            applicant="siti",
            letter={"nama_host": self.guest.name},
            opened_at=now,
            state=State.OPEN,
            step=f"instalasi.{row}",
            since=now,
            data={
                "katalog": software,
                "alamat_ip": self.guest.host,
                "port_ssh": self.guest.port,
                "sidik_kunci": fingerprint(self.guest.host_key),
                **({"pengaturan": software} if row >= 10 else {}),
            },
        )
        step = procedure.step(f"instalasi.{row}")
        return software_parameters(module, ticket, step, shelf=self.shelf, settings=self.settings)

    def stage(self, kind: type[SoftwareStage], software: str, *, row: int) -> Result:
        """Plan and apply a stage as the gate would have it."""
        credentials = {"servers": Credentials(user=self.guest.user, key_file=self.guest.key_file)}
        module = kind(Ansible(credentials=credentials), roots=(shipped(),), shelf=self.shelf)
        order = self.order(module.name, software, row=row)
        materials = digests(module.materials(order.parameters))
        plan = module.plan(order.parameters, say) if kind in {Install, Configure} else None
        made = WorkOrder(
            **{name: getattr(order, name) for name in WorkOrder.__slots__} | {"plan": plan, "materials": materials}
        )
        return module.apply(made, say)

    def tests(self, module: str, software: str, *, row: int) -> Json:
        credentials = {"servers": Credentials(user=self.guest.user, key_file=self.guest.key_file)}
        tests = RunTests(module, DefaultTests(Ssh(credentials=credentials)))
        return tests.apply(self.order(module, software, row=row), say).facts


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        need_or_skip(missing="root on Debian (virtual machines)")
    home = tmp_path_factory.mktemp("software")
    (home / "settings").mkdir()
    put_package(home / "catalogue")
    guest = Guest.up(home / "lab", memory=1536, say=say)
    try:
        yield Bench(guest=guest, shelf=Shelf(home / "catalogue"), settings=home / "settings")
    finally:
        guest.down()


@pytest.mark.parametrize("name", SETTINGS)
def test_an_entry_from_its_requirements_to_its_removal(bench: Bench, name: str) -> None:
    lines = "\n".join(f"{key}: {value}" for key, value in SETTINGS[name].items())
    (bench.settings / f"{name}.yaml").write_text(f"{lines}\n")
    if name in USER_MODE:
        subprocess.run(bench.guest.ssh("sudo", "sh", "-s"), input=USER_MODE[name], text=True, check=True, timeout=600)
    checked = bench.stage(Check, name, row=4)
    assert checked.summary == "all requirements are met"
    bench.stage(Install, name, row=5)
    assert bench.stage(Run, name, row=6).summary == "it runs"
    tested = bench.tests("software.test", name, row=7)
    assert tested["failed"] == 0, tested
    bench.stage(Configure, name, row=10)
    verified = bench.tests("software.verify", name, row=11)
    assert verified["failed"] == 0, verified
    removed = bench.stage(Remove, name, row=8)
    say(removed.summary)
    assert removed.facts["evidence"]["left"] == []


def test_every_shipped_entry_is_tried() -> None:
    assert {*Shelf().names(), OWN} == set(SETTINGS)


def test_what_others_change_meanwhile_is_told_and_left_alone(bench: Bench) -> None:
    bench.stage(Install, OWN, row=5)
    changing = "echo ours >>/etc/buku-tamu.conf; echo theirs >/etc/issue.theirs"
    subprocess.run(bench.guest.ssh("sudo", "sh", "-c", f"'{changing}'"), check=True, timeout=60)
    proof = bench.stage(Remove, OWN, row=8).facts["evidence"]
    assert proof["left"] == []
    assert [line.partition(":")[0] for line in proof["others"]] == ["file /etc/issue.theirs"]
    there = bench.guest.ssh("cat", "/etc/issue.theirs")
    assert subprocess.run(there, check=True, capture_output=True, text=True, timeout=60).stdout == "theirs\n"


def test_what_was_taken_back_can_be_installed_again_with_its_data(bench: Bench) -> None:
    for _ in range(2):
        told = bench.stage(Install, "redis", row=5).facts["evidence"]["installed"]
        named = {line.partition(": ")[0] for line in told}
        assert {"package redis-server", "service redis-server.service"} <= named
        assert bench.stage(Run, "redis", row=6).summary == "it runs"
        removed = bench.stage(Remove, "redis", row=8).facts["evidence"]
        assert (removed["left"], removed["kept"]) == ([], ["/var/lib/redis"])
