"""Stages side by side: each is marked, bounded, and what it took is counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lab.testing.packages import virtual_machines_run
from lab.testing.programs import Ended, Watch, run
from lab.testing.stages import ROOT, Command, Stage
from sopauto.cli.console import say

LANES = 2
"""How many stages run side by side: most keep about one processor busy."""
WORDS = 14
PRINTED = ROOT / ".cache" / "test"
"""Where all that the stages print is kept until the next run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a stage; `result` is `ok`, `skipped`, or says what failed."""

    name: str
    result: str
    seconds: float = 0.0
    processor: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether anything of it failed."""
        return self.result not in {"ok", "skipped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """Stages in lanes; `until` (monotonic) all must have ended. `marked`: each line names its stage."""

    until: float
    marked: bool
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, stages: Sequence[Stage]) -> Sequence[Outcome]:
        """Return what became of each; when this is interrupted, all that run are ended."""
        with ThreadPoolExecutor(LANES) as pool:
            try:
                return list(pool.map(self._stage, stages))
            except BaseException:
                self.stop.set()
                raise

    def _stage(self, stage: Stage) -> Outcome:
        if stage.virtual and not virtual_machines_run():
            say(f"{stage.name}: skipped: needs root on Debian (virtual machines)")
            return Outcome(name=stage.name, result="skipped")
        begun = time.monotonic()
        until = min(begun + stage.bound, self.until)
        ended = [self._command(stage, command, until) for command in stage.commands]
        return Outcome(
            name=stage.name,
            result=self._result(stage, ended),
            seconds=time.monotonic() - begun,
            processor=sum(one.processor for one in ended),
        )

    def _command(self, stage: Stage, command: Command, until: float) -> Ended:
        tell = self._teller(stage)
        log = PRINTED / f"{stage.name}-{stage.commands.index(command) + 1}.log"
        tell(f"== {_short(command)}")
        ended = run(command, Watch(log=log, until=until, stop=self.stop, tell=_nothing if stage.quiet else tell))
        if stage.quiet and ended.code:
            for line in log.read_text(errors="replace").splitlines():
                tell(line)
        result = "ok" if not ended.code else f"exit {ended.code}" if ended.in_time else "ended, for it took too long"
        tell(f"-- {_short(command)}: {result}, {ended.seconds:.1f} s, {ended.processor:.1f} s of processor")
        return ended

    def _teller(self, stage: Stage) -> Callable[[str], None]:
        mark = f"{stage.name}: " if self.marked else ""
        return lambda line: say(f"{mark}{line}")

    def _result(self, stage: Stage, ended: Sequence[Ended]) -> str:
        if not all(one.in_time for one in ended):
            return f"FAILED: longer than its {stage.bound:.0f} s" if not self.stop.is_set() else "FAILED: interrupted"
        return "FAILED" if any(one.code for one in ended) else "ok"


def _short(command: Command) -> str:
    """Return a command for a person: of many files the first ones."""
    more = f" and {len(command) - WORDS} more" if len(command) > WORDS else ""
    return f"{' '.join(command[:WORDS])}{more}"


def _nothing(_: str) -> None:
    """Tell nobody."""
