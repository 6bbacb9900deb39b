"""`inv test --changed`: what a developer wants to know soon after a change.

Changed is what differs from where the branch left `main`, committed or not, and new files; on `main` with nothing
uncommitted it is the last commit. Unit tests run when they import what changed by any way; tests of integration and
acceptance when they, or what they share in `tests/` and `lab/`, import it themselves: by some way all of them do. What
is left to `inv test` is told by name.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from lab.testing.imports import import_graph, reaching
from lab.testing.running import run_all
from lab.testing.stages import PARALLEL, PYTEST, ROOT, SLOW, Command, Stage
from sopauto.cli.console import say
from sopauto.errors import StepFailed

MAIN = ("main", "origin/main")
ANSIBLE = ("roles/", "playbooks/", "molecule/")
BOUND = 900
LAB = "pytestmark = pytest.mark.lab"
MOST = 10
"""Files of integration and acceptance tests; where more of them import what changed, it is no minute's work."""


def run_changed() -> None:
    """Run what concerns the change. Raises: StepFailed (names the stages that failed, or git's error)."""
    base = _base()
    files = changed_files(base)
    say(f"{len(files)} files changed since {base[:12]}")
    near = near_tests(files)
    for left in sorted(set(near) - set(_quick(near, files))):
        say(f"left to `inv test`: {left}")
    run_all(list(stages_for(files)))


def stages_for(files: Sequence[str]) -> Iterator[Stage]:
    """Yield the stages that concern changed files (paths in the checkout)."""
    yield Stage(name="lint", commands=tuple(_lint(files)), bound=BOUND)
    tests = {"unit": unit_tests(files), "near": _quick(near_tests(files), files)}
    for name, chosen in tests.items():
        if chosen:
            yield Stage(name=name, commands=((*PYTEST, *PARALLEL, "-m", "not lab", *chosen),), bound=BOUND)


def unit_tests(files: Sequence[str]) -> list[str]:
    """Return the unit tests that import what changed, by any way."""
    found = reaching(import_graph(), files, through=("",))
    return sorted(file for file in found if _is_test(file, "tests/unit/"))


def near_tests(files: Sequence[str]) -> list[str]:
    """Return the tests of integration and acceptance that import themselves what changed."""
    found = reaching(import_graph(), files, through=("tests/", "lab/"))
    others = (file for file in found if _is_test(file, "tests/") and not _is_test(file, "tests/unit/"))
    return sorted(file for file in others if LAB not in (ROOT / file).read_text(encoding="utf-8"))


def _quick(near: Sequence[str], files: Sequence[str]) -> list[str]:
    """Return those of the tests near a change that a minute holds, and all that changed themselves."""
    quick = [test for test in near if test not in SLOW]
    return [test for test in near if test in files or (test in quick and len(quick) <= MOST)]


def _is_test(file: str, folder: str) -> bool:
    return file.startswith(folder) and Path(file).name.startswith("test_")


def _lint(files: Sequence[str]) -> Iterator[Command]:
    python = [file for file in files if file.endswith(".py")]
    if python:
        yield "ruff", "check", *python
        yield "ruff", "format", "--check", *python
        yield ("mypy",)
        yield ("lint-imports",)
    if playbooks := [file for file in files if file.startswith(ANSIBLE) and file.endswith(".yml")]:
        yield "ansible-lint", *playbooks
    if texts := [file for file in files if file.endswith((".yml", ".yaml"))]:
        yield "yamllint", "--strict", *texts


def changed_files(base: str) -> list[str]:
    """Return the paths that differ from a commit, and new files that nobody ignores; without those that are gone."""
    differing = _git("diff", "--name-only", "--no-renames", base).splitlines()
    new = _git("ls-files", "--others", "--exclude-standard").splitlines()
    return sorted(file for file in {*differing, *new} if (ROOT / file).is_file())


def _base() -> str:
    """Return the commit that a change is held against."""
    main = next((name for name in MAIN if _git("rev-parse", "--verify", "-q", name, check=False)), "HEAD")
    left = _git("merge-base", "HEAD", main).strip()
    nothing_new = left == _git("rev-parse", "HEAD").strip() and not changed_files(left)
    return _git("rev-parse", "HEAD~").strip() if nothing_new else left


def _git(*words: str, check: bool = True) -> str:
    ended = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if check and ended.returncode:
        raise StepFailed(f"git {' '.join(words)}: {ended.stderr.strip()}", mend="run it inside a clone of the project")
    return ended.stdout
