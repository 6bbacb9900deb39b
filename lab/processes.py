"""Programs of the lab that outlive the command that started them: found again by pid file, ended only when ours."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sopauto.errors import StepFailed


def run(
    *command: str, check: bool = True, seconds: float = 60, given: str | None = None, keep: Sequence[int] = ()
) -> str:
    """Return what a program prints; `keep`: the open files that it inherits. Raises StepFailed, with its last words."""
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        input=given,
        errors="replace",
        pass_fds=keep,
    )
    if check and ended.returncode:
        words = (ended.stderr or ended.stdout).strip().splitlines()[-2:]
        raise StepFailed(
            f"{' '.join(command[:4])}: {' | '.join(words)}", where="lab", mend="`inv lab.down`, then again"
        )
    return ended.stdout


def end(pid_file: Path, ours: Path) -> None:
    """End the program of a pid file, if it is one whose arguments name our directory."""
    try:
        pid = int(pid_file.read_text().split()[0])
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return
    if str(ours).encode() not in arguments:
        return
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, wanted)
        except ProcessLookupError:
            return
        if wait_until(lambda: not alive(pid), seconds=5):
            return


def alive(pid: int) -> bool:
    """Tell whether a process runs (a zombie does not)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def wait_until(happened: Callable[[], bool], *, seconds: float, pause: float = 0.1) -> bool:
    """Wait for something; return whether it happened in time."""
    until = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(pause)
    return True


def quietly(*commands: Sequence[str]) -> None:
    """Run programs whose failure means that there was nothing to do."""
    for command in commands:
        run(*command, check=False)
