"""A command that is a fork of the tests' server is what a really started one is (`tests/starts`)."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from tests.acceptance.office import Office
from tests.starts.client import SERVER, Ended

PROBE = """
import functools, gc, json, locale, os, random, signal, sys, threading, time
from invoke import task

@task
def probe(c):
    umask, streams = os.umask(0), (sys.stdin, sys.stdout, sys.stderr)
    cached = [f for f in gc.get_objects() if isinstance(f, functools._lru_cache_wrapper) and f.cache_info().currsize]
    print(json.dumps({
        "environment": dict(os.environ),
        "directory": os.getcwd(),
        "arguments": sys.argv,
        "path": sys.path,
        "umask": umask,
        "group and session": (os.getpgrp(), os.getsid(0)),
        "files": [number for number in range(200) if os.path.exists(f"/proc/self/fd/{number}")],
        "streams": [[s.encoding, s.errors, s.line_buffering, s.isatty(), s.seekable(), s.name] for s in streams],
        "signals": {str(s): str(signal.getsignal(s)).split(" at ")[0] for s in signal.valid_signals()},
        "blocked": [str(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        "threads": threading.active_count(),
        "locale": [locale.setlocale(locale.LC_ALL), time.tzname],
        "flags": str(sys.flags),
        "cached": sorted(str(f) for f in cached if f.__module__.startswith(("sopauto", "lab"))),
    }))
    print(random.random())
"""
CODES = """
import atexit, os, signal, sys, threading, time
from invoke import task

@task
def ends(c, how):
    atexit.register(print, "at exit")
    kept = open(os.environ["KEPT"], "w")
    kept.write("without close")
    if how == "thread":
        threading.Thread(target=lambda: (time.sleep(0.3), print("a thread"))).start()
    print(how, end="")
    print(how, end="", file=sys.stderr)
    {
        "thread": int, "well": int, "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "error": lambda: 1 / 0, "seven": lambda: sys.exit(7), "text": lambda: sys.exit("a text"),
    }[how]()
"""


@contextmanager
def started(*, really: bool) -> Iterator[None]:
    """Start commands in one of the two ways, and make sure that it was that one."""
    before, forks = SERVER.really, SERVER.forks
    SERVER.really = really
    try:
        yield
    finally:
        SERVER.really = before
    assert (SERVER.forks == forks) is really


def both(run: Callable[[], Ended], *, between: Callable[[], None] = lambda: None) -> tuple[Ended, Ended]:
    """Return how a command ended as a fork, and really started."""
    with started(really=False):
        forked = run()
    between()
    with started(really=True):
        return forked, run()


def run_own_task(folder: Path, text: str, *words: str, **environment: str) -> Ended:
    (folder / "tasks.py").write_text(text)
    return SERVER.run(["--search-root", str(folder), *words], {**os.environ, **environment}, 60)


def test_a_fork_finds_what_a_real_start_finds(tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        ends = both(lambda: run_own_task(tmp_path, PROBE, "probe", SOPAUTO_AS="siti", RAHASIA="\udcff"))
    finally:
        os.umask(umask)
    forked, really = ({**json.loads(end.stdout.splitlines()[0])} for end in ends)
    assert forked == really
    assert forked["umask"] == 0o027
    assert forked["environment"]["SOPAUTO_AS"] == "siti"
    again = run_own_task(tmp_path, PROBE, "probe")
    assert "SOPAUTO_AS" not in json.loads(again.stdout.splitlines()[0])["environment"]
    assert len({end.stdout.splitlines()[1] for end in (*ends, again)}) == 3


@pytest.mark.parametrize("how", ["well", "thread", "error", "seven", "text", "killed"])
def test_a_fork_ends_as_a_real_start_ends(tmp_path: Path, how: str) -> None:
    kept = tmp_path / "kept"

    def run() -> Ended:
        kept.unlink(missing_ok=True)
        return run_own_task(tmp_path, CODES, "ends", how, KEPT=str(kept))

    written = []
    forked, really = both(run, between=lambda: written.append(kept.read_text()))
    assert (forked.returncode, forked.stdout) == (really.returncode, really.stdout)
    assert forked.stderr.splitlines()[-1] == really.stderr.splitlines()[-1]
    assert written == [kept.read_text()]


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "TZ", "LC_ALL", "HOME"])
def test_what_is_read_while_a_program_loads_is_really_started(name: str) -> None:
    with started(really=True):
        SERVER.really = False
        SERVER.run(["--version"], {**os.environ, name: "1"}, 60)


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("import time\nfrom invoke import task\n@task\ndef wait(c): time.sleep(60)\n")
    with pytest.raises(TimeoutExpired), started(really=False):
        SERVER.run(["--search-root", str(tmp_path), "wait"], os.environ, 1)


def tree(folder: Path) -> Mapping[str, tuple[int, bool]]:
    """Return the files of a folder, their modes, and which of them hold something."""
    found = {str(path.relative_to(folder)): path.stat() for path in sorted(folder.rglob("*"))}
    return {name: (stat.st_mode, stat.st_size > 0) for name, stat in found.items()}


def test_commands_write_print_and_end_the_same(office: Office, tmp_path: Path) -> None:
    ticket = office.ticket_at("konfigurasi.1")
    before = tmp_path / "before"
    shutil.copytree(office.home, before)

    def put_back() -> None:
        shutil.rmtree(office.home)
        shutil.copytree(before, office.home)

    for words, person, code in (
        (["--version"], "", 0),
        (["ticket.plan", ticket], "joko", 0),
        (["ticket.list", "--json"], "", 0),
        (["custody.connect", ticket], "joko", 3),
        (["ticket.show", "PS-1"], "", 2),
    ):
        answers = []
        for really in (False, True):
            with started(really=really):
                ended = office.inv(*words, as_=person, expect=code)
            answers.append((ended.stdout, ended.stderr, tree(office.home)))
            put_back()
        assert answers[0] == answers[1], words
