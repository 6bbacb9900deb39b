"""The script on this machine, for users with and without sudo. Programs that tell who asks are made up."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sopauto.inventory import script, snapshot

SS = """#!/bin/sh
case "$1$AS_ROOT" in
    -lntupyes) echo 'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))' ;;
    *) echo 'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*' ;;
esac
"""
SUDO_ALL = """#!/bin/sh
[ "$1" = -n ] || exit 1
shift
AS_ROOT=yes exec "$@"
"""
SUDO_TRUE_ONLY = """#!/bin/sh
[ "$*" = "-n true" ]
"""
SUDO_NOTHING = """#!/bin/sh
exit 1
"""
MISSING = "server.listening_ports.process: needs root and ss"


def collect(directory: Path, sudo: str, *, shell: str = "sh") -> dict[str, Any]:
    for name, content in {"sudo": sudo, "ss": SS, "id": "#!/bin/sh\necho 1000\n"}.items():
        (directory / name).write_text(content)
        (directory / name).chmod(0o755)
    environment = {"PATH": f"{directory}:{os.environ['PATH']}"}
    done = subprocess.run(
        [shell, "-s"], input=script.source(), env=environment, capture_output=True, timeout=60, check=True
    )
    assert done.stderr == b""
    return snapshot.parse(done.stdout, datetime.now(UTC))


def process(taken: dict[str, Any]) -> str | None:
    (port,) = taken["server"]["listening_ports"]
    assert (port["port"], port["address"]) == (22, "0.0.0.0")
    name: str | None = port["process"]
    return name


def test_where_sudo_is_allowed_the_process_of_a_port_is_known(tmp_path: Path) -> None:
    taken = collect(tmp_path, SUDO_ALL)
    assert process(taken) == "sshd"
    assert MISSING not in taken["missing"]


@pytest.mark.parametrize("sudo", [SUDO_NOTHING, SUDO_TRUE_ONLY])
def test_where_it_is_not_the_port_is_known_and_the_process_named_as_missing(tmp_path: Path, sudo: str) -> None:
    taken = collect(tmp_path, sudo)
    assert process(taken) is None
    assert MISSING in taken["missing"]


def test_another_shell_reads_the_script_alike(tmp_path: Path, need: Any) -> None:
    # What changes from second to second, and what a shell cannot change, is left out.
    def lasting(shell: str) -> dict[str, Any]:
        taken = collect(tmp_path, SUDO_ALL, shell=shell)
        for name in ("uptime_seconds", "time", "filesystems"):
            taken["server"].pop(name)
        taken.pop("taken_at")
        return taken

    assert lasting(need("bash")) == lasting("sh")


def test_a_script_that_arrives_by_half_runs_nothing() -> None:
    half = script.source()[: len(script.source()) * 9 // 10]
    done = subprocess.run(["sh", "-s"], input=half, capture_output=True, timeout=60, check=False)
    assert done.stdout == b""


def test_what_the_settings_leave_out_is_named_and_not_asked_for(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    for name in ("apt-get", "dnf", "openssl"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} >>{asked}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    what = script.source(["updates", "certificates", "hardening"])
    done = subprocess.run(["sh", "-s"], input=what, env=environment, capture_output=True, timeout=60, check=True)
    taken = snapshot.parse(done.stdout, datetime.now(UTC))
    assert not asked.exists()
    left_out = {"updates", "certificates", "hardening"}
    assert {f"{part}: left out by the settings" for part in left_out} <= set(taken["missing"])
    assert taken["server"]["hardening"] == []
