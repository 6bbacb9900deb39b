"""Every shipped entry and one of an agency's own on a bare server: from the requirements to the removal.

The modules are driven by hand, one entry after the other in the same container: what one leaves behind would show at
the next. The one that sets a kernel's clock gets a server with a kernel of its own. The whole SOP with its papers is
walked in test_software.py.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lab.guest import Guest
from sopauto.cli.console import say
from sopauto.drivers.playbook import Ansible
from sopauto.drivers.ssh import Ssh
from sopauto.machines.host_keys import fingerprint
from sopauto.procedures.library import Library
from sopauto.settings import Credentials
from sopauto.software.checks import RunTests
from sopauto.software.default_tests import DefaultTests
from sopauto.software.parameters import software_parameters
from sopauto.software.shelf import Shelf
from sopauto.software.steps import Check, Configure, Install, Remove, Run, SoftwareStage
from sopauto.technical.run_files import shipped
from sopauto.tickets.gate import digests
from sopauto.tickets.model import State, Ticket
from sopauto.work import Json, Plan, Result, WorkOrder
from tests.acceptance.entries import put_package
from tests.conftest import need_or_skip

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

OWN = "buku-tamu"
"""A package file of an agency's own, which no shipped entry knows."""
AGAIN = "redis"
"""Has data that stays when it is taken back."""
CLOCK = "chrony"
"""A container has this machine's clock, which nobody but its administrator may set."""
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "nginx": {"port": 8181, "server_name": "web.example.go.id"},
    "apache-php": {"server_name": "web.example.go.id"},
    "postgresql": {"max_connections": 50},
    "mariadb": {"max_connections": 60},
    AGAIN: {"keep": "allkeys-lru"},
    "tomcat": {"heap_mb": 96},
    "docker": {"log_mb": 5},
    CLOCK: {"server": "10.0.2.2"},
    "fail2ban": {"tries": 3},
    "zabbix-agent": {"name": "server-01.example.go.id"},
    "nodejs": {"environment": "development"},
    "status-page": {"port": 8191},
    OWN: {"port": 8282},
}


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
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the settings of all entries and a catalogue of an agency's own."""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        need_or_skip(missing="root on Debian (containers, virtual machines)")
    made = tmp_path_factory.mktemp("software")
    (made / "settings").mkdir()
    for name, settings in SETTINGS.items():
        lines = "\n".join(f"{key}: {value}" for key, value in settings.items())
        (made / "settings" / f"{name}.yaml").write_text(f"{lines}\n")
    put_package(made / "catalogue")
    return made


@contextmanager
def bench_on(home: Path, *, contained: bool) -> Iterator[Bench]:
    guest = Guest.up(home / ("contained" if contained else "lab"), contained=contained, say=say)
    try:
        yield Bench(guest=guest, shelf=Shelf(home / "catalogue"), settings=home / "settings")
    finally:
        guest.down()


@pytest.fixture(scope="module")
def bench(home: Path) -> Iterator[Bench]:
    with bench_on(home, contained=True) as made:
        yield made


def installed_and_set_up(bench: Bench, name: str) -> set[str]:
    """Walk an entry from its requirements to its configuration; return what installing brought."""
    checked = bench.stage(Check, name, row=4)
    assert checked.summary == "all requirements are met"
    brought = installed(bench, name)
    tested = bench.tests("software.test", name, row=7)
    assert tested["failed"] == 0, tested
    bench.stage(Configure, name, row=10)
    verified = bench.tests("software.verify", name, row=11)
    assert verified["failed"] == 0, verified
    return brought


def installed(bench: Bench, name: str) -> set[str]:
    told = bench.stage(Install, name, row=5).facts["evidence"]["installed"]
    assert bench.stage(Run, name, row=6).summary == "it runs"
    return {line.partition(": ")[0] for line in told}


def taken_back(bench: Bench, name: str) -> Json:
    """Take an entry back; return the proof."""
    removed = bench.stage(Remove, name, row=8)
    say(removed.summary)
    proof: Json = removed.facts["evidence"]
    assert proof["left"] == []
    return proof


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in {OWN, AGAIN, CLOCK}])
def test_an_entry_from_its_requirements_to_its_removal(bench: Bench, name: str) -> None:
    installed_and_set_up(bench, name)
    taken_back(bench, name)


def test_every_shipped_entry_is_tried() -> None:
    assert {*Shelf().names(), OWN} == set(SETTINGS)


@pytest.mark.timeout(900)
def test_an_entry_that_sets_the_clock_on_a_kernel_of_its_own(home: Path) -> None:
    with bench_on(home, contained=False) as machine:
        installed_and_set_up(machine, CLOCK)
        taken_back(machine, CLOCK)


def test_what_others_change_meanwhile_is_told_and_left_alone(bench: Bench) -> None:
    installed_and_set_up(bench, OWN)
    changing = "echo ours >>/etc/buku-tamu.conf; echo theirs >/etc/issue.theirs"
    subprocess.run(bench.guest.ssh("sudo", "sh", "-c", f"'{changing}'"), check=True, timeout=60)
    proof = taken_back(bench, OWN)
    assert [line.partition(":")[0] for line in proof["others"]] == ["file /etc/issue.theirs"]
    there = bench.guest.ssh("cat", "/etc/issue.theirs")
    assert subprocess.run(there, check=True, capture_output=True, text=True, timeout=60).stdout == "theirs\n"


def test_what_was_taken_back_can_be_installed_again_with_its_data(bench: Bench) -> None:
    for walked in (installed_and_set_up, installed):
        assert {"package redis-server", "service redis-server.service"} <= walked(bench, AGAIN)
        assert taken_back(bench, AGAIN)["kept"] == ["/var/lib/redis"]
