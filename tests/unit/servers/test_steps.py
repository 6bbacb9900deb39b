"""Hardening: what becomes of the evidence that a server answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sopauto.errors import BadInput
from sopauto.servers.steps import Harden
from sopauto.technical.playbook import Change, PlaybookRun
from sopauto.work import Json, Plan, Report, WorkOrder, sha256

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 21, tzinfo=UTC)
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


def ordered(harden: Harden, plan: Plan, parameters: Json) -> WorkOrder:
    return WorkOrder(
        ticket="PP-2026-0001",
        step="pemasangan.15",
        attempt=1,
        person="yoga",
        module=harden.name,
        parameters=parameters,
        targets=plan.targets,
        procedure_digest="",
        materials={name: sha256(content) for name, content in harden.materials(parameters).items()},
        plan=plan,
    )


def test_evidence_that_is_no_form_is_kept_as_it_came_and_the_work_counts_as_done() -> None:
    runner = Answers({"controls": "all fine, believe me"})
    harden = Harden(runner, roots=[ROOT], now=lambda: NOW, form=malformed)
    plan = harden.plan(PARAMETERS, lambda _: None)
    result = harden.apply(ordered(harden, plan, PARAMETERS), lambda _: None)
    kept = {artifact.name: artifact.content for artifact in result.artifacts}
    assert result.changed
    assert b"believe me" in kept["bukti-pengamanan.json"]
    assert b"not a list of objects" in kept["bukti-pengamanan.txt"]
    assert runner.looked == [True, True, False]


def hardened(evidence: Json, parameters: Json = PARAMETERS) -> Json:
    """Return the evidence that is kept of a hardening of which the server answers this."""
    harden = Harden(Answers(evidence), roots=[ROOT], now=lambda: NOW, form=lambda _: b"%PDF")
    plan = harden.plan(parameters, lambda _: None)
    kept = {a.name: a.content for a in harden.apply(ordered(harden, plan, parameters), lambda _: None).artifacts}
    told: Json = json.loads(kept["bukti-pengamanan.json"])
    return told


def test_what_we_know_is_not_overwritten_by_what_a_server_answers() -> None:
    lies = {"server": "other-01", "profile": "cis-level-9", "taken_at": "2001-01-01T00:00:00+00:00", "controls": []}
    told = hardened(lies)
    assert (told["server"], told["profile"]) == ("server-01", "")
    assert told["taken_at"] == NOW.isoformat(timespec="seconds")


def test_a_server_cannot_name_who_waived_a_control() -> None:
    lie = {"control": "5.1.1", "reason": "kata server", "approved_by": "kepala-dinas", "expires": "2099-01-01"}
    row = {"id": "5.1.1", "status": "dikecualikan", "waiver": lie}
    told = hardened({"controls": [row, {**row, "id": "5.1.2"}], "summary": {"dikecualikan": 2, "sesuai": 40}})
    assert [(row["status"], row["waiver"]) for row in told["controls"]] == [("perlu dilihat", None)] * 2
    assert told["summary"] == {"dikecualikan": 0, "perlu dilihat": 2, "sesuai": 40}
    ours = {**lie, "reason": "aplikasi antrean", "approved_by": "kasie-infrastruktur"}
    told = hardened({"controls": [row]}, {**PARAMETERS, "variables": {"hardening_waivers": [ours]}})
    assert (told["controls"][0]["status"], told["controls"][0]["waiver"]) == ("dikecualikan", ours)
