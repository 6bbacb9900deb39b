"""The stages of a software: what becomes of what a server answers, and what an archive may not hold."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sopauto.errors import BadInput, Refused, StepFailed
from sopauto.software.shelf import Shelf
from sopauto.software.source import refuse_unsafe
from sopauto.software.steps import LONGEST, MOST, Check, Install, Remove, Run, SoftwareStage, bounded
from sopauto.technical.playbook import Change, PlaybookRun
from sopauto.work import Json, Report, Result, WorkOrder, sha256
from tests.acceptance.entries import packed

ROOT = Path(__file__).parents[3]
ENTRY = Shelf().get("nginx").software.model_dump(mode="json")
PARAMETERS: Json = {"server": "server-01", "software": "nginx", "entry": ENTRY, "delete_data": False}
PROOF = {"left": [], "removed": ["nginx"], "kept": ["/var/www/html"], "others": ["file /etc/motd: x, before: y"]}


@dataclass(slots=True)
class Answers:
    """A server that answers this evidence."""

    evidence: Any
    failure: str | None = None
    variables: list[Json] = field(default_factory=list)

    def run(
        self, playbook: str, files: Mapping[str, bytes], parameters: Json, *, check: bool, report: Report
    ) -> PlaybookRun:
        self.variables.append(parameters["variables"])
        changes = [Change(task="Packages", parts=("+nginx",))]
        return PlaybookRun(changes=changes, failure=self.failure, log="", evidence=self.evidence)


def apply(kind: type[SoftwareStage], server: Answers) -> Result:
    stage = kind(server, roots=[ROOT], shelf=Shelf())
    order = WorkOrder(
        ticket="PL-2026-0001",
        step="instalasi.5",
        attempt=1,
        person="yoga",
        module=stage.name,
        parameters=PARAMETERS,
        targets=("server-01",),
        procedure_digest="",
        materials={name: sha256(content) for name, content in stage.materials(PARAMETERS).items()},
        plan=stage.plan(PARAMETERS, lambda _: None) if kind is Install else None,
    )
    return stage.apply(order, lambda _: None)


def test_the_plan_says_how_the_software_is_taken_back() -> None:
    plan = Install(Answers(None), roots=[ROOT], shelf=Shelf()).plan(PARAMETERS, lambda _: None)
    assert "start and enable nginx" in plan.lines
    assert any("bring back the recorded state" in line for line in plan.lines)
    assert plan.lines[-1] == "data is kept: /var/www/html"


def test_nothing_of_what_ansible_gets_is_a_template() -> None:
    server = Answers({"failures": []})
    apply(Check, server)
    [variables] = server.variables
    assert variables["software_stage"] == "requirements"
    assert json.loads(base64.b64decode(variables["software_order"]))["software"] == "nginx"
    assert "{" not in variables["software_order"]


def test_all_missing_requirements_are_told_at_once() -> None:
    result = apply(Check, Answers({"failures": ["port 80/tcp is in use", "apache2 is installed, which conflicts"]}))
    assert result.summary.startswith("2 requirements are not met: port 80/tcp is in use; apache2")


def test_what_does_not_run_is_told_with_the_proof_of_its_take_back() -> None:
    result = apply(Run, Answers({"running": False, "reason": "nginx is failed", **PROOF}))
    assert "it does not run: nginx is failed" in result.summary
    assert "the recorded state is back" in result.summary
    assert "changed meanwhile by others: 1" in result.summary


@pytest.mark.parametrize("evidence", [None, {}, {"left": "none"}, {"left": ["package nginx"]}, {"running": "yes"}])
@pytest.mark.parametrize("kind", [Run, Remove])
def test_a_take_back_without_proof_has_failed_and_keeps_the_evidence(kind: type[SoftwareStage], evidence: Any) -> None:
    with pytest.raises(StepFailed, match="not all is as before") as failed:
        apply(kind, Answers(evidence))
    assert any(artifact.name == f"{kind.name}.json" for artifact in failed.value.evidence)


@pytest.mark.parametrize("kind", [Check, Run, Remove])
def test_a_playbook_that_fails_is_a_failed_step(kind: type[SoftwareStage]) -> None:
    with pytest.raises(StepFailed, match="unreachable"):
        apply(kind, Answers(None, failure="unreachable"))


@pytest.mark.parametrize("kind", [Run, Remove])
def test_work_under_the_plan_of_row_5_has_no_plan_of_its_own(kind: type[SoftwareStage]) -> None:
    with pytest.raises(Refused, match="has no plan of its own"):
        kind(Answers(None), roots=[ROOT], shelf=Shelf()).plan(PARAMETERS, lambda _: None)


def test_evidence_is_cut_to_a_bound() -> None:
    deep: Any = "x"
    for _ in range(40):
        deep = [deep]
    cut = bounded({"long": "x" * 9999, "many": list(range(99_999)), "deep": deep, "odd": object})
    assert len(cut["long"]) == LONGEST
    assert len(cut["many"]) == MOST
    assert len(json.dumps(cut["deep"])) < 40
    assert isinstance(cut["odd"], str)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (packed({"../evil": "x"}), "leads out of its directory"),
        (packed({"/etc/cron.d/evil": "x"}), "leads out of its directory"),
        (packed({"a": "x"}, links={"b": "/etc/passwd"}), "leads out of its directory"),
        (packed({"a": "x"}, links={"b": "../../etc/passwd"}), "leads out of its directory"),
        (b"not an archive", "is no .tar.gz"),
        (packed({"a": "x" * 99_999})[:-50], "is no .tar.gz"),
    ],
    ids=["up", "absolute", "link to a file", "link up", "text", "cut"],
)
def test_an_archive_that_means_harm_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        refuse_unsafe(content, "agenda.tar.gz")
