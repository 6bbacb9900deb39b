"""`inv --list` against a `tasks.py` of one task."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, medians

ROOT = Path(__file__).parent.parent
INV = str(Path(sys.executable).parent / "inv")
ONE_TASK = "from invoke import task\n\n\n@task\ndef hello(c):\n    print('hello')\n"


def run() -> list[Figure]:
    """Measure the start-up of the command line."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tasks.py").write_text(ONE_TASK)
        ours, peer = medians(lambda: _list(ROOT), lambda: _list(Path(folder)), rounds=11)
    return [Figure(what="inv --list", unit="s", ours=ours, peer=peer, peer_name="one-task tasks.py", aim="<= 2x")]


def _list(folder: Path) -> None:
    subprocess.run([INV, "--list"], cwd=folder, env=os.environ, check=True, stdout=subprocess.DEVNULL)
