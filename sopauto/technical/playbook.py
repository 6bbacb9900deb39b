"""`playbook.run`: an Ansible playbook on the ticket's server, exactly as its check-mode run was approved.

The state that a plan compares is what a check-mode run says is still to change: `before` what the approver saw,
`after` nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from sopauto.data_file import parse_document
from sopauto.errors import BadInput, OutcomeUnknown, Refused, SopautoError, Stale, StepFailed
from sopauto.work import Artifact, Json, Plan, Probe, Report, Result, WorkOrder, sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one task would change, or changed: the task's name and the difference that it shows."""

    task: str
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookRun:
    """How a playbook ended: its changes in order, and the first failure (None: none)."""

    changes: Sequence[Change]
    failure: str | None
    log: str


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
        """Return the playbook and every file of the roles that it names; raises BadInput (there is none)."""
        path = _playbook_path(parameters)
        content = self._read(path)
        files = {path: content}
        for role in _roles(content, path):
            files |= self._role(role)
        return files

    def plan(self, parameters: Json, report: Report) -> Plan:
        """Return what a check-mode run says would change; changes nothing."""
        return self._plan(parameters, self.materials(parameters), report)

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Run the playbook when check mode still says what was approved, and prove that nothing is left to change."""
        assert order.plan is not None
        files = self._approved_files(order)
        now = self._plan(order.parameters, files, report)
        if now.before == order.plan.after:
            return Result(changed=False, summary="nothing is left to change; nothing was run")
        if now.before != order.plan.before:
            raise Stale(
                f"{', '.join(order.targets)} is not as the approver saw it",
                where=order.ticket,
                mend=f"nothing was changed; make a new plan with `inv ticket.plan {order.ticket}`",
            )
        run = self._runner.run(_playbook_path(order.parameters), files, order.parameters, check=False, report=report)
        log = Artifact(name="playbook.log", media_type="text/plain", content=run.log.encode())
        left = self._left(order, files, report, (log,))
        if left == order.plan.after:
            return Result(
                changed=bool(run.changes),
                summary=f"{len(run.changes)} tasks changed {', '.join(order.targets)}; a second look finds none left",
                facts={"changed": [change.task for change in run.changes]},
                artifacts=(log,),
            )
        what = run.failure or "the playbook ended, but check mode still finds something to change"
        if left == order.plan.before:
            raise StepFailed(what, where=order.ticket, mend="nothing was changed; see playbook.log", evidence=(log,))
        raise OutcomeUnknown(what, where=order.ticket, mend="look at the server", evidence=(log,))

    def probe(self, order: WorkOrder, report: Report) -> Probe:
        """Tell by check mode whether all, nothing or a part of the plan was carried out."""
        assert order.plan is not None
        try:
            left = self._plan(order.parameters, self._approved_files(order), report).before
        except SopautoError:
            return Probe.UNKNOWN
        if left == order.plan.after:
            return Probe.DONE
        return Probe.NOT_BEGUN if left == order.plan.before else Probe.UNKNOWN

    def undo(self, order: WorkOrder, report: Report) -> Result:  # noqa: ARG002 - the Protocol's signature
        """Refuse: a playbook has no way back of its own."""
        raise Refused(
            f"{order.module} cannot be undone by itself", where=order.ticket, mend="write a playbook that does"
        )

    def _plan(self, parameters: Json, files: Mapping[str, bytes], report: Report) -> Plan:
        path = _playbook_path(parameters)
        run = self._runner.run(path, files, parameters, check=True, report=report)
        if run.failure:
            raise StepFailed(f"check mode failed: {run.failure}", where=path, mend="mend it, then plan again")
        return Plan(
            module=self.name,
            targets=(str(parameters["server"]),),
            parameters=parameters,
            before={
                "to_change": [{"task": change.task, "diff": sha256(change.diff.encode())} for change in run.changes]
            },
            lines=tuple(change.task for change in run.changes),
            after={"to_change": []},
            diff="\n".join(change.diff for change in run.changes if change.diff),
        )

    def _left(
        self, order: WorkOrder, files: Mapping[str, bytes], report: Report, evidence: tuple[Artifact, ...]
    ) -> Json:
        try:
            return self._plan(order.parameters, files, report).before
        except SopautoError as error:
            raise OutcomeUnknown(str(error), where=order.ticket, mend="look at the server", evidence=evidence) from None

    def _approved_files(self, order: WorkOrder) -> Mapping[str, bytes]:
        """Return the files that will run; raises Stale when they are not those that were approved."""
        files = self.materials(order.parameters)
        if {name: sha256(content) for name, content in files.items()} != dict(order.materials):
            raise Stale("the playbook changed since it was approved", where=order.ticket, mend="plan again")
        return files

    def _read(self, path: str) -> bytes:
        for root in self._roots:
            if (root / path).is_file():
                return (root / path).read_bytes()
        raise BadInput(f"there is no {path}", where="parameter playbook", mend=f"put it below {self._roots[0]}")

    def _role(self, role: str) -> dict[str, bytes]:
        for root in self._roots:
            folder = root / "roles" / role
            if folder.is_dir():
                files = sorted(path for path in folder.rglob("*") if path.is_file())
                return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
        raise BadInput(f"there is no role {role}", where="playbook", mend=f"put it below {self._roots[0] / 'roles'}")


def _playbook_path(parameters: Json) -> str:
    name = str(parameters.get("playbook", ""))
    if PurePosixPath(name).name != name or not name.endswith((".yml", ".yaml")):
        raise BadInput(
            f"{name!r} is no playbook's name", where="parameter playbook", mend="write e.g. set_time_zone.yml"
        )
    return f"playbooks/{name}"


def _roles(content: bytes, where: str) -> list[str]:
    """Return the names of the roles that a playbook lists."""
    plays, _ = parse_document(content, where)
    listed: list[Any] = [role for play in plays or [] for role in play.get("roles") or []]
    return [str(role["role"] if isinstance(role, Mapping) else role) for role in listed]
