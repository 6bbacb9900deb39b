"""Between us and `ansible-playbook`: nothing of it outlives us, and nothing of it is longer than we want to hear.

A program of its own (only the standard library is imported): `python keeper.py PROGRAM ARGUMENT…`. It becomes the
reaper of everything that the program starts, also of what moved into a session of its own (Ansible's workers, the
shared connection of OpenSSH), and ends all of it when the program ends, when it is told to (SIGTERM), or when its
parent dies. What the program prints is passed on; an event of ansible-runner that is too long is left out.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

TOKEN = b"\x1b[K"
"""Before and after each event that ansible-runner's callback writes into the output."""
MAX_EVENT = 4 * 1024 * 1024
MAX_TEXT = 1000 * 1000
"""Bytes of plain output that are passed on in all."""
CUT = b"\nsopauto: output was cut here\n"
PIECE = 64 * 1024
GRACE = 5.0
"""Seconds that what is left has to end by itself."""
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


class Filter:
    """Passes output on, piece by piece, without what is too long."""

    def __init__(self) -> None:
        self._waiting = b""
        self._event: bytearray | None = None
        self._too_long = False
        self._text_left = MAX_TEXT

    def pass_on(self, piece: bytes) -> bytes:
        """Return what of the output so far may be read by our parent now."""
        data = self._waiting + piece
        # The beginning of a token may stand at the very end.
        kept = next((n for n in (2, 1) if data.endswith(TOKEN[:n])), 0)
        self._waiting = data[len(data) - kept :] if kept else b""
        parts = data[: len(data) - kept].split(TOKEN)
        return b"".join(part for i, text in enumerate(parts) for part in self._part(text, token=i > 0))

    def _part(self, text: bytes, *, token: bool) -> Iterator[bytes]:
        if token and self._event is None:
            self._event = bytearray()
        elif token:
            yield from self._end_of_event()
        if self._event is None:
            yield self._bounded(text)
        elif len(self._event) + len(text) > MAX_EVENT:
            self._too_long = True
            self._event.clear()
        elif not self._too_long:
            self._event += text

    def _end_of_event(self) -> Iterator[bytes]:
        assert self._event is not None
        yield CUT if self._too_long else TOKEN + bytes(self._event) + TOKEN
        self._event, self._too_long = None, False

    def _bounded(self, text: bytes) -> bytes:
        passed = text[: max(0, self._text_left)]
        cut = CUT if 0 <= self._text_left < len(text) else b""
        self._text_left -= len(text)
        return passed + cut


def descendants() -> list[int]:
    """Return the ids of every process below this one."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found: list[int] = []
    ahead = [os.getpid()]
    while ahead:
        children = parents.get(ahead.pop(), [])
        found += children
        ahead += children
    return found


def end_all() -> None:
    """End everything below this process: kindly first, then by force."""
    until = time.monotonic() + GRACE
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        while True:
            left = descendants()
            for pid in left:
                try:
                    os.kill(pid, wanted)
                except ProcessLookupError:
                    continue
            if not left or time.monotonic() > until:
                break
            time.sleep(0.1)
        until = time.monotonic() + GRACE


def ended(_signal: int, _frame: FrameType | None) -> None:
    """Answer a signal: end everything, and this."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end_all()
    os._exit(143)


def listen(program: subprocess.Popen[bytes]) -> None:
    """Pass on what the program prints until it ends; something that it left behind may still hold its output open."""
    assert program.stdout is not None
    output, filter_ = program.stdout.fileno(), Filter()
    while True:
        ended_before = program.poll() is not None
        ready, _, _ = select.select([output], [], [], 0.0 if ended_before else 0.5)
        piece = os.read(output, PIECE) if ready else b""
        sys.stdout.buffer.write(filter_.pass_on(piece))
        sys.stdout.buffer.flush()
        if not piece and (ready or ended_before):
            return


def main(command: list[str]) -> int:
    """Run the program to its end; return its exit code."""
    control = ctypes.CDLL(None, use_errno=True).prctl
    control(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, ended)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    pid_file = os.environ.pop("SOPAUTO_KEEPER_PID", "")
    if pid_file:
        Path(pid_file).write_text(str(os.getpid()))
        # The run's folder is in use as long as this lives (`run_folder.py`), also when our parent was killed.
        fcntl.flock(os.open(Path(pid_file).with_name("owner"), os.O_RDONLY), fcntl.LOCK_SH)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as program:
        listen(program)
        code = program.wait()
    end_all()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
