"""A process that has loaded `inv` once and becomes it, by a fork, for each command that a test types.

A program of its own: `python server.py NUMBER`, NUMBER being an open socket of `client.py`. A command is a fork that
was never used before: it gets the environment, the directory, the umask and the streams of its own, runs what
`.venv/bin/inv` runs, and ends. What the server does before the fork is to import; it calls nothing of
sopauto, has one thread and no file open, and says which variables of the environment were read meanwhile, so that
`client.py` really starts a command for which they differ.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_REQUEST = 1 << 20
PROGRAM = Path(sys.executable).with_name("inv")
LIBRARIES = (
    "alembic.command",
    "ansible_runner",
    "holidays.countries.indonesia",
    "jinja2.sandbox",
    "netmiko",
    "openpyxl",
    "paramiko",
    "rich.progress",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "testinfra.host",
    "typst",
    "xlsxwriter",
)
"""What commands import when they need it."""
NOT_OURS = ("sopauto.store.migrations", "sopauto.drivers.guard", "sopauto.drivers.watch")
"""What runs inside of Alembic and of Ansible, which reads its settings from the environment when it is imported."""


CACHES: list[functools._lru_cache_wrapper[Any]] = []
"""What our modules remember once a command has run; empty before."""


class Recorded(os._Environ):  # type: ignore[type-arg]
    """The environment while modules are loaded; it keeps which of its names were read."""

    read: set[str] = set()  # noqa: RUF012 - one environment, one set

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return super().__getitem__(name)


def load() -> list[str]:
    """Import what commands import; return the names of the environment that were read meanwhile."""
    os.environ.__class__ = Recorded  # type: ignore[assignment]
    importlib.import_module("invoke.main")
    importlib.import_module("lab.tasks")
    for name in (*LIBRARIES, *_modules("sopauto")):
        importlib.import_module(name)
    os.environ.__class__ = os._Environ  # type: ignore[assignment]
    assert "ansible" not in sys.modules
    found = [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper)]
    CACHES.extend(each for each in found if each.__module__.startswith(("sopauto", "lab")))
    assert not any(cache.cache_info().currsize for cache in CACHES)
    return sorted(Recorded.read)


def _modules(package: str) -> Iterator[str]:
    folders = importlib.import_module(package).__path__
    for found in pkgutil.walk_packages(folders, f"{package}."):
        if not found.name.startswith(NOT_OURS):
            yield found.name


def serve(line: socket.socket, started: dict[int, tuple[int, int]]) -> None:
    """Answer requests; return in each fork, which then is the command.

    `started` is for each command its pidfd: its process id and where its exit code is awaited.
    """
    while True:
        ready, _, _ = select.select([line, *started], [], [])
        for ended in [found for found in ready if found is not line]:
            pid, answer = started.pop(ended)
            tell(answer, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            os.close(answer)
            os.close(ended)
        if line in ready:
            request, streams, answer = receive(line)
            pid = os.fork()
            if not pid:
                take_place(request, streams)
                return
            started[os.pidfd_open(pid)] = (pid, answer)
            tell(answer, pid)
            for number in streams:
                os.close(number)


def tell(answer: int, number: int) -> None:
    """Send a number to the test that waits for it; it may have given up."""
    with contextlib.suppress(BrokenPipeError):
        os.write(answer, f"{number}\n".encode())


def receive(line: socket.socket) -> tuple[dict[str, Any], list[int], int]:
    """Return a request, the three streams of its command, and where its process id and exit code are awaited."""
    numbers = array.array("i")
    data, further, _, _ = line.recvmsg(MAX_REQUEST, socket.CMSG_SPACE(4 * numbers.itemsize))
    if not data:
        os._exit(0)  # the tests are over
    for _, _, sent in further:
        numbers.frombytes(sent)
    *streams, answer = numbers
    return json.loads(data), streams, answer


def take_place(request: dict[str, Any], streams: list[int]) -> None:
    """Let this fork have what the command would have been started with, and nothing of the server's."""
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a thread ran in the server"
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 256)
    os.chdir(request["directory"])
    os.umask(request["umask"])
    environment = {os.fsencode(name): os.fsencode(value) for name, value in request["environment"].items()}
    for name in set(os.environb) - set(environment):
        del os.environb[name]
    for name, value in environment.items():
        os.environb[name] = value
    sys.argv = [str(PROGRAM), *request["arguments"]]


def main() -> None:
    """Load, say what was read of the environment, and serve."""
    line = socket.socket(fileno=int(sys.argv[1]))
    # As for a script that stands beside the interpreter.
    sys.path[0] = str(PROGRAM.parent)
    line.send(json.dumps(load()).encode())
    gc.collect()
    gc.freeze()
    serve(line, {})


def end(code: int) -> None:
    """End as Python does, but leave it to the kernel to take apart what was loaded; return when that is no clean end.

    Taking 2,000 modules apart writes into every page that the fork shares, and takes longer than most commands.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for cache in CACHES:  # an open database among them
        cache.cache_clear()
    gc.collect()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(code)


if __name__ == "__main__":
    main()
    from invoke.main import program

    code: object = None
    try:
        program.run()
    except SystemExit as asked:
        code = asked.code
    # Here the exception is gone, and with it what its frames held.
    if code is None or isinstance(code, int):
        end(code or 0)
    sys.exit(code)
