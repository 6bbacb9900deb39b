"""What the events of a playbook tell: shown as they come, and what is kept of them, bounded."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sopauto.drivers.differences import masked, told, why, without_paths
from sopauto.procedures.fields import one_line
from sopauto.technical.playbook import Change, Timed
from sopauto.work import Json, Report

MAX_CHANGES: Final = 16 * 1024 * 1024
"""Characters of a run's changes that are kept and compared."""


@dataclass(slots=True)
class Listener:
    """Collects what the events of a run tell; shows each task as it ends."""

    report: Report
    secrets: tuple[str, ...] = ()
    folder: str = ""
    changes: list[Change] = field(default_factory=list)
    tasks: list[Timed] = field(default_factory=list)
    evidence: Json | None = None
    failure: str | None = None
    unreachable: bool = False
    ignored: list[str] = field(default_factory=list)
    changed: int = 0
    room: int = MAX_CHANGES
    ids: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def hear(self, event: dict[str, Any]) -> bool:
        """Take an event of ansible-runner; tells it that it need not keep it."""
        data = event.get("event_data", {})
        handler = {
            "runner_on_ok": self._ok,
            "runner_on_failed": self._failed,
            "runner_on_unreachable": self._unreachable,
            "playbook_on_stats": self._stats,
        }.get(str(event.get("event")))
        if handler:
            handler(data, data.get("res") or {})
        return False  # ansible-runner need not keep the event

    def _ok(self, data: dict[str, Any], result: dict[str, Any]) -> None:
        changed = bool(result.get("changed"))
        if changed:
            parts = (masked(without_paths(part, self.folder), self.secrets) for part in told(result))
            self._keep(Change(task=self._task(data), parts=tuple(parts)), str(data.get("task_uuid")))
        if isinstance(result.get("evidence"), dict):
            self.evidence = result["evidence"]
        self._ended(data, "changed" if changed else "ok")

    def told(self, restless: Collection[str], shown: Mapping[str, str]) -> list[Change]:
        """Return the changes without those of tasks that change something each time; `shown` are commands' texts."""
        return [
            replace(change, parts=change.parts or ((shown[task],) if task in shown else ()))
            for task, change in zip(self.ids, self.changes, strict=True)
            if task not in restless
        ]

    def _keep(self, change: Change, task: str) -> None:
        """Keep a change while there is room; one that does not fit is missed when all are counted at the end."""
        self.room -= len(change.task) + sum(map(len, change.parts))
        if self.room > 0:
            self.changes.append(change)
            self.ids.append(task)

    def _failed(self, data: dict[str, Any], result: dict[str, Any]) -> None:
        if data.get("ignore_errors"):
            self.ignored.append(self._task(data))
            self._ended(data, "ignored")
            return
        # The last failure tells most: a rescue says what became of the first.
        self.failure = masked(one_line(f"{self._task(data)}: {why(result)}"), self.secrets)
        self._ended(data, "FAILED")

    def _unreachable(self, data: dict[str, Any], result: dict[str, Any]) -> None:
        self.unreachable = True
        why = " ".join(str(result.get("msg") or "").split())[:300]
        self.failure = self.failure or masked(one_line(f"{self._task(data)}: unreachable: {why}"), self.secrets)
        self._ended(data, "UNREACHABLE")

    def _stats(self, data: dict[str, Any], _: dict[str, Any]) -> None:
        self.changed = sum(data.get("changed", {}).values())

    def _ended(self, data: dict[str, Any], how: str) -> None:
        task = self._task(data)
        self.tasks.append(Timed(task=task, seconds=round(float(data.get("duration") or 0), 1), how=how))
        self.report(f"{time.monotonic() - self.begun:6.1f} s  {how:<8} {one_line(task)}")

    def _task(self, data: dict[str, Any]) -> str:
        name = masked(str(data.get("task", "")), self.secrets)
        return name.partition(" : ")[2][:200] or name[:200]
