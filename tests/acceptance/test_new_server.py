"""SOP 000 by its real commands: rows, ways back, the gate, and what stops a run. The machine is this one, on loopback.

The playbooks are the workspace's own, which win over the shipped ones: they write files below a directory of the test.
The shipped roles run on virtual machines (test_new_server_lab.py, molecule/).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lab.loopback import LoopbackServer
from lab.mailbox import Mailbox
from lab.newserver import request, statements, walk_of, workspace_for
from lab.processes import wait_until
from lab.walking import Walk
from lab.workspace import make_key, public_half
from sopauto.tickets.model import State, Ticket
from tests.acceptance.commands import ROOT, Commands, StandIn
from tests.acceptance.walked import BEGIN, Walked

PLAYBOOK = """\
- name: Write files
  hosts: all
  gather_facts: false
  tasks:
    - name: First of NAME
      ansible.builtin.copy: {content: "{{ WORD }}\\n", dest: TARGET/NAME-1, mode: "0644"}
    - name: Look away
      look_away: {file: TARGET/seconds}
    - name: Second of NAME
      ansible.builtin.copy: {content: "{{ WORD }}\\n", dest: TARGET/NAME-2, mode: "0644"}
"""


LOOK_AWAY = """\
import time
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={"file": {"type": "path"}}, supports_check_mode=True)
if not module.check_mode:
    time.sleep(float(open(module.params["file"]).read()))
