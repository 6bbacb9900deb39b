"""SOP 003 by its real commands and the shipped role: rows, ways back, gate, bad input.

The machine is this one; the software is an archive of the tests' own, unpacked below a directory of the test. Packages
and services are installed on a virtual machine (test_software_lab.py).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.cast import TOMORROW
from lab.installing import request, statements, walk_of, workspace_for
from lab.loopback import LoopbackServer
from lab.mailbox import Mailbox
from lab.processes import wait_until
from lab.walking import Walk
from lab.workspace import make_key, public_half
from sopauto.app import CHANGING
from sopauto.clock import day_in_words
from sopauto.inventory.comparing.done_work import done_work
from sopauto.tickets.model import State, Ticket
from tests.acceptance.commands import Commands, StandIn
from tests.acceptance.entries import PROGRAM, packed, put_entry
from tests.acceptance.walked import BEGIN, Walked
from tests.conftest import need_or_skip

PLAYBOOK = """\
- name: Install a software
  hosts: all
  gather_facts: false
  vars: {ansible_python_interpreter: PYTHON, software_records: RECORDS}
  roles:
    - role: software
"""


@dataclass(slots=True, kw_only=True)
class Office(Commands):
    """Everything that SOP 003 needs."""

    bare: Any
    target: Path
    mailbox: Mailbox
    walked: Walked

    def walk(self, **further: Any) -> Walk:
        return walk_of(self.workspace, self.bare, "agenda", **further)

    def ticket_at(self, row: int, **further: Any) -> Ticket:
        walk = self.walk(**further)

        def go(ticket: str | None) -> str:
            begun = self.ticket(ticket) if ticket else walk.open(request(self.bare, "agenda"), person="yoga")
            return walk.until(begun, f"instalasi.{row}").id

        ticket = self.ticket(go(None) if further else self.walked.ticket_at(row, go))
        assert ticket.step == f"instalasi.{row}"
        return ticket

    def ticket(self, name: str) -> Ticket:
        with self.workspace.app().store.read() as reader:
            return reader.ticket(name)

    def entry(self, **changes: Any) -> Path:
        return put_entry(self.home / "catalogue", self.target, **changes)

    def settings(self, **values: object) -> None:
        (self.home / "settings" / "agenda.yaml").write_text(json.dumps(values))

    def there(self) -> list[str]:
        return sorted(path.relative_to(self.target).as_posix() for path in self.target.rglob("*") if path.is_file())

    def paper(self, ticket: str, name: str) -> Any:
        """Return the last document of a name, read as JSON."""
        app = self.workspace.app()
        with app.store.read() as reader:
            digests = [
                document["sha256"]
                for entry in reader.entries(ticket)
                for document in json.loads(entry.body)["documents"]
                if document["name"] == name
            ]
            return json.loads(reader.document(digests[-1]))


@pytest.fixture(scope="module")
def first_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        need_or_skip(missing="root on Debian (a server's state is recorded)")
    walked = Walked(folder=tmp_path_factory.mktemp("office"), kept=tmp_path_factory.mktemp("kept"))
    login, target = make_key(walked.folder / "login"), walked.folder / "server"
    target.mkdir()
    with (
        LoopbackServer(authorized=public_half(login), host="127.0.33.10") as server,
        Mailbox(directory=walked.folder / "mail") as mailbox,
    ):
        bare = StandIn(server=server, key_file=login)
        workspace = workspace_for(walked.folder / "kominfo", server=bare, mailbox=mailbox)
        text = PLAYBOOK.replace("PYTHON", sys.executable).replace("RECORDS", str(walked.folder / "records"))
        (workspace.home / "playbooks" / "install_software.yml").write_text(text)
        made = Office(workspace=workspace, bare=bare, target=target, mailbox=mailbox, walked=walked)
        made.entry()
        made.settings(port=9090, title="Agenda Dinas")
        walked.keep(BEGIN)
        yield made


@pytest.fixture
def office(first_office: Office) -> Office:
    first_office.walked.put_back(BEGIN)
    return first_office


def section(form: dict[str, Any], title: str) -> Any:
    [found] = [part for part in form["bagian"] if part["judul"].startswith(title)]
    return found.get("isian") or found.get("baris")


def titles(form: dict[str, Any]) -> str:
    return " ".join(part["judul"] for part in form["bagian"])


@pytest.mark.real_start("SOP 003, whole")
def test_from_the_letter_to_row_13_in_the_data_centre(office: Office) -> None:
    walk = office.walk()
    ticket = walk.to_the_end(walk.open(request(office.bare, "agenda"), person="yoga"))
    assert ticket.state is State.DONE
    assert office.there() == ["agenda.conf", "opt/agenda/bin/agenda"]
    assert (office.target / "agenda.conf").read_text() == "port 9090\ntitle Agenda Dinas\nfree \n"
    form = office.paper(ticket.id, "form-instalasi.json")
    assert form["tanda_tangan"][0]["sebagai"] == "Staf TI,"
    assert section(form, "Uji default")[0][1] == "ya"
    assert section(form, "Konfigurasi") == [["free", "-"], ["port", "9090"], ["title", "Agenda Dinas"]]
    assert {row[3] for row in section(form, "Persyaratan")} == {"ya"}
    office.inv("ticket.verify", ticket.id)
    told = office.inv("software.test", "all", as_="yoga").stdout
    assert "2 of 2 checks hold" in told
    (office.target / "opt/agenda/bin/agenda").write_text("#!/bin/sh\nexit 3\n")
    assert "exit 3" in office.inv("software.test", ticket.id, as_="yoga").stdout
    assert "a check that does not hold" in office.inv("software.test", "all", as_="yoga", expect=1).stderr


def test_at_the_users_place_the_schedule_is_mailed_and_the_user_signs(office: Office) -> None:
    walk = office.walk(answers={"instalasi.2": (False,), "instalasi.9": (False,)})
    ticket = walk.to_the_end(walk.open(request(office.bare, "agenda"), person="yoga"))
    assert ticket.step == "instalasi.12"
    office.inv("mail.send")
    assert day_in_words(TOMORROW) in office.mailbox.messages[-1].get_content()
    form = office.paper(ticket.id, "form-instalasi.json")
    assert form["tanda_tangan"][0]["sebagai"] == "User,"
    assert "Konfigurasi" not in titles(form)


def test_requirements_that_are_missing_are_told_at_once_and_nothing_is_touched(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        office.entry(requires={"cpus": 4000, "disk_mb": 99_000_000, "ports": [f"{port}/tcp"]})
        ticket = office.ticket_at(4)
        told = office.inv("ticket.run", ticket.id, as_="yoga").stdout
    assert "3 requirements are not met" in told
    assert f"port {port}/tcp is in use" in told
    assert "4000 are needed" in told
    assert "99000000 are needed" in told
    office.inv("ticket.reject", ticket.id, as_="yoga")
    assert office.show(ticket.id)["step"] == "instalasi.1"
    assert office.there() == []
    form = office.paper(ticket.id, "form-instalasi.json")
    assert [row[3] for row in section(form, "Persyaratan")].count("TIDAK") == 3


def test_a_default_test_that_fails_is_taken_back_with_proof_and_the_ticket_stands_at_row_1(office: Office) -> None:
    office.entry(content=packed({"bin/agenda": PROGRAM.replace("1.0", "0.9")}))
    (office.target / "agenda.conf").write_text("somebody's own\n")
    walk = office.walk(answers={"instalasi.7": (False,)})
    ticket = walk.until(walk.open(request(office.bare, "agenda"), person="yoga"), "instalasi.8")
    assert office.there() == ["agenda.conf", "opt/agenda/bin/agenda"]
    ticket = walk.row(ticket)
    assert ticket.step == "instalasi.1"
    assert office.there() == ["agenda.conf"]
    assert (office.target / "agenda.conf").read_text() == "somebody's own\n"
    form = office.paper(ticket.id, "form-instalasi.json")
    assert ["Perbedaan dengan keadaan semula", "tidak ada"] in section(form, "SW dibawa kembali")
    assert section(form, "Uji default")[0][1] == "TIDAK"
    assert office.paper(ticket.id, "software.remove.json")["left"] == []
    office.entry()
    walk.answers = {}
    assert walk.to_the_end(ticket).state is State.DONE


def test_an_installation_that_breaks_off_is_taken_back_at_once_and_can_be_run_again(office: Office) -> None:
    ticket = office.ticket_at(5).id
    office.inv("ticket.plan", ticket, as_="yoga")
    office.approve_plan(ticket, as_="rina")
    (office.target / "opt").write_text("in the way\n")
    failed = office.inv("software.install", ticket, as_="yoga", expect=1)
    assert "what was begun is taken back" in failed.stderr
    assert office.there() == ["opt"]
    assert not (office.home.parent / "records" / "agenda" / "before.json").exists()
    (office.target / "opt").unlink()
    office.inv("software.install", ticket, as_="yoga")
    assert office.there() == ["opt/agenda/bin/agenda"]


def test_a_killed_installation_is_finished_by_the_next_run_and_can_still_be_taken_back(office: Office) -> None:
    (office.target / "agenda.conf").write_text("somebody's own\n")
    ticket = office.ticket_at(5).id
    office.inv("ticket.plan", ticket, as_="yoga")
    office.approve_plan(ticket, as_="rina")
    run = office.run_until("software.install", ticket, as_="yoga", told=("now it is done", "Archive"))
    run.kill()
    run.communicate()
    assert wait_until(lambda: not office.playbook_runs(), seconds=20), "the playbook outlived its parent"
    assert office.there() == ["agenda.conf", "opt/agenda/bin/agenda"]
    assert office.show(ticket)["step"] == "instalasi.5"
    office.inv("software.install", ticket, as_="yoga")
    walk = office.walk(answers={"instalasi.7": (False,)})
    with walk.app.store.read() as reader:
        installed = reader.ticket(ticket)
        (work,) = done_work(reader, walk.app.procedure_of, CHANGING)
    assert (work.module, work.told) == ("software.install", ())
    taken_back = walk.row(walk.until(installed, "instalasi.8"))
    assert taken_back.step == "instalasi.1"
    assert office.there() == ["agenda.conf"]
    assert office.paper(ticket, "software.remove.json")["left"] == []


def test_a_configuration_that_is_not_right_goes_back_to_row_10_and_each_attempt_is_kept(office: Office) -> None:
    walk = office.walk(answers={"instalasi.11": (False, True)})
    ticket = walk.until(walk.open(request(office.bare, "agenda"), person="yoga"), "instalasi.11")
    ticket = walk.row(ticket)
    assert ticket.step == "instalasi.10"
    office.settings(port=9191, title="Agenda Dinas")
    ticket = walk.to_the_end(ticket)
    assert ticket.state is State.DONE
    form = office.paper(ticket.id, "form-instalasi.json")
    assert titles(form).count("Konfigurasi ") == 2
    assert (office.target / "agenda.conf").read_text().startswith("port 9191\n")


def test_nothing_runs_before_its_row_and_without_approval(office: Office) -> None:
    ticket = office.ticket_at(4).id
    for verb in ("approve", "reject"):
        assert "software.check has not run" in office.inv(f"ticket.{verb}", ticket, as_="yoga", expect=3).stderr
    for command in ("install", "remove", "configure"):
        assert "instalasi.4" in office.inv(f"software.{command}", ticket, as_="yoga", expect=3).stderr
    office.inv("ticket.run", ticket, as_="yoga")
    office.inv("ticket.approve", ticket, as_="yoga")
    office.inv("ticket.plan", ticket, as_="yoga")
    assert "is not approved" in office.inv("software.install", ticket, as_="yoga", expect=3).stderr
    assert "does not hold Sub Koordinator" in office.inv("ticket.approve", ticket, as_="yoga", expect=3).stderr
    assert office.there() == []


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"katalog": "tidakada"}, "the catalogue has no 'tidakada'"),
        ({"login": "siapa"}, "there is no login 'siapa'"),
    ],
)
def test_what_no_later_row_could_use_is_refused_at_row_1(office: Office, stated: dict[str, str], told: str) -> None:
    ticket = office.ticket_at(1).id
    values = {**statements(office.bare, "agenda"), **stated}
    row_1 = ("katalog", "alamat_ip", "port_ssh", "sidik_kunci", "login")
    given = [part for name in row_1 for part in ("--set", f"{name}={values[name]}")]
    assert told in office.inv("ticket.done", ticket, *given, as_="yoga", expect=2).stderr
    assert office.show(ticket)["step"] == "instalasi.1"


def test_a_check_that_cannot_run_is_recorded_and_answered_by_no_alone(office: Office) -> None:
    ticket = office.ticket_at(4, stated={"port_ssh": 1}).id
    failed = office.inv("ticket.run", ticket, as_="yoga", expect=1).stderr
    assert "could not be carried out" in failed
    assert f"inv ticket.reject {ticket}" in failed
    assert "has not come to its end" in office.inv("ticket.approve", ticket, as_="yoga", expect=3).stderr
    office.inv("ticket.reject", ticket, as_="yoga")
    shown = office.show(ticket)
    assert shown["step"] == "instalasi.1"
    assert "could not be carried out" in shown["history"][-2]["note"]
    office.inv("ticket.verify", ticket)


def test_an_entry_that_was_taken_away_after_row_1_still_lets_row_4_say_no(office: Office) -> None:
    ticket = office.ticket_at(4).id
    shutil.rmtree(office.home / "catalogue" / "agenda")
    assert "has no 'agenda'" in office.inv("ticket.run", ticket, as_="yoga", expect=1).stderr
    office.inv("ticket.reject", ticket, as_="yoga")


def test_an_entry_that_changed_after_the_approval_is_refused(office: Office) -> None:
    ticket = office.ticket_at(5).id
    office.inv("ticket.plan", ticket, as_="yoga")
    office.approve_plan(ticket, as_="rina")
    office.entry(content=packed({"bin/agenda": PROGRAM, "bin/more": PROGRAM}))
    refused = office.inv("ticket.run", ticket, as_="yoga", expect=3)
    assert "changed since the plan was approved" in refused.stderr
    assert office.there() == []


def test_row_8_cannot_be_passed_without_the_take_back(office: Office) -> None:
    ticket = office.ticket_at(8, answers={"instalasi.7": (False,)}).id
    for verb in ("approve", "done"):
        office.inv(f"ticket.{verb}", ticket, as_="yoga", expect=3)
    assert office.show(ticket)["step"] == "instalasi.8"


def _broken(office: Office, kind: str) -> str:
    """Break the entry in one way; return what is told."""
    entry = office.entry()
    archive = entry / "agenda-1.0.tar.gz"
    if kind == "checksum":
        archive.write_bytes(archive.read_bytes() + b"x")
        return "its SHA-256 is"
    if kind == "unsigned":
        (entry / "agenda-1.0.tar.gz.sig").write_text("no signature\n")
        return "none of its signers signed it"
    if kind == "traversal":
        office.entry(content=packed({"../../etc/cron.d/evil": PROGRAM}))
        return "leads out of its directory"
    if kind == "link":
        office.entry(content=packed({}, links={"etc": "/etc"}))
        return "leads out of its directory"
    office.entry(surprise=1)
    return "unknown key"


def test_an_entry_that_is_not_sound_is_refused_in_one_line(office: Office) -> None:
    ticket = office.ticket_at(5).id
    for kind in ("checksum", "unsigned", "traversal", "link", "key"):
        told = _broken(office, kind)
        assert told in office.inv("ticket.plan", ticket, as_="yoga", expect=2).stderr
        assert told in office.inv("software.check", "all", expect=2).stderr
    assert office.there() == []


def test_a_setting_that_is_not_sound_is_refused_in_one_line(office: Office) -> None:
    ticket = office.ticket_at(10).id
    bad: list[tuple[dict[str, object], str]] = [
        ({"prot": 1}, "did you mean 'port'?"),
        ({"port": 22}, "from 1024 to 65535"),
        ({"title": "$(reboot)"}, "may not hold"),
        ({"title": "{{ 7*7 }}"}, "may not hold"),
        ({"title": "x\nport 1"}, "may not hold"),
    ]
    for values, told in bad:
        office.settings(**values)
        assert told in office.inv("ticket.plan", ticket, as_="yoga", expect=2).stderr
    assert not (office.target / "agenda.conf").exists()


def test_shell_and_jinja_text_that_an_entry_allows_stays_what_it_is(office: Office) -> None:
    office.settings(free="{{ 7*7 }} $(touch /tmp/x) `id` {% raw %}", port=9090)
    ticket = office.ticket_at(11)
    assert ticket.step == "instalasi.11"
    assert "free {{ 7*7 }} $(touch /tmp/x) `id` {% raw %}\n" in (office.target / "agenda.conf").read_text()
