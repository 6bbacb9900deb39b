"""Ansible playbooks on the ticket's server, exactly as their check-mode run was approved.

The state that a plan compares is what a check-mode run says is still to change: `before` what the approver saw, `after`
nothing. A run may begin when all that is still to change was approved: what was done meanwhile, or by an attempt that
was cut off, need not be done again. `playbook.run` takes any playbook; `server.provision` and `server.harden`
(`server.py`) have one of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from sopauto.errors import BadInput, Refused, SopautoError, Stale, StepFailed
from sopauto.technical import run_rules
from sopauto.technical.run_files import gather
from sopauto.technical.variables import refuse_unread
from sopauto.work import Artifact, Json, Plan, Probe, Report, Result, WorkOrder, sha256

TOLD: Final = 3
"""Tasks that an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one task would change, or changed: the task's name and the differences that it shows, one for each file."""

    task: str
    parts: tuple[str, ...] = ()

    @property
    def diff(self) -> str:
        """All differences as one text."""
        return "\n".join(self.parts)

    def entries(self) -> list[dict[str, str]]:
        """Return what a plan compares. One entry for each file: a task that was cut off leaves some of them."""
        return [{"task": self.task, "diff": sha256(part.encode())} for part in self.parts or ("",)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One task that ended: its name, the seconds it took, and how it ended."""

    task: str
    seconds: float
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookRun:
    """How a playbook ended: its changes in order, the last failure (None: none), and the evidence that a task gave."""

    changes: Sequence[Change]
    failure: str | None
    log: str
    unreachable: bool = False
    tasks: Sequence[Timed] = ()
    evidence: Json | None = None


class PlaybookRunner(Protocol):
    """Runs a playbook against one server."""

    def run(
        self, playbook: str, files: Mapping[str, bytes], parameters: Json, *, check: bool, report: Report
    ) -> PlaybookRun:
        """Run the playbook from these very files; `check` changes nothing. Raises StepFailed (it did not start)."""


class RunPlaybook:
    """The technical module `playbook.run`. `roots` hold `playbooks/` and `roles/`; the first that has a name wins."""

    name = "playbook.run"
    mutates = True

    def __init__(self, runner: PlaybookRunner, *, roots: Sequence[Path]) -> None:
        self._runner = runner
        self._roots = roots

    def materials(self, parameters: Json) -> Mapping[str, bytes]:
        """Return every file that the run may read; raises BadInput (the playbook or a role is missing)."""
        return gather(self._roots, self._playbook(parameters))

    def plan(self, parameters: Json, report: Report) -> Plan:
        """Return what a check-mode run says would change; changes nothing."""
        files = self.materials(parameters)
        refuse_unread(self._given(parameters), files, where=self._playbook(parameters))
        return self._plan(parameters, files, report)

    def _given(self, parameters: Json) -> Iterable[str]:
        """Return the variables that somebody stated, so that a misspelt one is not ignored."""
        return dict(parameters.get("variables", {}))

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Run the playbook when all that check mode still finds to change was approved, and prove what it did.

        Raises: Stale (something else is to change), StepFailed (with how far it came; another run goes on from there).
        """
        assert order.plan is not None
        files = self._approved_files(order)
        report("is it still as the approver saw it?")
        left = self._plan(order.parameters, files, report).before
        if left == order.plan.after:
            return Result(changed=False, summary="nothing is left to change; nothing was run")
        strange = _not_approved(left, order.plan.before)
        if strange:
            raise Stale(
                f"{', '.join(order.targets)} is not as the approver saw it: {strange}",
                where=order.ticket,
                mend=f"nothing was changed; make a new plan with `inv ticket.plan {order.ticket}`",
            )
        report("yes; now it is done")
        run = self._run(order.parameters, files, report, check=False)
        artifacts = self._artifacts(order, run)
        if run.failure:
            raise StepFailed(
                f"stopped after {len(run.changes)} changes: {run.failure}",
                where=order.ticket,
                mend="mend the cause, then run it again: it goes on where it stopped",
                evidence=artifacts,
            )
        self._prove(order, files, report, artifacts)
        return Result(
            changed=bool(run.changes),
            summary=f"{len(run.changes)} tasks changed {', '.join(order.targets)}; {self._proof}",
            facts={"changed": [change.task for change in run.changes], **self._facts(order, run)},
            artifacts=artifacts,
        )

    _proof = "a second look finds none left"

    def _facts(self, order: WorkOrder, run: PlaybookRun) -> Json:  # noqa: ARG002 - of use to heirs
        """Return what forms need to know of a run beside its changes."""
        return {}

    def _prove(
        self, order: WorkOrder, files: Mapping[str, bytes], report: Report, evidence: tuple[Artifact, ...]
    ) -> None:
        """Look a second time; raises StepFailed when something is left to change."""
        report("a second look")
        assert order.plan is not None
        if self._plan(order.parameters, files, report).before != order.plan.after:
            what = "the playbook ended, but check mode still finds something to change"
            raise StepFailed(what, where=order.ticket, mend="look at the playbook", evidence=evidence)

    def probe(self, order: WorkOrder, report: Report) -> Probe:
        """Tell by check mode whether all, nothing or a part of the plan was carried out."""
        assert order.plan is not None
        try:
            left = self._plan(order.parameters, self._approved_files(order), report).before
        except SopautoError:
            return Probe.UNKNOWN
        if left == order.plan.after:
            return Probe.DONE
        if left == order.plan.before:
            return Probe.NOT_BEGUN
        return Probe.UNKNOWN if _not_approved(left, order.plan.before) else Probe.PARTLY

    def undo(self, order: WorkOrder, report: Report) -> Result:  # noqa: ARG002 - the Protocol's signature
        """Refuse: a playbook has no way back of its own."""
        raise Refused(
            f"{order.module} cannot be undone by itself", where=order.ticket, mend="write a playbook that does"
        )

    def _plan(self, parameters: Json, files: Mapping[str, bytes], report: Report) -> Plan:
        run = self._run(parameters, files, report, check=True)
        if run.failure:
            where = self._playbook(parameters)
            raise StepFailed(f"check mode failed: {run.failure}", where=where, mend="mend it, then try again")
        return Plan(
            module=self.name,
            targets=(str(parameters["server"]),),
            parameters=parameters,
            before={"to_change": [entry for change in run.changes for entry in change.entries()]},
            lines=tuple(change.task for change in run.changes),
            after={"to_change": []},
            diff="\n".join(change.diff for change in run.changes if change.diff),
        )

    def _run(self, parameters: Json, files: Mapping[str, bytes], report: Report, *, check: bool) -> PlaybookRun:
        run_rules.refuse(files)
        return self._runner.run(self._playbook(parameters), files, parameters, check=check, report=report)

    def _playbook(self, parameters: Json) -> str:
        """Return the path of the playbook below a root; raises BadInput."""
        return _playbook_path(parameters)

    def _artifacts(self, order: WorkOrder, run: PlaybookRun) -> tuple[Artifact, ...]:  # noqa: ARG002 - of use to heirs
        """Return what is kept of a run."""
        tasks = "".join(f"{task.seconds:8.1f} s  {task.how:<11}  {task.task}\n" for task in run.tasks)
        return (
            Artifact(name="playbook.log", media_type="text/plain", content=run.log.encode()),
            Artifact(name="tasks.txt", media_type="text/plain", content=tasks.encode()),
        )

    def _approved_files(self, order: WorkOrder) -> Mapping[str, bytes]:
        """Return the files that will run; raises Stale when they are not those that were approved."""
        files = self.materials(order.parameters)
        if {name: sha256(content) for name, content in files.items()} != dict(order.materials):
            raise Stale("the playbook changed since it was approved", where=order.ticket, mend="plan again")
        return files


def _playbook_path(parameters: Json) -> str:
    name = str(parameters.get("playbook", ""))
    if PurePosixPath(name).name != name or not name.endswith((".yml", ".yaml")):
        raise BadInput(
            f"{name!r} is no playbook's name", where="parameter playbook", mend="write e.g. set_time_zone.yml"
        )
    return f"playbooks/{name}"


def _not_approved(left: Json, approved: Json) -> str:
    """Return what is to change and was not approved, in words; empty when there is nothing of the kind."""
    seen = {json.dumps(change, sort_keys=True) for change in approved["to_change"]}
    found = [change["task"] for change in left["to_change"] if json.dumps(change, sort_keys=True) not in seen]
    strange = list(dict.fromkeys(found))
    more = f" and {len(strange) - TOLD} more" if len(strange) > TOLD else ""
    return f"{'; '.join(strange[:TOLD])}{more} would change otherwise" if strange else ""