module.exit_json(changed=False)
"""


@dataclass(slots=True, kw_only=True)
class Directorate(Commands):
    """Everything that SOP 000 needs."""

    bare: Any
    target: Path
    mailbox: Mailbox
    walked: Walked

    def walk(self, **further: Any) -> Walk:
        return walk_of(self.workspace, self.bare, **further)

    def ticket_at(self, row: int) -> str:
        walk = self.walk()

        def go(ticket: str | None) -> str:
            begun = self.ticket(ticket) if ticket else walk.open(request(self.bare), person="siti")
            return walk.until(begun, f"pemasangan.{row}").id

        ticket = self.ticket(self.walked.ticket_at(row, go))
        assert ticket.step == f"pemasangan.{row}"
        return ticket.id

    def ticket(self, name: str) -> Ticket:
        with self.workspace.app().store.read() as reader:
            return reader.ticket(name)

    def written(self) -> list[str]:
        return sorted(path.name for path in self.target.glob("*-[12]"))

    def take_time(self, seconds: int) -> None:
        (self.target / "seconds").write_text(str(seconds))


@pytest.fixture(scope="module")
def first_directorate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directorate]:
    walked = Walked(folder=tmp_path_factory.mktemp("directorate"), kept=tmp_path_factory.mktemp("kept"))
    login, target = make_key(walked.folder / "login"), walked.folder / "server"
    target.mkdir()
    with (
        LoopbackServer(authorized=public_half(login), host="127.0.32.10") as server,
        Mailbox(directory=walked.folder / "mail") as mailbox,
    ):
        bare = StandIn(server=server, key_file=login)
        profile = {
            "title": "Uji",
            "administrators": ["yoga"],
            "hardening": {"word": "aman"},
        }
        workspace = workspace_for(walked.folder / "dtiki", server=bare, mailbox=mailbox, profile=profile)
        (workspace.home / "playbooks" / "library").mkdir(parents=True)
        (workspace.home / "playbooks" / "library" / "look_away.py").write_text(LOOK_AWAY)
        for name, word in (("provision_server", "provision_time_zone"), ("harden_server", "hardening_word")):
            text = PLAYBOOK.replace("NAME", name.partition("_")[0]).replace("WORD", word)
            text = text.replace("TARGET", str(target)).replace(
                "  gather_facts: false\n",
                f"  gather_facts: false\n  vars: {{ansible_python_interpreter: {sys.executable}}}\n",
            )
            (workspace.home / "playbooks" / f"{name}.yml").write_text(text)
        made = Directorate(workspace=workspace, bare=bare, target=target, mailbox=mailbox, walked=walked)
        made.take_time(0)
        walked.keep(BEGIN)
        yield made


@pytest.fixture
def directorate(first_directorate: Directorate) -> Directorate:
    first_directorate.walked.put_back(BEGIN)
    return first_directorate


@pytest.mark.real_start("SOP 000, whole")
def test_from_the_letter_to_row_19(directorate: Directorate) -> None:
    walk = directorate.walk()
    ticket = walk.to_the_end(walk.open(request(directorate.bare), person="siti"))
    assert ticket.state is State.DONE
    assert directorate.written() == ["harden-1", "harden-2", "provision-1", "provision-2"]
    documents = {name for entry in directorate.show(ticket.id)["history"] for name in entry["documents"]}
    assert {
        "surat-permohonan.pdf",
        "lembar-disposisi.pdf",
        "bahan-laporan-ketersediaan.pdf",
        "laporan-ketersediaan.pdf",
        "rencana.json",
        "laporan-pemasangan.pdf",
        "bast-penggunaan.pdf",
        "instruksi.pdf",
        "server.provision-tasks.txt",
        "server.harden-playbook.log",
        "laporan-pelaksanaan.pdf",
        "jurnal-harian.pdf",
        "konfirmasi-kesiapan.pdf",
    } <= documents
    directorate.inv("mail.send")
    assert "siap digunakan" in directorate.mailbox.messages[-1].get_content()
    directorate.inv("ticket.verify", ticket.id)


@pytest.mark.parametrize(("row", "back"), [(8, 7), (9, 7), (10, 9), (11, 10)])
def test_each_no_goes_back_where_the_paper_says_and_comes_to_the_end_again(
    directorate: Directorate, row: int, back: int
) -> None:
    walk = directorate.walk(answers={f"pemasangan.{row}": (False, True)})
    ticket = walk.until(walk.open(request(directorate.bare), person="siti"), f"pemasangan.{row}")
    ticket = walk.row(ticket)
    assert ticket.step == f"pemasangan.{back}"
    assert ticket.rounds[f"pemasangan.{back}"] == 2
    ticket = walk.until(ticket, "pemasangan.12")
    assert ticket.step == "pemasangan.12"
    assert ticket.plans["pemasangan.15"].approved_by == "rina"


def test_nothing_runs_before_row_15(directorate: Directorate) -> None:
    ticket = directorate.ticket_at(14)
    for module in ("server.provision", "server.harden", "ticket.run"):
        assert "pemasangan.14" in directorate.inv(module, ticket, as_="yoga", expect=3).stderr
    assert directorate.written() == []


def test_the_two_parts_can_be_run_one_after_the_other(directorate: Directorate) -> None:
    ticket = directorate.ticket_at(15)
    directorate.inv("server.provision", ticket, as_="yoga")
    assert directorate.written() == ["provision-1", "provision-2"]
    assert directorate.show(ticket)["step"] == "pemasangan.15"
    directorate.inv("server.harden", ticket, as_="yoga")
    assert directorate.written() == ["harden-1", "harden-2", "provision-1", "provision-2"]
    assert directorate.show(ticket)["step"] == "pemasangan.16"


def test_a_plan_that_changed_after_row_10_is_refused_at_row_15_and_goes_back_to_row_9(directorate: Directorate) -> None:
    ticket = directorate.ticket_at(15)
    path = directorate.workspace.home / "profiles" / "aplikasi-kecil.yaml"
    path.write_text(path.read_text().replace('"aman"', '"tidak aman"'))
    refused = directorate.inv("ticket.run", ticket, as_="yoga", expect=3)
    assert "parameter server.harden.variables changed since the plan was approved" in refused.stderr
    assert directorate.show(ticket)["step"] == "pemasangan.9"
    assert directorate.written() == []


def test_a_server_that_changed_after_row_10_is_refused_and_goes_back_to_row_9(directorate: Directorate) -> None:
    ticket = directorate.ticket_at(15)
    (directorate.target / "harden-2").write_text("somebody was here\n")
    refused = directorate.inv("server.harden", ticket, as_="yoga", expect=3)
    assert "Second of harden would change otherwise" in refused.stderr
    assert directorate.show(ticket)["step"] == "pemasangan.9"
    assert (directorate.target / "harden-2").read_text() == "somebody was here\n"


def test_what_was_done_meanwhile_as_approved_is_not_done_again(directorate: Directorate) -> None:
    ticket = directorate.ticket_at(15)
    (directorate.target / "provision-1").write_text("Asia/Jakarta\n")
    (directorate.target / "provision-1").chmod(0o644)
    directorate.inv("ticket.run", ticket, as_="yoga")
    assert directorate.show(ticket)["step"] == "pemasangan.16"


def test_a_killed_run_leaves_nothing_running_and_the_next_one_goes_on(directorate: Directorate) -> None:
    ticket = directorate.ticket_at(15)
    directorate.take_time(60)
    run = subprocess.Popen(directorate.command("ticket.run", ticket, as_="yoga"), cwd=ROOT, env=directorate.variables())
    assert wait_until(lambda: "provision-1" in directorate.written(), seconds=60)
    assert directorate.playbook_runs()
    run.kill()
    run.wait(10)
    assert wait_until(lambda: not directorate.playbook_runs(), seconds=20), "the playbook outlived its parent"
    assert directorate.written() == ["provision-1"]
    directorate.take_time(0)
    told = directorate.inv("ticket.run", ticket, as_="yoga").stdout
    assert "did a part of it; what is left was approved" in told
    assert directorate.show(ticket)["step"] == "pemasangan.16"


def test_ctrl_c_stops_the_playbook_and_is_recorded(directorate: Directorate) -> None:
    ticket = directorate.ticket_at(15)
    directorate.take_time(60)
    run = subprocess.Popen(
        directorate.command("ticket.run", ticket, as_="yoga"),
        cwd=ROOT,
        env=directorate.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert wait_until(lambda: "provision-1" in directorate.written(), seconds=60)
    begun = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert time.monotonic() - begun < 30
    assert run.returncode == 1
    assert "stopped by SIGINT" in errors
    history = directorate.show(ticket)["history"]
    assert "stopped by SIGINT" in history[-1]["note"]
    assert directorate.show(ticket)["step"] == "pemasangan.15"
    directorate.take_time(0)
    directorate.inv("ticket.run", ticket, as_="yoga")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sidik_kunci": "SHA256:" + "A" * 43}, "the host key is SHA256:"),
        ({"port_ssh": 1}, "does not answer on 127.0.32.10 port 1: refused"),
    ],
)
def test_what_cannot_be_planned_is_one_line_and_leaves_the_ticket_at_row_9(
    directorate: Directorate, change: dict[str, Any], told: str
) -> None:
    walk = directorate.walk()
    walk.statements = {**statements(directorate.bare), **change}
    ticket = walk.until(walk.open(request(directorate.bare), person="siti"), "pemasangan.9")
    assert told in directorate.inv("ticket.plan", ticket.id, as_="dedi", expect=1).stderr
    assert "there is none" in directorate.inv("ticket.approve", ticket.id, as_="dedi", expect=3).stderr
    directorate.inv("ticket.reject", ticket.id, as_="dedi")
    assert directorate.show(ticket.id)["step"] == "pemasangan.7"


def test_a_stale_plan_can_be_made_again_by_who_ordered_the_work_at_row_14(directorate: Directorate) -> None:
    ticket = directorate.ticket_at(15)
    (directorate.target / "harden-2").write_text("somebody was here\n")
    directorate.inv("ticket.run", ticket, as_="yoga", expect=3)
    directorate.inv("ticket.plan", ticket, as_="dedi")
    walk = directorate.walk()
    with walk.app.store.read() as reader:
        again = reader.ticket(ticket)
    assert walk.to_the_end(again).state is State.DONE
    directorate.inv("ticket.verify", ticket)


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ({"title": "Uji", "cpu": 2}, "known: title, credentials, resources"),
        ({"title": "Uji", "open_ports": ["http"]}, "'http' is no port"),
        ({"title": "Uji", "administrators": ["siapa"]}, "siapa"),
        ({"title": "Uji", "credentials": "lain"}, "no login 'lain'"),
        ({"title": "Uji", "disks": [{"device": "vdc", "group": "data"}]}, "disks.0.device"),
    ],
)
def test_a_profile_that_is_not_sound_is_refused_where_it_is_named(
    directorate: Directorate, profile: dict[str, Any], told: str
) -> None:
    ticket = directorate.ticket_at(8)
    (directorate.workspace.home / "profiles" / "aplikasi-kecil.yaml").write_text(json.dumps(profile))
    named = ("ticket.approve", ticket, "--set", "profil=aplikasi-kecil")
    assert told in directorate.inv(*named, as_="yoga", expect=2).stderr
    assert directorate.show(ticket)["step"] == "pemasangan.8"


def test_a_profile_that_is_not_there_is_refused_where_it_is_named(directorate: Directorate) -> None:
    ticket = directorate.ticket_at(8)
    answer = directorate.inv("ticket.approve", ticket, "--set", "profil=tidak-ada", as_="yoga", expect=2)
    assert "there is no profile 'tidak-ada'" in answer.stderr


def test_an_expired_waiver_is_refused_and_one_in_force_is_part_of_what_is_approved(directorate: Directorate) -> None:
    ticket = directorate.ticket_at(9)
    waiver = {"server": "server-01", "control": "5.1.8", "reason": "tunnel", "approved_by": "Kasubdit"}
    path = directorate.workspace.home / "waivers.yaml"
    yesterday = datetime.now(UTC).date() - timedelta(days=2)
    path.write_text(json.dumps([{**waiver, "expires": str(yesterday)}]))
    assert "expired on" in directorate.inv("ticket.plan", ticket, as_="dedi", expect=2).stderr
    path.write_text(json.dumps([{**waiver, "expires": "2099-12-31"}]))
    plan = json.loads(directorate.inv("ticket.plan", ticket, "--json", as_="dedi").stdout)
    variables = plan["plan"]["parameters"]["server.harden"]["variables"]
    assert variables["hardening_waivers"][0]["control"] == "5.1.8"
