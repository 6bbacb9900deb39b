"""The stages of `inv test`: what each runs, and how long it may take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTEST = ("python", "-m", "pytest", "-q", "--durations=10")
PARALLEL = ("-n", "2", "--dist", "loadfile")
"""A file stays in one process: its fixtures are made once for it."""

Command = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One named group of commands; each is a list of arguments for a program of this environment.

    `bound`: seconds after which it is ended and has failed: far more than it takes, also on a busy machine.
    `virtual`: it is about virtual machines and nothing else; elsewhere than as root on Debian it is skipped by name.
    `quiet`: what it prints is shown only when it fails. `on_request`: it runs only when it is named.
    """

    name: str
    commands: Sequence[Command]
    bound: float
    virtual: bool = False
    quiet: bool = False
    on_request: bool = False


def scenarios(*, emulated: bool) -> Sequence[Command]:
    """Return the commands of molecule's scenarios, by name: those on an emulated processor, or the others."""
    found = sorted((ROOT / "molecule").glob("*/molecule.yml"))
    names = [path.parent.name for path in found if ("--movable" in path.read_text()) is emulated]
    return tuple(("molecule", "test", "-s", name) for name in names)


LINT: Sequence[Command] = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
    ("ansible-lint",),
    ("yamllint", "--strict", "."),
)

# In the order in which they start, two side by side: first those that are quick to tell, then the longest, and last
# those that keep two processors busy by themselves.
STAGES: Sequence[Stage] = (
    Stage(name="lint", commands=LINT, bound=900),
    Stage(name="unit", commands=((*PYTEST, *PARALLEL, "tests/unit"),), bound=900),
    Stage(name="emulated", commands=scenarios(emulated=True), bound=2700, virtual=True, quiet=True),
    Stage(name="lab", commands=((*PYTEST, "-m", "lab", "tests"),), bound=2700, virtual=True),
    Stage(name="molecule", commands=scenarios(emulated=False), bound=1800, virtual=True, quiet=True),
    Stage(name="acceptance", commands=((*PYTEST, *PARALLEL, "-m", "not lab", "tests/acceptance"),), bound=2400),
    Stage(name="integration", commands=((*PYTEST, *PARALLEL, "-m", "not lab", "tests/integration"),), bound=1800),
)

SLOW = frozenset(
    {
        "tests/integration/test_canary.py",
        "tests/integration/test_plans.py",
        "tests/integration/test_run_surroundings.py",
        "tests/integration/ways/test_no_dead_end.py",
    }
)
"""Test files of more than 20 processor seconds: `inv test --changed` leaves them out unless they changed themselves."""
