"""The installed package brings what it runs: playbooks and roles, where it looks for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from sopauto.technical.run_files import gather
from sopauto.work import sha256

ROOT = Path(__file__).parents[2]
LOOK = """\
import json, sys
from sopauto.technical.run_files import gather, shipped
from sopauto.work import sha256
files = {name: sha256(content) for name, content in gather([shipped()], sys.argv[1]).items()}
print(json.dumps([str(shipped()), files]))
"""


def test_a_wheel_brings_playbooks_and_roles_where_the_installed_program_finds_them(
    need: Callable[[str], str], tmp_path: Path
) -> None:
    subprocess.run([need("uv"), "build", "--wheel", "-q", "--out-dir", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    tracked = {
        path.relative_to(ROOT).as_posix()
        for folder in ("playbooks", "roles")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    inside = installed / "sopauto" / "shipped"
    assert {path.relative_to(inside).as_posix() for path in inside.rglob("*") if path.is_file()} == tracked
    for playbook in sorted(name for name in tracked if name.startswith("playbooks/")):
        ended = subprocess.run(
            [sys.executable, "-c", LOOK, playbook],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(installed)},
        )
        here = {name: sha256(content) for name, content in gather([ROOT], playbook).items()}
        assert json.loads(ended.stdout) == [str(inside), here]
