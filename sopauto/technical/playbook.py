"""Ansible playbooks on the ticket's server, exactly as their check-mode run was approved.

The state that a plan compares is what a check-mode run says is still to change: `before` what the approver saw, `after`
nothing. A run may begin when all that is still to change was approved: what was done meanwhile, or by an attempt that
was cut off, need not be done again. `playbook.run` takes any playbook; `server.provision` and `server.harden`
(`server.py`) have one of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from sopauto.clock import SystemClock
from sopauto.errors import BadInput, NotBegun, Refused, SopautoError, Stale, StepFailed
from sopauto.technical import run_rules
from sopauto.technical.check_rules import refuse_hidden
from sopauto.technical.comparing import comparable, done_once, left_over, named, not_approved, undone
from sopauto.technical.front_matter import Varies, refuse_dates, unsteady, varying, without
from sopauto.technical.run_files import gather
from sopauto.technical.variables import refuse_unread
from sopauto.work import Artifact, Json, Plan, Probe, Report, Result, Unforeseen, WorkOrder, sha256

LEAVE: Final = "leave.json"
"""The file that tells a runner what a look before found that may be run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one task would change, or changed: the task's name and the differences that it shows, one for each file."""

    task: str
    parts: tuple[str, ...] = ()

    @property
    def diff(self) -> str:
        """All differences as one text."""
        return "\n".join(self.parts)

    def entries(self, declared: Sequence[Varies] = ()) -> list[dict[str, Any]]:
        """Return what a plan compares, without what was declared to differ from run to run.

        One entry for each file: a task that was cut off leaves some of them.
        """
        return [self._entry(part, declared) for part in self.parts or ("",)]

    def _entry(self, part: str, declared: Sequence[Varies]) -> dict[str, Any]:
        task, text = without(self.task, declared), without(part, declared)
        # Only where it is so: plans that know of nothing that varies keep their digests.
        varies = {"varies": True} if (task, text) != (self.task, part) else {}
        return {"task": task, "diff": sha256(text.encode()), **varies}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One task that ended: its name, the seconds it took, and how it ended."""

    task: str
    seconds: float
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookRun:
    """How a playbook ended: its changes in order, the last failure (None: none), and the evidence that a task gave.

    A look (check mode) tells too which tasks it cannot foresee, how many it `checked` (None: not counted), and what a
    run after it may do (`leave`). A run tells where the tasks stand that `ran`, and names in `strange` what changed
    although no plan said so, in `ignored` what failed and was passed over. `stopped`: before a task that must not run.
    """

    changes: Sequence[Change]
    failure: str | None
    log: str
    unreachable: bool = False
    tasks: Sequence[Timed] = ()
    evidence: Json | None = None
    unforeseen: tuple[Unforeseen, ...] = ()
    checked: int | None = None
    leave: bytes | None = None
    ran: frozenset[str] = frozenset()
    strange: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    stopped: bool = False


class PlaybookRunner(Protocol):
    """Runs a playbook against one server."""

    def run(
        self, playbook: str, files: Mapping[str, bytes], parameters: Json, *, check: bool, report: Report
    ) -> PlaybookRun:
        """Run the playbook from these very files; `check` changes nothing. Raises StepFailed (it did not start).

        A file of the name `LEAVE` is what a look told that may be run: before anything else it stops.
        """


class RunPlaybook:
    """The technical module `playbook.run`. `roots` hold `playbooks/` and `roles/`; the first that has a name wins."""

    name = "playbook.run"
    mutates = True

    def __init__(
        self, runner: PlaybookRunner, *, roots: Sequence[Path], now: Callable[[], datetime] | None = None
    ) -> None:
        self._runner = runner
        self._now = now or SystemClock(ZoneInfo("UTC")).now
        self._roots = roots

    def materials(self, parameters: Json) -> Mapping[str, bytes]:
        """Return every file that the run may read; raises BadInput (the playbook or a role is missing)."""
        return gather(self._roots, self._playbook(parameters))

    def plan(self, parameters: Json, report: Report) -> Plan:
        """Return what a check-mode run says would change and what it cannot foresee; changes nothing.

        Raises: Refused (it would do nothing, or differ from day to day), StepFailed (check mode failed).
        """
        files = self.materials(parameters)
        where = self._playbook(parameters)
        refuse_unread(self._given(parameters), files, where=where)
        refuse_hidden(files)
        plan = self._look(parameters, files, report)[1]
        texts = [*plan.lines, *plan.diff.splitlines(), *(task.arguments for task in plan.unforeseen)]
        added = [text for text in texts if not text.startswith(("-", " "))]
        refuse_dates(added, files, varying(files[where], where), now=self._now(), where=where)
        if unsteady(files) and (other := not_approved(self._look(parameters, files, report)[1], plan)):
            raise Refused(
                f"a second look finds another plan: {other}", where=where, mend="let it be the same each time"
            )
        return plan

    def _given(self, parameters: Json) -> Iterable[str]:
        """Return the variables that somebody stated, so that a misspelt one is not ignored."""
        return dict(parameters.get("variables", {}))

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Run the playbook when all that check mode still finds to change was approved, and prove what it did.

        Raises: Stale (something else is to change), StepFailed (with how far it came; another run goes on from there),
        NotBegun (it failed before anything was changed).
        """
        assert order.plan is not None
        files = self._approved_files(order)
        report("is it still as the approver saw it?")
        try:
            look, now = self._look(order.parameters, files, report)
        except StepFailed as error:
            if not order.plan.once:
                raise
            raise NotBegun(error.what, where=error.where, mend=error.mend, evidence=error.evidence) from error
        strange = not_approved(now, order.plan)
        if strange:
            raise Stale(
                f"{', '.join(order.targets)} is not as the approver saw it: {strange}",
                where=order.ticket,
                mend=f"nothing was changed; make a new plan with `inv ticket.plan {order.ticket}`",
            )
        if now.before == order.plan.after and not now.once:
            checked = f" ({look.checked} tasks were checked)" if look.checked else ""
            return Result(changed=False, summary=f"nothing is left to change{checked}; nothing was run")
        report("yes; now it is done")
        leave = {LEAVE: look.leave} if look.leave is not None else {}
        run = self._run(order.parameters, {**files, **leave}, report, check=False)
        artifacts = self._artifacts(order, run)
        self._refuse_failure(order, run, now, artifacts)
        self._prove(order, files, report, artifacts)
        once = done_once(now, run.ran)
        unproven = f"; {len(once)} ran whose effect nobody can read back: {named(once)}" if once else ""
        unproven += f"; beyond what check mode could foresee changed: {named(run.strange)}" if run.strange else ""
        unproven += f"; failed, which the playbook passes over: {named(run.ignored)}" if run.ignored else ""
        return Result(
            changed=bool(run.changes or once),
            summary=f"{len(run.changes)} tasks changed {', '.join(order.targets)}; {self._proof}{unproven}",
            facts={**self._facts(order, run), "changed": [change.task for change in run.changes], "ran_once": once},
            artifacts=artifacts,
        )

    def _refuse_failure(self, order: WorkOrder, run: PlaybookRun, now: Plan, evidence: tuple[Artifact, ...]) -> None:
        """Raise StepFailed, when the run failed, did more than was approved, or did not do all of it."""
        begun = done_once(now, run.ran)
        again = "plan again: what ran once must not run twice" if begun else "run it again: it goes on where it stopped"
        what, mend = "", f"mend the cause, then {again}"
        if run.failure:
            what = f"stopped after {len(run.changes)} changes: {run.failure}"
        elif run.strange and not self._proves_itself:
            what, mend = f"{named(run.strange)} changed something that no plan told", "look at the machine, plan again"
        elif missing := undone(now, run.ran):
            what, mend = f"{missing} was approved and did not run", "look at the playbook, plan again"
        if what:
            raise StepFailed(what, where=order.ticket, mend=mend, evidence=evidence)

    _proof = "a second look finds none left"
    _proves_itself = False
    """Whether the playbook's own role reads back what it did, also where one change made room for another."""

    def _facts(self, order: WorkOrder, run: PlaybookRun) -> Json:  # noqa: ARG002 - of use to heirs
        """Return what forms need to know of a run beside its changes."""
        return {}

    def _prove(
        self, order: WorkOrder, files: Mapping[str, bytes], report: Report, evidence: tuple[Artifact, ...]
    ) -> None:
        """Look a second time; raises StepFailed when something is left to change."""
        report("a second look")
        assert order.plan is not None
        what = "the playbook ended, but a second look failed"
        try:
            left = left_over(self._look(order.parameters, files, report)[1].before, order.plan.before)
        except SopautoError as error:
            raise StepFailed(f"{what}: {error.what}", where=order.ticket, mend=error.mend, evidence=evidence) from error
        if left:
            what = f"the playbook ended, but check mode still finds something to change: {left}"
            raise StepFailed(what, where=order.ticket, mend="look at the playbook", evidence=evidence)

    def probe(self, order: WorkOrder, report: Report) -> Probe:
        """Tell by check mode whether all, nothing or a part of the plan was carried out.

        Of tasks whose effect nobody can foresee nobody can tell afterwards whether they ran.
        """
        assert order.plan is not None
        if order.plan.once:
            return Probe.UNKNOWN
        try:
            now = self._look(order.parameters, self._approved_files(order), report)[1]
        except SopautoError:
            return Probe.UNKNOWN
        if now.before == order.plan.after:
            return Probe.DONE
        if now.before == order.plan.before:
            return Probe.NOT_BEGUN
        return Probe.UNKNOWN if not_approved(now, order.plan) else Probe.PARTLY

    def undo(self, order: WorkOrder, report: Report) -> Result:  # noqa: ARG002 - the Protocol's signature
        """Refuse: a playbook has no way back of its own."""
        raise Refused(
            f"{order.module} cannot be undone by itself", where=order.ticket, mend="write a playbook that does"
        )

    def _look(self, parameters: Json, files: Mapping[str, bytes], report: Report) -> tuple[PlaybookRun, Plan]:
        """Return what check mode tells, and the plan of it; raises Refused (it does nothing), StepFailed."""
        where = self._playbook(parameters)
        run = self._run(parameters, files, report, check=True)
        if run.stopped:
            raise Refused(str(run.failure), where=where, mend="mend it, then plan again")
        if run.failure:
            raise StepFailed(f"check mode failed: {run.failure}", where=where, mend="mend it, then try again")
        declared = varying(files[where], where)
        plan = Plan(
            module=self.name,
            targets=(str(parameters["server"]),),
            parameters=parameters,
            before={"to_change": [entry for change in run.changes for entry in change.entries(declared)]},
            lines=tuple(change.task for change in run.changes),
            after={"to_change": []},
            diff="\n".join(change.diff for change in run.changes if change.diff),
            unforeseen=tuple(dict.fromkeys(comparable(task, declared) for task in run.unforeseen)),
            varies=tuple(map(str, declared)),
        )
        if run.checked == 0 and not plan.lines and not plan.once:
            raise Refused("no task of it would do anything", where=where, mend="look at hosts, conditions and tags")
        return run, plan

    def _run(self, parameters: Json, files: Mapping[str, bytes], report: Report, *, check: bool) -> PlaybookRun:
        run_rules.refuse({name: content for name, content in files.items() if name != LEAVE})
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
