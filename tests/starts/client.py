"""How tests start `inv`: as a fork of `server.py`, or really, where only that shows what a user would get."""

from __future__ import annotations

import atexit
import errno
import json
import locale
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
INV = Path(sys.executable).with_name("inv")
REALLY = "SOPAUTO_TESTS_START_REALLY"
"""With this variable every command of every test is really started."""
OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "TZ", "LD_", "MALLOC_", "GLIBC_", "OPENSSL_", "SSL_")
"""How variables begin that Python and its libraries in C read by themselves."""
PIECE = 1 << 16
Ended = subprocess.CompletedProcess[str]


class Pipe:
    """A pipe of which we read."""

    def __init__(self) -> None:
        self.reader, self.writer = (os.fdopen(end, mode, 0) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))

    def __enter__(self) -> Pipe:
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        self.writer.close()


@dataclass(slots=True)
class Server:
    """The server of this process: it is started with the first command, and ends when we do.

    `really`: start commands of the present test really. `forks` counts those that were not.
    """

    really: bool = bool(os.environ.get(REALLY))
    forks: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _line: socket.socket | None = None
    _environment: Mapping[str, str] = field(default_factory=dict)
    _read: frozenset[str] = frozenset()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], seconds: float) -> Ended:
        """Run `inv` in the checkout as `subprocess.run` would: its output as text, at most so many seconds."""
        with self._lock:
            line = None if self.really else self._line or self._start()
        if line and not self._differs(environment):
            self.forks += 1
            forked = _run_fork(line, arguments, environment, seconds)
            if forked:
                return forked
        command = [str(INV), *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=seconds
        )

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._environment = dict(os.environ)
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("server.py")), str(theirs.fileno())],
                cwd=ROOT,
                # Pipes, as those of a command: Python's own streams stay as they were made for these.
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
            )
        loaded = ours.recv(PIECE)
        assert loaded, self._process.communicate()[1].decode()
        self._read = frozenset(json.loads(loaded))
        self._line = ours
        atexit.register(self._end)
        return ours

    def _end(self) -> None:
        assert self._line is not None
        assert self._process is not None
        self._line.close()
        self._process.communicate()

    def _differs(self, environment: Mapping[str, str]) -> bool:
        """Tell whether the server has loaded with another value of something that is read while one loads."""
        names = self._read.union(name for name in {**self._environment, **environment} if _early(name))
        return any(self._environment.get(name) != environment.get(name) for name in names)


SERVER = Server()


def _early(name: str) -> bool:
    return name.startswith(OF_THE_INTERPRETER)


def _run_fork(
    line: socket.socket, arguments: Sequence[str], environment: Mapping[str, str], seconds: float
) -> Ended | None:
    """Let the server run a command; None where it is too long for one message."""
    request = {"arguments": arguments, "environment": {**environment}, "directory": str(ROOT), "umask": _umask()}
    with Pipe() as output, Pipe() as errors, Pipe() as answer:
        pipes = (output, errors, answer)
        try:
            socket.send_fds(line, [json.dumps(request).encode()], [0, *(pipe.writer.fileno() for pipe in pipes)])
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                return None
            raise
        for pipe in pipes:
            pipe.writer.close()
        told = _listen(pipes, [str(INV), *arguments], time.monotonic() + seconds)
    code = told[2].split()[1]
    return Ended([str(INV), *arguments], int(code), stdout=_text(told[0]), stderr=_text(told[1]))


def _listen(pipes: Sequence[Pipe], command: Sequence[str], until: float) -> list[bytes]:
    """Return all that comes out of the pipes; the last one's first line is the process that `until` ends."""
    told = dict.fromkeys(pipes, b"")
    with selectors.DefaultSelector() as waiting:
        for pipe in pipes:
            waiting.register(pipe.reader, selectors.EVENT_READ, pipe)
        while waiting.get_map():
            ready = waiting.select(max(0.0, until - time.monotonic()))
            if not ready:
                os.kill(int(told[pipes[-1]].split()[0]), signal.SIGKILL)
                raise subprocess.TimeoutExpired(command, 0, *map(told.get, pipes[:2]))
            for key, _ in ready:
                piece = os.read(key.fd, PIECE)
                told[key.data] += piece
                if not piece:
                    waiting.unregister(key.fileobj)
    return list(told.values())


def _umask() -> int:
    """Return this process's umask, which can be asked for only by setting it, or here."""
    found = re.search(r"^Umask:\s+(\d+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1], 8)


def _text(data: bytes) -> str:
    """Decode output as `subprocess.run(text=True)` does."""
    return data.decode(locale.getencoding()).replace("\r\n", "\n").replace("\r", "\n")
