"""Hardening: what becomes of the evidence that a server answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sopauto.errors import BadInput
from sopauto.technical.playbook import Change, PlaybookRun
from sopauto.technical.server import Harden
from sopauto.work import Json, Report, WorkOrder, sha256

ROOT = Path(__file__).parents[3]
PARAMETERS: Json = {"server": "server-01"}


@dataclass(slots=True)
class Answers:
    """A server on which one thing is to change, and that answers this evidence."""

    evidence: Json
    looked: list[bool] = field(default_factory=list)

    def run(
        self, playbook: str, files: Mapping[str, bytes], parameters: Json, *, check: bool, report: Report
    ) -> PlaybookRun:
        self.looked.append(check)
        return PlaybookRun(
            changes=[Change(task="Banners", parts=("+x",))], failure=None, log="", evidence=self.evidence
        )


def malformed(_: Json) -> bytes:
    raise BadInput("`controls` is not a list of objects", where="evidence of hardening", mend="see docs/forms.md")


def test_evidence_that_is_no_form_is_kept_as_it_came_and_the_work_counts_as_done() -> None:
    runner = Answers({"controls": "all fine, believe me"})
    harden = Harden(runner, roots=[ROOT], now=lambda: datetime(2026, 11, 21, tzinfo=UTC), form=malformed)
    plan = harden.plan(PARAMETERS, lambda _: None)
    order = WorkOrder(
        ticket="PP-2026-0001",
        step="pemasangan.15",
        attempt=1,
        person="yoga",
        module=harden.name,
        parameters=PARAMETERS,
        targets=plan.targets,
        procedure_digest="",
        materials={name: sha256(content) for name, content in harden.materials(PARAMETERS).items()},
        plan=plan,
    )
    result = harden.apply(order, lambda _: None)
    kept = {artifact.name: artifact.content for artifact in result.artifacts}
    assert result.changed
    assert b"believe me" in kept["bukti-pengamanan.json"]
    assert b"not a list of objects" in kept["bukti-pengamanan.txt"]
    assert runner.looked == [True, True, False]
