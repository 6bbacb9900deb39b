"""The shipped hardening on a virtual machine, by the real commands: what goes wrong on the way to row 16, and then.

One story in the order of the tests: each begins and, but for the last ones, ends with the ticket at row 15. The plan
was approved once; every run after a fault goes on where the last one stopped.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.guest import Guest
from lab.mailbox import Mailbox
from lab.newserver import request, walk_of, workspace_for
from lab.processes import wait_until
from sopauto.cli.console import say
from tests.acceptance.commands import Commands
from tests.conftest import need_or_skip

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

GUARDED = "/etc/ssh /etc/pam.d /etc/security /etc/login.defs /etc/sudoers.d /etc/nftables.conf"
ROLLBACK = 60
"""Seconds until a server brings its old settings back by itself."""
PASSWORD = "kata-sandi-sudo"
NOT_HERE = ("apparmor", "audit", "cron", "file_systems", "integrity", "logging", "modules", "packages", "services")
"""Topics that cannot lock out; molecule's scenarios have them."""
FIREWALL = "firewall"
"""User Mode Linux has none; the scenario `hardening` has it."""
PROFILE = {
    "title": "Server aplikasi kecil",
    "resources": {"cpus": 1, "memory_mb": 400, "disk_gb": 1},
    "upgrade": False,
    "hardening": {**dict.fromkeys((*NOT_HERE, FIREWALL), False), "rollback_seconds": ROLLBACK},
}
PROVISION = """\
- name: Provision a server
  hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: Look what it is
      ansible.builtin.stat: {path: /etc/debian_version}
"""
"""The workspace's own playbook in the place of the shipped one, which has a scenario of molecule's to itself."""
IN_EARNEST = ("server.harden on", "now it is done", "SSH server")
"""What the hardening tells when check mode is over and its guarded part has begun."""
NOT_YET = "cracklib-runtime"
"""A package of the controls that the server lacks, so that something must be fetched."""


