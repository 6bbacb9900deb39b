"""How a playbook is stopped in an orderly way: by Ctrl-C, by SIGTERM, because it takes too long, or lost its lease."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import Final

TIMEOUT: Final = 7200
"""Seconds after which a playbook is stopped."""
_RUNNING: Final[list[Stop]] = []


@dataclass(slots=True)
class Stop:
    """Whether the run is to be stopped: by Ctrl-C or SIGTERM, or because it takes too long."""

    pid_file: Path
    until: float
    why: str | None = None

    def ask(self, why: str) -> None:
        """Ask for the run to be stopped; the first reason counts."""
        self.why = self.why or why

    def interrupted(self, number: int, _: FrameType | None) -> None:
        """Take a signal."""
        self.ask(f"stopped by {signal.Signals(number).name}")

    def asked(self) -> bool:
        """Tell ansible-runner whether to stop; by then nothing of the playbook runs any more."""
        if self.why is None and time.monotonic() > self.until:
            self.why = f"stopped after {TIMEOUT} s"
        if self.why is None:
            return False
        with suppress(OSError, ValueError):
            keeper = int(self.pid_file.read_text())
            os.kill(keeper, signal.SIGTERM)
            for _ in range(200):
                os.kill(keeper, 0)
                if _is_zombie(keeper):
                    break
                time.sleep(0.1)
        return True


@contextmanager
def interruptible(pid_file: Path) -> Iterator[Stop]:
    """Let Ctrl-C and SIGTERM stop the playbook in an orderly way, so that it can be recorded."""
    stop = Stop(pid_file=pid_file, until=time.monotonic() + TIMEOUT)
    _RUNNING.append(stop)
    try:
        with _signals(stop) if current_thread() is main_thread() else nullcontext():
            yield stop
    finally:
        _RUNNING.remove(stop)


def stop_all(why: str) -> None:
    """Ask every run of this process to stop."""
    for stop in tuple(_RUNNING):
        stop.ask(why)


@contextmanager
def _signals(stop: Stop) -> Iterator[None]:
    before = {number: signal.signal(number, stop.interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
