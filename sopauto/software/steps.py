"""`software.check`, `.install`, `.run`, `.remove` and `.configure`: one software on one server (SOP 003, rows 4 to 10).

One playbook, one role, one stage each. What row 5 plans, somebody approves there; it says too how rows 6 and 8 take the
software back, so these run under the same plan. What a server tells as evidence is hostile: it is cut to a bound.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sopauto.errors import Refused, StepFailed
from sopauto.software.shelf import Shelf
from sopauto.software.source import source_files
from sopauto.technical.playbook import PlaybookRun, PlaybookRunner
from sopauto.technical.reading import reading_plan
from sopauto.technical.server_playbook import ServerPlaybook
from sopauto.work import Artifact, Json, Plan, Probe, Report, Result, WorkOrder

LONGEST: Final = 400
MOST: Final = 2000
DEEPEST: Final = 6
TOLD: Final = 5


class SoftwareStage(ServerPlaybook):
    """One stage of the role `software`."""

    playbook = "install_software.yml"
    stage: str

    def __init__(self, runner: PlaybookRunner, *, roots: Sequence[Path], shelf: Shelf) -> None:
        super().__init__(runner, roots=roots)
        self._shelf = shelf

    def materials(self, parameters: Json) -> Mapping[str, bytes]:
        """Return playbook, roles, and the files that the software comes from; raises BadInput (one is not sound)."""
        return {**super().materials(parameters), **source_files(self._shelf, parameters)}

    def _run(self, parameters: Json, files: Mapping[str, bytes], report: Report, *, check: bool) -> PlaybookRun:
        # In base64 nothing of it is a template to Ansible: what a setting holds stays what it is.
        order = base64.b64encode(json.dumps(dict(parameters)).encode()).decode()
        variables = {"software_stage": self.stage, "software_order": order}
        return super()._run({**parameters, "variables": variables}, files, report, check=check)

    def _artifacts(self, order: WorkOrder, run: PlaybookRun) -> tuple[Artifact, ...]:
        text = json.dumps(self._evidence(order, run), ensure_ascii=False, indent=1, sort_keys=True)
        evidence = Artifact(name=f"{self.name}.json", media_type="application/json", content=text.encode())
        return (*super()._artifacts(order, run), evidence)

    def _evidence(self, order: WorkOrder, run: PlaybookRun) -> dict[str, Any]:  # noqa: ARG002 - of use to heirs
        """Return what is kept as the stage's evidence."""
        return dict(bounded(run.evidence or {}))

    def _facts(self, order: WorkOrder, run: PlaybookRun) -> Json:
        return {"evidence": self._evidence(order, run)}

    def _carried_out(
        self, order: WorkOrder, report: Report, *, check: bool = False
    ) -> tuple[Json, tuple[Artifact, ...]]:
        """Run the stage and return its evidence with what is kept; raises StepFailed, Stale."""
        files = self._approved_files(order)
        run = self._run(order.parameters, files, report, check=check)
        kept = self._artifacts(order, run)
        if run.failure:
            mend = "mend the cause, then run it again: it goes on where it stopped"
            raise StepFailed(run.failure, where=order.ticket, mend=mend, evidence=kept)
        return self._evidence(order, run), kept