@dataclass(slots=True, kw_only=True)
class Site(Commands):
    """A server on the way to row 16."""

    guest: Guest
    ticket: str = ""

    def on_server(self, script: str, *, seconds: int = 300) -> str:
        """Return what a shell script prints on the server, run by root."""
        # Sudo reads the password from its standard input, then the shell its script.
        command = self.guest.ssh("sudo", "-S", "-k", "-p", "''", "sh", "-s")
        ended = subprocess.run(
            command, input=f"{PASSWORD}\n{script}\n", capture_output=True, text=True, check=True, timeout=seconds
        )
        return ended.stdout

    def armed(self) -> bool:
        """Tell whether old settings wait on the server to be brought back."""
        return "yes" in self.on_server("test ! -e /var/lib/sopauto/rollback/armed || echo yes")

    def sshd(self) -> list[str]:
        """Return what sshd says that its settings are."""
        return self.on_server("/usr/sbin/sshd -T").splitlines()

    def row(self) -> str:
        return str(self.show(self.ticket)["step"]).rpartition(".")[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with sudo's password, without one package, and a ticket at row 15 whose plan is approved."""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        need_or_skip(missing="root on Debian (virtual machines)")
    home = tmp_path_factory.mktemp("new-server")
    guest = Guest.up(home / "lab", prepared=True, say=say)
    try:
        with Mailbox(directory=home / "mail") as mailbox:
            workspace = workspace_for(home / "dtiki", server=guest, mailbox=mailbox, profile=PROFILE)
            (workspace.home / "playbooks").mkdir()
            (workspace.home / "playbooks" / "provision_server.yml").write_text(PROVISION)
            with (workspace.home / "sopauto.toml").open("a") as settings:
                settings.write('sudo_password_env = "SUDO_OF_SERVERS"\n')
            made = Site(workspace=workspace, guest=guest, environment={"SUDO_OF_SERVERS": PASSWORD}, seconds=600)
            _ask_for_a_password(guest)
            made.on_server(f"apt-get purge -y -qq {NOT_YET}")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SUDO_OF_SERVERS", PASSWORD)
                walk = walk_of(workspace, guest, report=say)
                made.ticket = walk.until(walk.open(request(guest), person="siti"), "pemasangan.15").id
            yield made
    finally:
        guest.down()


def _ask_for_a_password(guest: Guest) -> None:
    """Give the administrator a password, and let sudo ask for it."""
    script = f"echo admin:{PASSWORD} | chpasswd; echo 'admin ALL=(ALL) ALL' >/etc/sudoers.d/admin"
    subprocess.run(guest.ssh("sudo", "sh", "-c", f'"{script}"'), check=True, timeout=60)


def test_a_wrong_sudo_password_changes_nothing(site: Site) -> None:
    site.environment = {"SUDO_OF_SERVERS": "falsch"}
    try:
        refused = site.inv("ticket.run", site.ticket, as_="yoga", expect=1)
    finally:
        site.environment = {"SUDO_OF_SERVERS": PASSWORD}
    assert "sudo password" in refused.stderr.lower()
    assert "falsch" not in refused.stdout + refused.stderr
    assert site.row() == "15"


def test_without_its_packages_a_run_stops_and_the_ticket_tells_it(site: Site) -> None:
    site.on_server("ip route show default >/run/way-out; ip route del default")
    try:
        stopped = site.inv("ticket.run", site.ticket, as_="yoga", expect=1)
    finally:
        site.on_server("ip route add $(cat /run/way-out)")
    assert NOT_YET in stopped.stderr
    assert site.row() == "15"
    last = site.show(site.ticket)["history"][-1]
    assert "stopped after" in last["note"]
    assert "server.harden-playbook.log" in last["documents"]


def test_a_full_disk_stops_a_run_before_it_begins_or_in_the_middle(site: Site) -> None:
    before = site.on_server(f"find {GUARDED} -type f -exec sha256sum {{}} + | sort")
    site.on_server("dd if=/dev/zero of=/filler bs=1M status=none || true; sync")
    try:
        refused = site.inv("server.harden", site.ticket, as_="yoga", expect=1)
        site.on_server("truncate --size=-3M /filler; sync")
        stopped = site.inv("server.harden", site.ticket, as_="yoga", expect=1)
    finally:
        site.on_server("rm /filler; sync")
    assert "no space is left on the server" in refused.stderr
    assert "free space" in stopped.stderr or "No space left" in stopped.stderr
    assert "stopped after" in site.show(site.ticket)["history"][-1]["note"]
    assert site.row() == "15"
    assert site.on_server(f"find {GUARDED} -type f -exec sha256sum {{}} + | sort") == before


def test_a_line_that_is_cut_ends_the_run_and_the_server_brings_its_old_settings_back(site: Site) -> None:
    run = site.run_until("server.harden", site.ticket, as_="yoga", told=IN_EARNEST)
    site.guest.vm.set_link(up=False)
    try:
        _, errors = run.communicate(timeout=300)
        assert run.returncode == 1, errors
        # Found by the guarded task itself, or by the proof of a new login.
        assert "unreachable" in errors.lower() or "the server brings its old settings back within" in errors, errors
    finally:
        site.guest.vm.set_link(up=True)
    assert wait_until(site.guest.answers, seconds=120)
    assert wait_until(lambda: not site.armed(), seconds=2 * ROLLBACK, pause=5)
    assert "permitrootlogin no" not in site.sshd()
    assert site.row() == "15"
    assert "the old settings are back" not in site.show(site.ticket)["history"][-1]["note"]


def test_after_a_power_cut_the_old_settings_are_back_and_the_next_run_finishes(site: Site) -> None:
    run = site.run_until("server.harden", site.ticket, as_="yoga", told=IN_EARNEST)
    site.guest.power_cut()
    _, errors = run.communicate(timeout=300)
    assert run.returncode == 1, errors
    assert site.row() == "15"
    site.guest.power_on(say=say)
    assert wait_until(lambda: not site.armed(), seconds=2 * ROLLBACK, pause=5)
    assert "permitrootlogin no" not in site.sshd()
    site.inv("ticket.run", site.ticket, as_="yoga")
    assert site.row() == "16"
    assert "permitrootlogin no" in site.sshd()
    site.inv("ticket.verify", site.ticket)
