"""The script that brings old settings back on a server: whole, or not armed at all."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pytest

SCRIPT = Path(__file__).parents[2] / "roles/rollback/templates/timer/usr/local/sbin/sopauto-rollback.j2"


@dataclass(slots=True)
class Server:
    """A directory that plays the server; `programs` come before those of the system."""

    root: Path
    script: Path
    programs: Path

    def run(self, verb: str) -> int:
        path = f"{self.programs}:{os.environ['PATH']}"
        return subprocess.run(["sh", str(self.script), verb], env={"PATH": path}, check=False, timeout=20).returncode

    def program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.programs / name).chmod(0o755)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    for folder in ("etc/ssh", "programs"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/ssh/sshd_config").write_text("old\n")
    paths = [f"{tmp_path}/etc/ssh", f"{tmp_path}/etc/nftables.conf"]
    text = jinja2.Template(SCRIPT.read_text(), trim_blocks=True, keep_trailing_newline=True).render(
        rollback_name="test", rollback_paths=paths, rollback_commands=["true"]
    )
    script = tmp_path / "rollback"
    script.write_text(text.replace("/var/lib/sopauto/rollback", f"{tmp_path}/kept"))
    made = Server(tmp_path, script, tmp_path / "programs")
    for name in ("systemctl", "logger"):
        made.program(name, "exit 0")
    return made


def change(server: Server) -> None:
    (server.root / "etc/ssh/sshd_config").write_text("new\n")
    (server.root / "etc/nftables.conf").write_text("new\n")


def test_what_was_there_comes_back_and_what_was_not_goes(server: Server) -> None:
    assert server.run("keep") == 0
    change(server)
    assert server.run("restore") == 0
    assert (server.root / "etc/ssh/sshd_config").read_text() == "old\n"
    assert not (server.root / "etc/nftables.conf").exists()
    assert server.run("disarm") == 1, "the timer was faster"


def test_once_disarmed_nothing_is_brought_back(server: Server) -> None:
    server.run("keep")
    change(server)
    server.script.write_text(server.script.read_text().replace("rm -f /usr/local/sbin/sopauto-rollback", ":"))
    assert server.run("disarm") == 0
    assert server.run("restore") == 0
    assert (server.root / "etc/ssh/sshd_config").read_text() == "new\n"


def test_what_cannot_be_kept_whole_is_not_armed(server: Server) -> None:
    server.program("cp", "exit 1")
    assert server.run("keep") == 1
    assert not (server.root / "kept").exists()


def test_a_disk_that_is_full_at_the_way_back_leaves_what_is_there(server: Server) -> None:
    server.run("keep")
    change(server)
    server.program("cp", "exit 1")
    server.run("restore")
    assert (server.root / "etc/ssh/sshd_config").read_text() == "new\n"


def test_a_way_back_that_was_cut_off_can_be_gone_again(server: Server) -> None:
    server.run("keep")
    change(server)
    server.program("mv", "kill -9 $PPID")
    server.run("restore")
    (server.programs / "mv").unlink()
    assert server.run("restore") == 0
    assert (server.root / "etc/ssh/sshd_config").read_text() == "old\n"


def test_another_role_does_not_arm_over_it(server: Server) -> None:
    server.run("keep")
    server.script.write_text(server.script.read_text().replace('= "test"', '= "other"'))
    assert server.run("free") == 1
