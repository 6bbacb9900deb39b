"""Which process carries out an attempt, and whether it still lives."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sopauto.drivers import stopping

FORM: Final = re.compile(
    r"(?P<host>\S+) pid=(?P<pid>\d{1,10}) start=(?P<start>\d{1,20}) space=(?P<space>\S+)"
    r" boot=(?P<boot>\S+) machine=(?P<machine>\S+)"
)
OLD_FORM: Final = re.compile(r"(?P<host>[^\s:]+):(?P<pid>\d{1,10}):(?P<start>\d{1,20})@(?P<boot>[0-9a-f]{8})")
"""What was written before other PID namespaces and machines of the same name were told apart."""
UNTOLD: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One process: its number and start (ticks after boot), the namespace in which it has the number, boot, machine.

    `host` is for people only. `-` is what nobody could tell.
    """

    host: str
    pid: int
    start: str
    space: str
    boot: str
    machine: str

    def __str__(self) -> str:
        """Return the form in which attempts keep it."""
        return (
            f"{self.host} pid={self.pid} start={self.start} space={self.space} boot={self.boot} machine={self.machine}"
        )

    @classmethod
    def read(cls, text: str) -> Worker | None:
        """Return the worker that an attempt keeps (None: not in a form that is known)."""
        found = FORM.fullmatch(text)
        if found:
            return cls(**{**found.groupdict(), "pid": int(found["pid"])})  # type: ignore[arg-type]
        found = OLD_FORM.fullmatch(text)
        if found:
            return cls(**{**found.groupdict(), "pid": int(found["pid"])}, space=UNTOLD, machine=UNTOLD)  # type: ignore[arg-type]
        return None


class Processes:
    """The workers that can be told from here. Fulfils `desk.Workers`."""

    def __init__(self) -> None:
        self._me = _myself()
        self.me = str(self._me)

    def alive(self, worker: str) -> bool | None:
        """Tell whether a worker still runs (None: nobody can tell from here).

        Known is only what this very kernel says of the PID namespace that both are in. A machine's id may be a clone's,
        and a host name anybody's: another boot, another namespace, another machine are not known.
        """
        other, me = Worker.read(worker), self._me
        if other is None or UNTOLD in {me.boot, me.space} or not me.boot.startswith(other.boot):
            return None
        lives = _lives(other.pid, other.start)
        if other.space == me.space:
            return lives
        # Of the old form the namespace is not known: that it is there is proof, that it is not there is none.
        return True if other.space == UNTOLD and other.host == me.host and lives else None

    def same_machine(self, worker: str) -> bool:
        """Tell whether a worker is or was on this machine, this boot or an earlier one (False: perhaps not)."""
        other, me = Worker.read(worker), self._me
        if other is None:
            return False
        return UNTOLD != other.boot == me.boot or UNTOLD != other.machine == me.machine

    def stop(self, why: str) -> None:
        """Stop the work of this process where that can be done in an orderly way."""
        stopping.stop_all(why)


def _myself() -> Worker:
    status = _status(Path("/proc/self/stat"))
    # Where /proc is another namespace's, the number there is not ours, and nothing can be told by it.
    ours = status is not None and status[0] == str(os.getpid())
    return Worker(
        host=re.sub(r"\s", "_", socket.gethostname()) or UNTOLD,
        pid=os.getpid(),
        start=status[2] if status else "0",
        space=_space() if ours else UNTOLD,
        boot=_first_line(Path("/proc/sys/kernel/random/boot_id")),
        machine=_machine(),
    )


def _space() -> str:
    """Return in which namespace numbers and times of processes are counted."""
    try:
        pid = Path("/proc/self/ns/pid").stat()
        times = Path("/proc/self/ns/time")
        clock = times.stat().st_ino if times.exists() else 0
    except OSError:
        return UNTOLD
    return f"{pid.st_dev}.{pid.st_ino}.{clock}"


def _machine() -> str:
    """Return what tells machines apart; the id itself is not to be shown (machine-id(5))."""
    found = _first_line(Path("/etc/machine-id"))
    return (
        hashlib.sha256(f"sopauto {found}".encode()).hexdigest()[:32] if re.fullmatch("[0-9a-f]{32}", found) else UNTOLD
    )


def _first_line(path: Path) -> str:
    try:
        return path.read_text().strip() or UNTOLD
    except OSError:
        return UNTOLD


def _lives(pid: int, start: str) -> bool | None:
    """Tell whether a process of this number and start lives (None: it may, and its start is hidden from us)."""
    status = _status(Path(f"/proc/{pid}/stat"))
    if status is not None:
        return status[1] not in {"Z", "X"} and status[2] == start
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OverflowError, PermissionError):
        return None
    return None


def _status(path: Path) -> tuple[str, str, str] | None:
    """Return number, state and start of a process (None: it cannot be read)."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return None
    # The name, in parentheses, may hold blanks: the fields that follow it begin with the third.
    fields = text.rpartition(")")[2].split()
    return text.split(maxsplit=1)[0], fields[0], fields[19]
