"""Which process carries out an attempt, and whether it still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path


class Processes:
    """The workers of this machine, as `host:pid:start`. Fulfils `desk.Workers`."""

    def __init__(self) -> None:
        self.me = f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"

    def alive(self, worker: str) -> bool | None:
        """Tell whether a worker still runs (None: it is on another machine, nobody can tell from here).

        The start time tells a process from a later one that got the same number.
        """
        host, _, rest = worker.partition(":")
        if host != socket.gethostname():
            return None
        pid, _, start = rest.partition(":")
        return _started(int(pid)) == start


def _started(pid: int) -> str:
    """Return when a process started, in clock ticks since boot and with the boot's id (empty: there is none)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    # The name, in parentheses, may hold blanks: the fields that follow it begin with the third.
    fields = status.rpartition(")")[2].split()
    return "" if fields[0] in {"Z", "X"} else f"{fields[19]}@{boot[:8]}"
