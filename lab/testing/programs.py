"""One program of a stage: what it prints is kept and followed, and it never runs longer than it may."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from lab.testing.stages import ROOT

PAUSE = 0.1
GRACE = 30.0
"""Seconds in which a program that must end may still take down what it started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended. `processor`: seconds of its own and of the children that it waited for."""

    code: int
    seconds: float
    processor: float
    in_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a program is watched for: `until` (monotonic) it must have ended; when `stop` is set it must end at once.

    What it prints goes to `log`, and line by line to `tell`.
    """

    log: Path
    until: float
    tell: Callable[[str], None]
    stop: threading.Event = field(default_factory=threading.Event)


class Follower:
    """Tells line by line what comes into a file."""

    def __init__(self, reader: IO[str], tell: Callable[[str], None]) -> None:
        self._reader, self._tell, self._rest = reader, tell, ""

    def follow(self) -> None:
        """Tell the whole lines that came since."""
        *lines, self._rest = (self._rest + self._reader.read()).split("\n")
        for line in lines:
            self._tell(line.rstrip())

    def finish(self) -> None:
        """Tell what is left, too, if it is a line without an end."""
        self.follow()
        if self._rest:
            self._tell(self._rest)


def run(command: Sequence[str], watch: Watch) -> Ended:
    """Run a program of this environment in the checkout, in a process group of its own.

    It prints into a file, so that what it leaves running by mistake holds nobody up.
    """
    begun = time.monotonic()
    with watch.log.open("wb") as log, watch.log.open(encoding="utf-8", errors="replace") as reader:
        program = subprocess.Popen(
            [str(Path(sys.executable).parent / command[0]), *command[1:]],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        follower = Follower(reader, watch.tell)
        processor, in_time = _wait(program, watch, follower.follow)
        follower.finish()
    return Ended(code=program.returncode, processor=processor, seconds=time.monotonic() - begun, in_time=in_time)


def _wait(program: subprocess.Popen[bytes], watch: Watch, follow: Callable[[], None]) -> tuple[float, bool]:
    """Wait until a program ends, or end it; return its processor seconds and whether it ended by itself."""
    until, in_time, wanted = watch.until, True, signal.SIGINT
    while True:
        pid, status, usage = os.wait4(program.pid, os.WNOHANG)
        follow()
        if pid:
            break
        if time.monotonic() > until or (in_time and watch.stop.is_set()):
            _signal(program.pid, wanted)
            until, in_time, wanted = time.monotonic() + GRACE, False, signal.SIGKILL
        time.sleep(PAUSE)
    _signal(program.pid, signal.SIGKILL)  # what it left in its group
    program.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, in_time


def _signal(group: int, wanted: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, wanted)
