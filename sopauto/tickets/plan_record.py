"""The document that keeps a plan: what the approver saw, and what the work order is made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sopauto.work import Json, Plan, canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRecord:
    """What the approver saw, as it is kept: the plan, the parameters, the digests of materials, the SOP's version."""

    plan: Plan
    materials: Mapping[str, str]
    procedure: str

    def as_json(self) -> dict[str, object]:
        """Return the record as a JSON object."""
        return {"plan": self.plan.as_json(), "materials": dict(self.materials), "procedure": self.procedure}

    @classmethod
    def from_json(cls, data: Json) -> PlanRecord:
        """Return the record that `as_json` wrote."""
        return cls(plan=Plan.from_json(data["plan"]), materials=data["materials"], procedure=data["procedure"])


def read_record(document: bytes) -> PlanRecord:
    """Return the plan record kept as a document."""
    return PlanRecord.from_json(json.loads(document))


def write_record(record: PlanRecord) -> bytes:
    """Return the document that keeps a plan record."""
    return canonical(record.as_json())
