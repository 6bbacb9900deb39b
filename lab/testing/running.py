"""Run the stages, and tell what each took."""

from __future__ import annotations

import compileall
import signal
import time
from collections.abc import Sequence

from lab.testing.lanes import PRINTED, Lanes
from lab.testing.packages import install_what_tests_need
from lab.testing.stages import ROOT, STAGES, Stage
from sopauto.cli.console import table
from sopauto.errors import BadInput, StepFailed

LONGEST = 80 * 60.0
"""Seconds of all stages together: a CI that loses patience would end them without a word."""
COMPILED = ("sopauto", "lab", "tests", "benchmarks")


def run_stages(only: str) -> None:
    """Run the stages, or the one that is named.

    Raises: BadInput (no such stage), StepFailed (names the stages that failed).
    """
    names = [stage.name for stage in STAGES]
    if only and only not in names:
        raise BadInput(f"there is no stage {only}", where="--only", mend=f"use one of {', '.join(names)}")
    run_all([stage for stage in STAGES if (stage.name == only if only else not stage.on_request)])


def run_all(stages: Sequence[Stage]) -> None:
    """Run stages in their order, two side by side; print a table of what each took.

    Raises: StepFailed (names the stages that failed).
    """
    _compile_checkout()
    if any(stage.name != "lint" for stage in stages):
        install_what_tests_need()
    _let_signals_end_it()
    begun = time.monotonic()
    outcomes = Lanes(until=begun + LONGEST, marked=len(stages) > 1).run(stages)
    rows = [[o.name, f"{o.seconds:.1f}", f"{o.processor:.1f}", o.result] for o in outcomes]
    whole = ["all", f"{time.monotonic() - begun:.1f}", f"{sum(o.processor for o in outcomes):.1f}", ""]
    table(["stage", "seconds", "of processor", "result"], [*rows, whole])
    failed = [outcome.name for outcome in outcomes if outcome.failed]
    if failed:
        raise StepFailed(f"stages failed: {', '.join(failed)}", mend="scroll up for the first error")


def _compile_checkout() -> None:
    """Compile the checkout's Python: `uv sync` compiles only what it installs, and each command would do it again."""
    PRINTED.mkdir(parents=True, exist_ok=True)
    for folder in COMPILED:
        compileall.compile_dir(ROOT / folder, quiet=2)


def _let_signals_end_it() -> None:
    """Let an interrupt and a wish to end reach this process, and so what it started, also behind `nohup`."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
