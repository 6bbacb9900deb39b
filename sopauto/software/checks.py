"""`software.test` and `software.verify`: the default tests, and the proof of a configuration (SOP 003, rows 7 and 11).

What is found is evidence with the time that each check took: a person decides the row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from sopauto.errors import Refused
from sopauto.technical.reading import reading_plan
from sopauto.work import Artifact, Json, Plan, Probe, Report, Result, WorkOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One check that was made: what it is, whether it holds, what was found (empty: as expected), and its seconds."""

    title: str
    passed: bool
    found: str
    seconds: float


class Tester(Protocol):
    """Makes checks on a server."""

    def test(self, parameters: Json, report: Report) -> Sequence[Checked]:
        """Make the checks in `parameters["tests"]`, in order, over one connection.

        Raises: StepFailed (not reachable, another host key, login refused).
        """


class RunTests:
    """The technical modules `software.test` and `software.verify`."""

    mutates = False

    def __init__(self, name: str, tester: Tester) -> None:
        self.name = name
        self._tester = tester

    def materials(self, parameters: Json) -> Mapping[str, bytes]:  # noqa: ARG002 - the Protocol's signature
        """Return nothing: checks are part of the parameters."""
        return {}

    def plan(self, parameters: Json, report: Report) -> Plan:  # noqa: ARG002 - the Protocol's signature
        """Return a plan without lines: nothing is changed."""
        return reading_plan(self.name, parameters)

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Make all checks and return each result with its duration; raises StepFailed (the server does not answer)."""
        results = self._tester.test(order.parameters, report)
        failed = [result for result in results if not result.passed]
        told = "".join(f"; {result.title}: {result.found}" for result in failed)
        tests = [asdict(result) for result in results]
        text = json.dumps({"tests": tests}, ensure_ascii=False, indent=1)
        return Result(
            changed=False,
            summary=f"{len(results) - len(failed)} of {len(results)} checks hold{told}",
            facts={"evidence": {"tests": tests}, "failed": len(failed)},
            artifacts=(Artifact(name=f"{self.name}.json", media_type="application/json", content=text.encode()),),
        )

    def probe(self, order: WorkOrder, report: Report) -> Probe:  # noqa: ARG002 - the Protocol's signature
        """Tell that nothing was changed: a reading leaves no trace."""
        return Probe.NOT_BEGUN

    def undo(self, order: WorkOrder, report: Report) -> Result:  # noqa: ARG002 - the Protocol's signature
        """Refuse: there is nothing to undo."""
        raise Refused(f"{self.name} changes nothing that could be undone", where=order.ticket)
