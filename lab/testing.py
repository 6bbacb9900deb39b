"""`inv test`: every check of the project, in order, with how long each took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sopauto.cli.console import say, table
from sopauto.errors import BadInput, StepFailed

ROOT = Path(__file__).resolve().parent.parent
PYTEST = ("-m", "pytest", "-q", "--durations=10")
PARALLEL = ("-n", "2", "--dist", "loadfile")
LANES = 2
"""How many stages of virtual machines run side by side: each keeps about one processor busy."""
FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One named group of commands; each is a list of arguments for this Python or a program beside it.

    `virtual`: it is about virtual machines and nothing else; elsewhere than as root on Debian it is skipped by name.
    """

    name: str
    commands: Sequence[Sequence[str]]
    virtual: bool = False


def scenarios(*, emulated: bool) -> Sequence[Sequence[str]]:
    """Return the commands of molecule's scenarios, by name: those on an emulated processor, or the others."""
    found = sorted((ROOT / "molecule").glob("*/molecule.yml"))
    names = [path.parent.name for path in found if ("--emulated" in path.read_text()) is emulated]
    return tuple(("molecule", "test", "-s", name) for name in names)


STAGES: Sequence[Stage] = (
    Stage(
        name="lint",
        commands=(
            ("ruff", "check", "."),
            ("ruff", "format", "--check", "."),
            ("mypy",),
            ("lint-imports",),
            ("ansible-lint",),
            ("yamllint", "--strict", "."),
        ),
    ),
    Stage(name="unit", commands=(("python", *PYTEST, "tests/unit"),)),
    Stage(name="integration", commands=(("python", *PYTEST, *PARALLEL, "-m", "not lab", "tests/integration"),)),
    Stage(name="acceptance", commands=(("python", *PYTEST, *PARALLEL, "-m", "not lab", "tests/acceptance"),)),
    # The longest first: the others run beside it.
    Stage(name="emulated", commands=scenarios(emulated=True), virtual=True),
    Stage(name="lab", commands=(("python", *PYTEST, "-m", "lab", "tests"),), virtual=True),
    Stage(name="molecule", commands=scenarios(emulated=False), virtual=True),
)


def run_stages(only: str) -> None:
    """Run the stages, or the one that is named; print durations at the end. Two with `virtual` run side by side.

    Raises: BadInput (no such stage), StepFailed (names the stages that failed).
    """
    names = [stage.name for stage in STAGES]
    if only and only not in names:
        raise BadInput(f"there is no stage {only}", where="--only", mend=f"use one of {', '.join(names)}")
    chosen = [stage for stage in STAGES if only in {"", stage.name}]
    if any(stage.name != "lint" for stage in chosen):
        _install_what_tests_need()
    timed = [_timed(stage, "") for stage in chosen if not stage.virtual]
    virtual = [stage for stage in chosen if stage.virtual]
    with ThreadPoolExecutor(LANES) as pool:
        timed += pool.map(lambda stage: _timed(stage, f"{stage.name}: "), virtual)
    table(["stage", "seconds", "result"], [[name, f"{seconds:.1f}", result] for name, seconds, result in timed])
    failed = [name for name, _, result in timed if result == FAILED]
    if failed:
        raise StepFailed(f"stages failed: {', '.join(failed)}", mend="scroll up for the first error")


def _timed(stage: Stage, mark: str) -> tuple[str, float, str]:
    say(f"== {stage.name}")
    if stage.virtual and not _root_on_debian() and os.environ.get("CI") != "true":
        say("skipped: needs root on Debian (virtual machines)")
        return stage.name, 0.0, "skipped"
    begun = time.monotonic()
    results = [_run(command, mark) for command in stage.commands]
    return stage.name, time.monotonic() - begun, "ok" if all(results) else FAILED


def _run(command: Sequence[str], mark: str) -> bool:
    """Run one of the environment's own programs in the checkout; `mark` goes before each line that it prints."""
    begun = time.monotonic()
    beside = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{beside}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    sys.stdout.flush()
    with subprocess.Popen(
        [str(beside / command[0]), *command[1:]],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE if mark else None,
        stderr=subprocess.STDOUT if mark else None,
        text=True,
    ) as program:
        for line in program.stdout or ():
            say(f"{mark}{line.rstrip()}")
    ended = "ok" if program.returncode == 0 else f"exit {program.returncode}"
    say(f"-- {' '.join(command)}: {ended}, {time.monotonic() - begun:.1f} s")
    return program.returncode == 0


def _install_what_tests_need() -> None:
    """Install the Debian packages of the lab where that is possible; elsewhere tests are skipped by name."""
    from lab.packages import install_missing

    if _root_on_debian():
        install_missing(say)
    else:
        say("not root on Debian: tests that need virtual machines, a real switch or PostgreSQL may be skipped, by name")


def _root_on_debian() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").exists()