class Check(SoftwareStage):
    """The technical module `software.check`: are all requirements met? (SOP 003, row 4)."""

    name = "software.check"
    mutates = False
    stage = "requirements"

    def plan(self, parameters: Json, report: Report) -> Plan:  # noqa: ARG002 - the Protocol's signature
        """Return a plan without lines: nothing is changed."""
        return reading_plan(self.name, parameters)

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Return what the server has and lacks; raises StepFailed (it does not answer)."""
        evidence, kept = self._carried_out(order, report, check=True)
        lacking = [str(fault) for fault in evidence.get("failures", [])]
        summary = (
            f"{len(lacking)} requirements are not met: {'; '.join(lacking)}" if lacking else "all requirements are met"
        )
        return Result(changed=False, summary=summary, facts={"evidence": evidence}, artifacts=kept)

    def probe(self, order: WorkOrder, report: Report) -> Probe:  # noqa: ARG002 - the Protocol's signature
        """Tell that nothing was changed: a reading leaves no trace."""
        return Probe.NOT_BEGUN


class Install(SoftwareStage):
    """The technical module `software.install`: record the state, then install (SOP 003, row 5)."""

    name = "software.install"
    stage = "install"
    _proof = "the state before is recorded on the server"

    def plan(self, parameters: Json, report: Report) -> Plan:
        """Return what check mode says would change, and what is promised for the rows after it."""
        found = super().plan(parameters, report)
        return replace(found, lines=(*found.lines, *_promises(parameters)))


class Underway(SoftwareStage):
    """Work of a later row under the plan of row 5. Done twice, it does no more than done once."""

    def plan(self, parameters: Json, report: Report) -> Plan:  # noqa: ARG002 - the Protocol's signature
        """Refuse: the plan of the row that installs holds this work."""
        raise Refused(f"{self.name} has no plan of its own", mend="the row that installs plans it too")

    def probe(self, order: WorkOrder, report: Report) -> Probe:  # noqa: ARG002 - the Protocol's signature
        """Tell that it may go on: it starts what does not run, or takes back what is still there."""
        return Probe.PARTLY


class Run(Underway):
    """The technical module `software.run`: start it; what does not stay running is taken back (SOP 003, row 6)."""

    name = "software.run"
    stage = "start"

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Start the software; return whether it runs. Raises StepFailed (taken back, but not all is as before)."""
        evidence, kept = self._carried_out(order, report)
        if evidence.get("running") is True:
            return Result(changed=True, summary="it runs", facts={"evidence": evidence}, artifacts=kept)
        summary = f"it does not run: {evidence.get('reason', '')}; {_proven(order, evidence, kept)}"
        return Result(changed=True, summary=summary, facts={"evidence": evidence}, artifacts=kept)


class Remove(Underway):
    """The technical module `software.remove`: uninstall, and prove the recorded state (SOP 003, row 8)."""

    name = "software.remove"
    stage = "remove"

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Take the software back. Raises StepFailed (not all is as before; the evidence names what is not)."""
        evidence, kept = self._carried_out(order, report)
        facts = {"evidence": evidence}
        return Result(changed=True, summary=_proven(order, evidence, kept), facts=facts, artifacts=kept)


class Configure(SoftwareStage):
    """The technical module `software.configure`: files from settings, checked before they count (SOP 003, row 10)."""

    name = "software.configure"
    stage = "configure"
    _proof = "checked by the software's own checker before they counted"

    def materials(self, parameters: Json) -> Mapping[str, bytes]:
        """Return playbook and roles: the files' content is part of the parameters."""
        return ServerPlaybook.materials(self, parameters)

    def _evidence(self, order: WorkOrder, run: PlaybookRun) -> dict[str, Any]:  # noqa: ARG002 - as its heirs do
        return {"settings": order.parameters["settings"], "files": [file["path"] for file in order.parameters["files"]]}


def bounded(value: Any, depth: int = 0) -> Any:
    """Return a server's evidence with every text, list and level cut to a readable size."""
    if isinstance(value, str):
        return value[:LONGEST]
    if isinstance(value, Mapping):
        parts = list(value.items())[:MOST] if depth < DEEPEST else []
        return {str(name)[:LONGEST]: bounded(part, depth + 1) for name, part in parts}
    if isinstance(value, list | tuple):
        return [bounded(part, depth + 1) for part in value[:MOST]] if depth < DEEPEST else []
    return value if value is None or isinstance(value, int | float) else str(value)[:LONGEST]


def _promises(parameters: Json) -> list[str]:
    entry = parameters["entry"]
    kept = ", ".join(entry["data"])
    return [
        *(f"start and enable {service}" for service in entry["services"]),
        "when it does not run, or a default test fails: uninstall it and bring back the recorded state",
        *([f"data is {'deleted then' if parameters['delete_data'] else 'kept'}: {kept}"] if kept else []),
    ]


def _proven(order: WorkOrder, evidence: Json, kept: tuple[Artifact, ...]) -> str:
    """Return the proof of a take-back in words; raises StepFailed (something of ours is left)."""
    left = evidence.get("left")
    if not isinstance(left, list) or left:
        named = "; ".join(map(str, (left or ["the server told nothing"])[:TOLD]))
        mend = "see the evidence, mend it, then run it again"
        raise StepFailed(f"taken back, but not all is as before: {named}", where=order.ticket, mend=mend, evidence=kept)
    data = f"; data kept: {', '.join(map(str, evidence['kept']))}" if evidence.get("kept") else ""
    others = evidence.get("others") or []
    told = f"; changed meanwhile by others: {len(others)}" if others else ""
    return f"uninstalled, the recorded state is back (difference: none{data}{told})"
