"""Modules of roles find their parts in a real run, and Ansible itself refuses what a role does not take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def play(tmp_path: Path, *, roles: list[Any], tasks: list[Any]) -> subprocess.CompletedProcess[str]:
    """Play on this machine in check mode, without any right of root."""
    playbook = tmp_path / "play.yml"
    plays = [{"hosts": "localhost", "gather_facts": False, "roles": roles, "tasks": tasks}]
    playbook.write_text(json.dumps(plays))
    command = [Path(sys.executable).parent / "ansible-playbook", "--check", "-i", "localhost,", "-c", "local", playbook]
    environment = {
        **os.environ,
        "ANSIBLE_ROLES_PATH": str(ROOT / "roles"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_HOME": str(tmp_path / "ansible"),
    }
    variables = ["-e", f"ansible_python_interpreter={sys.executable}"]
    return subprocess.run(
        [*command, *variables], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )


def test_modules_of_a_role_find_the_parts_that_lie_beside_them(tmp_path: Path) -> None:
    order = {"software": "agenda", "paths": [], "entry": {"data": []}, "ticket": "PL-2026-0001"}
    state = {"action": "restore", "order": order, "records": str(tmp_path / "records")}
    ended = play(
        tmp_path,
        roles=[{"role": name, "when": False} for name in ("provision", "software")],
        tasks=[
            {"name": "disks", "data_disks": {"disks": [], "swap_mb": 0}, "register": "disks"},
            {"name": "state", "software_state": state, "register": "state"},
            {
                "ansible.builtin.assert": {
                    "that": ["disks.steps == []", "'no state is recorded here' in state.evidence.left"]
                }
            },
        ],
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "skipped=0" not in ended.stdout


def test_ansible_refuses_what_a_role_does_not_take_before_its_first_task(tmp_path: Path) -> None:
    ended = play(tmp_path, roles=[{"role": "software", "software_stage": "destroy"}], tasks=[])
    assert ended.returncode != 0
    assert "value of software_stage must be one of: requirements, install, start, configure, remove" in ended.stdout
    assert "The stage" not in ended.stdout
