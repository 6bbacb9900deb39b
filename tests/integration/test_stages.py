"""The stages of `inv test`: bounded, counted, readable side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lab.processes import alive, wait_until
from lab.testing import lanes, programs
from lab.testing.lanes import Lanes, Outcome
from lab.testing.stages import Stage

FAR = 1e9
CHILD = "import subprocess, sys; p = subprocess.Popen(['sleep', '300']{more}); print(p.pid, flush=True){then}"
Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one stage of one program: `python -c` and the text."""
    monkeypatch.setattr(lanes, "PRINTED", tmp_path)
    monkeypatch.setattr(programs, "GRACE", 0.5)

    def ran(text: str, *, until: float = FAR, bound: float = 60.0, quiet: bool = False) -> Outcome:
        return Lanes(until=until, marked=True).run([stage("one", text, bound=bound, quiet=quiet)])[0]

    return ran


def stage(name: str, *texts: str, bound: float = 60.0, quiet: bool = False) -> Stage:
    commands: Sequence[Sequence[str]] = [("python", "-c", text) for text in texts]
    return Stage(name=name, commands=commands, bound=bound, quiet=quiet)


def test_a_stage_that_takes_too_long_is_ended_with_its_children_and_says_so(run: Run, tmp_path: Path) -> None:
    outcome = run(CHILD.format(more="", then="; p.wait()"), bound=1.0)
    assert outcome.result == "FAILED: longer than its 1 s"
    child = int((tmp_path / "one-1.log").read_text().split()[0])
    assert wait_until(lambda: not alive(child), seconds=5)


def test_one_that_does_not_hear_an_interrupt_is_ended_all_the_same(run: Run) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(300)"
    assert run(deaf, bound=1.0).result == "FAILED: longer than its 1 s"


def test_all_together_may_not_take_longer_than_they_may(run: Run) -> None:
    assert run("import time; time.sleep(300)", until=time.monotonic() + 0.5).failed


def test_a_program_left_running_by_mistake_holds_no_stage_up(run: Run, tmp_path: Path) -> None:
    begun = time.monotonic()
    assert run(CHILD.format(more="", then="")).result == "ok"
    assert time.monotonic() - begun < 60
    left = int((tmp_path / "one-1.log").read_text().split()[0])
    assert wait_until(lambda: not alive(left), seconds=5), "what stays in its group is ended"


def test_processor_seconds_of_children_count(run: Run) -> None:
    work = "import time\\nwhile time.process_time() < 0.5: pass"
    outcome = run(f'import subprocess, sys; subprocess.run([sys.executable, "-c", "{work}"], check=True)')
    assert outcome.processor >= 0.5


def test_each_line_names_its_stage_and_a_last_one_without_an_end_is_told(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("print('first'); print('last', end='')").result == "ok"
    assert {"one: first", "one: last"} <= set(capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(("code", "shown"), [(0, False), (3, True)])
def test_what_a_quiet_stage_prints_is_shown_when_it_fails(
    run: Run, capsys: pytest.CaptureFixture[str], code: int, shown: bool
) -> None:
    outcome = run(f"import sys; print('much'); sys.exit({code})", quiet=True)
    assert outcome.failed is shown
    assert ("one: much" in capsys.readouterr().out.splitlines()) is shown


def test_a_stage_fails_when_its_first_command_does_and_the_next_still_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "PRINTED", tmp_path)
    both = stage("two", "raise SystemExit(1)", "print('here')")
    assert Lanes(until=FAR, marked=True).run([both])[0].result == "FAILED"
    assert (tmp_path / "two-2.log").read_text() == "here\n"
