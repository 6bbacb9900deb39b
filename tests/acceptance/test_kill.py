"""`kill -9` while a port is being configured: the next run says what it found, and neither repeats nor forgets."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sopauto.custody import change
from sopauto.custody.switches.base import SENT
from tests.acceptance.commands import ROOT
from tests.acceptance.office import Office

KILLED = -9
RUN_AND_DIE = """
import os, signal, sys
from pathlib import Path
from sopauto.app import build
from sopauto.tickets import attempts, results
from sopauto.tickets.running import run

moment, count, ticket, key = sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
left = count

def report(text):
    global left
    if text.startswith(moment):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

if moment == "result":
    attempts.Work._record = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
if moment == "kept":
    results.Results._commit = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
run(build().desk("joko", key=key, report=report), ticket, person="joko", module="custody.connect")
"""


@pytest.fixture
def approved(office: Office) -> str:
    ticket = office.ticket_at("konfigurasi.1")
    office.plan_and_approve(ticket)
    office.switch.received.clear()
    return ticket


def run_and_die(office: Office, ticket: str, moment: str, count: int = 1) -> None:
    """Run `custody.connect` in a process that is killed at a moment."""
    arguments = [sys.executable, "-c", RUN_AND_DIE, moment, str(count), ticket, str(office.keys["joko"])]
    ended = subprocess.run(arguments, cwd=ROOT, env=office.variables(), check=False, capture_output=True)
    assert ended.returncode == KILLED, ended.stderr.decode()


@pytest.mark.parametrize("moment", [change.READING, change.SENDING])
def test_killed_before_the_first_line_it_is_run(office: Office, approved: str, moment: str) -> None:
    run_and_die(office, approved, moment)
    assert office.switch.configured() == []
    answer = office.inv("custody.connect", approved, as_="joko")
    assert "had changed nothing; it is run now" in answer.stdout
    assert "set, read back and saved" in answer.stdout
    assert office.switch.settings(office.port)["switchport access vlan"] == "30"


def test_killed_in_the_middle_it_is_unknown_until_an_engineer_decides(office: Office, approved: str) -> None:
    run_and_die(office, approved, SENT, count=3)
    sent = office.switch.configured()
    answer = office.inv("custody.connect", approved, as_="joko", expect=4)
    assert "neither as before nor as approved" in answer.stderr
    assert office.switch.configured() == sent
    assert "is unknown" in office.inv("custody.connect", approved, as_="joko", expect=3).stderr

    answer = office.inv("ticket.settle", approved, "--undo", "--note", "putus di tengah", as_="joko")
    assert office.switch.settings(office.port)["switchport access vlan"] == "999"
    assert "shutdown" in office.switch.settings(office.port)
    assert office.switch.startup.ports[office.port] == office.switch.settings(office.port)
    assert "set, read back and saved" in office.inv("custody.connect", approved, as_="joko").stdout


@pytest.mark.parametrize("moment", [change.VERIFYING, change.SAVING])
def test_killed_before_saving_it_is_saved_and_nothing_is_sent_twice(office: Office, approved: str, moment: str) -> None:
    run_and_die(office, approved, moment)
    sent = [line for line in office.switch.configured() if not line.startswith(("write", "conf"))]
    office.switch.received.clear()
    office.inv("custody.connect", approved, as_="joko")
    assert [line for line in office.switch.configured() if not line.startswith("write")] == []
    assert sent
    assert office.switch.startup.ports[office.port]["switchport access vlan"] == "30"


@pytest.mark.parametrize("moment", [change.SAVED, "result"])
def test_killed_after_saving_it_is_recorded_as_done(office: Office, approved: str, moment: str) -> None:
    run_and_die(office, approved, moment)
    office.switch.received.clear()
    answer = office.inv("custody.connect", approved, as_="joko")
    assert "had been carried out and saved; nothing was sent again" in answer.stdout
    assert office.switch.configured() == []
    assert office.show(approved)["step"] == "konfigurasi.2"
    office.inv("ticket.verify", approved)


def test_killed_between_the_work_and_its_entry_what_was_kept_is_recorded_with_its_evidence(
    office: Office, approved: str
) -> None:
    run_and_die(office, approved, "kept")
    office.switch.received.clear()
    answer = office.inv("custody.connect", approved, as_="joko")
    assert "is done, as was kept; nothing is run again" in answer.stdout
    assert office.switch.received == []
    told = office.show(approved)
    assert told["step"] == "konfigurasi.2"
    assert "sesi-switch.log" in told["history"][-1]["documents"]
    assert list((office.home / "unrecorded").iterdir()) == []
    office.inv("ticket.verify", approved)


def test_while_it_runs_nobody_else_runs_it(office: Office, approved: str) -> None:
    office.switch.slow = 1.0
    first = subprocess.Popen(
        office.command("custody.connect", approved, as_="joko"),
        cwd=ROOT,
        env=office.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert first.stdout is not None
    assert b"reading the port" in first.stdout.readline(), first.communicate(timeout=110)
    answer = office.inv("custody.connect", approved, as_="joko", expect=3)
    assert "attempt 1 by joko runs since" in answer.stderr
    _, told = first.communicate(timeout=110)
    assert first.returncode == 0, told.decode()
