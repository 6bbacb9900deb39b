"""Commands in a playbook: the official signs them, they run once, and nothing is called done that was not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.commands import ROOT
from tests.acceptance.office import Office

BACKUP = """\
- name: Back up
  hosts: all
  gather_facts: false
  tasks:
    - name: Keep a copy
      ansible.builtin.shell: echo {{ isi }} >> TARGET
LAST
"""
FAILS = """\
    - name: Then stumble
      ansible.builtin.command: "false"
"""
SEEN = """
import os, signal, sys
from pathlib import Path
from sopauto.app import build
from sopauto.tickets import attempts
from sopauto.tickets.running import run

attempts.Work._record = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
run(build().desk("joko", key=Path(sys.argv[2])), sys.argv[1], person="joko")
"""


def planned(given: tuple[Office, str], target: Path, last: str = "") -> tuple[Office, str, str]:
    """Let the office's playbook be a backup, and its plan be approved; return what the official saw."""
    office, _ = given
    playbook = BACKUP.replace("TARGET", str(target)).replace("LAST\n", last)
    (office.home / "playbooks" / "tulis_berkas.yml").write_text(playbook)
    office.inv("ticket.open", str(office.home / "letter.yaml"), as_="siti")
    ticket = office.newest_ticket()
    told = office.inv("ticket.plan", ticket, as_="joko").stdout
    office.approve_plan(ticket, as_="bambang")
    return office, ticket, told


def test_a_backup_is_listed_runs_once_on_approval_and_not_again(
    office_with_playbook: tuple[Office, str], tmp_path: Path
) -> None:
    target = tmp_path / "backup"
    office, ticket, told = planned(office_with_playbook, target)
    assert "! will run, effect cannot be foreseen: Keep a copy" in told
    assert f"ansible.builtin.shell: echo halo >> {target}" in told
    assert "as wanted" not in told
    assert not target.exists()
    done = office.inv("ticket.run", ticket, as_="joko").stdout
    assert "1 ran whose effect nobody can read back: Keep a copy" in done
    assert target.read_text() == "halo\n"
    office.inv("ticket.run", ticket, as_="joko", expect=3)
    office.inv("ticket.verify", ticket)
    assert target.read_text() == "halo\n"


def test_what_may_have_run_is_not_run_again_under_the_same_approval(
    office_with_playbook: tuple[Office, str], tmp_path: Path
) -> None:
    target = tmp_path / "backup"
    office, ticket, _ = planned(office_with_playbook, target, FAILS)
    assert "Then stumble" in office.inv("ticket.run", ticket, as_="joko", expect=1).stderr
    answer = office.inv("ticket.run", ticket, as_="joko", expect=3)
    assert "may have run Keep a copy, which runs once for one approval" in answer.stderr
    assert target.read_text() == "halo\n"
    assert office.show(ticket)["plan"] is None


def test_killed_after_the_work_nobody_can_tell_and_an_engineer_decides(
    office_with_playbook: tuple[Office, str], tmp_path: Path
) -> None:
    target = tmp_path / "backup"
    office, ticket, _ = planned(office_with_playbook, target)
    command = [sys.executable, "-c", SEEN, ticket, str(office.keys["joko"])]
    assert subprocess.run(command, cwd=ROOT, env=office.variables(), check=False).returncode == -9
    answer = office.inv("ticket.run", ticket, as_="joko", expect=4)
    assert "may have run Keep a copy, and nobody can tell" in answer.stderr
    assert target.read_text() == "halo\n"


@pytest.mark.parametrize("how", ["check_mode: false", "check_mode: no", 'check_mode: "{{ isi }}"'])
def test_what_would_run_in_check_mode_is_refused_by_sop_check_and_at_plan(
    office_with_playbook: tuple[Office, str], tmp_path: Path, how: str
) -> None:
    office, _ = office_with_playbook
    target, sop = tmp_path / "backup", office.home / "procedures" / "zona.yaml"
    playbook = BACKUP.replace("TARGET", str(target)).replace("LAST\n", f"      {how}\n")
    (office.home / "playbooks" / "tulis_berkas.yml").write_text(playbook)
    found = office.inv("sop.check", str(sop), expect=2).stdout
    assert "playbooks/tulis_berkas.yml:7: check_mode:" in found
    office.inv("ticket.open", str(office.home / "letter.yaml"), as_="siti")
    answer = office.inv("ticket.plan", office.newest_ticket(), as_="joko", expect=3)
    assert "playbooks/tulis_berkas.yml:7: check_mode:" in answer.stderr
    assert not target.exists()
