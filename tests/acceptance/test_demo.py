"""`inv demo` without root: the whole main job in one command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.acceptance.commands import ROOT


def test_the_demo_plays_the_main_job_to_its_end(tmp_path: Path) -> None:
    program = str(Path(sys.executable).parent / "inv")
    environment = {**os.environ, "HOME": str(tmp_path)}
    environment.pop("SOPAUTO_HOME", None)
    ended = subprocess.run(
        [program, "demo"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    for row in ("penitipan.1 ", "penitipan.13", "konfigurasi.7", "pengembalian.11"):
        assert row in ended.stdout
    assert "reject: Server belum bisa diakses" in ended.stdout
    assert "signed entries: intact" in ended.stdout


def test_an_unknown_lab_is_bad_input() -> None:
    program = str(Path(sys.executable).parent / "inv")
    ended = subprocess.run([program, "demo", "--lab=cloud"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "use sim or vm" in ended.stderr
