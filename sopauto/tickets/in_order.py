"""Several technical modules on one row, one after the other (SOP 000, row 15: prepare the server, then secure it).

To the gate they are one: one plan, one approval, one order. What a part has done stays done; when a later one stops,
the next attempt finds nothing left to do in the earlier ones and goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sopauto.errors import BadInput, NotBegun, Refused, SopautoError, Stale, StaleMidway, StepFailed
from sopauto.work import Json, Plan, Probe, Report, Result, TechnicalModule, WorkOrder

JOINT = "+"
"""Between the names of the modules, in the name of the whole."""


class InOrder:
    """The modules as one. `until` names the last part to apply (None: all of them)."""

    mutates = True

    def __init__(self, parts: Sequence[TechnicalModule], *, until: str | None = None) -> None:
        self.name = JOINT.join(part.name for part in parts)
        self._parts = parts
        self._until = until

    def materials(self, parameters: Json) -> Mapping[str, bytes]:
        """Return the materials of all parts."""
        return {
            name: content for part in self._parts for name, content in part.materials(parameters[part.name]).items()
        }

    def plan(self, parameters: Json, report: Report) -> Plan:
        """Return the plans of all parts as one; `parameters`, `before` and `after` are by the parts' names."""
        plans = []
        for part in self._parts:
            report(f"planning {part.name}")
            plans.append(part.plan(parameters[part.name], report))
        return Plan(
            module=self.name,
            targets=tuple(dict.fromkeys(target for plan in plans for target in plan.targets)),
            parameters=parameters,
            before={plan.module: dict(plan.before) for plan in plans},
            lines=tuple(f"{plan.module}: {line}" for plan in plans for line in plan.lines),
            after={plan.module: dict(plan.after) for plan in plans},
            diff="\n".join(plan.diff for plan in plans if plan.diff),
            unforeseen=tuple(replace(task, part=plan.module) for plan in plans for task in plan.unforeseen),
            varies=tuple(dict.fromkeys(varies for plan in plans for varies in plan.varies)),
        )

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Apply the parts in order, as far as `until`; raises what a part raises, with the evidence of all so far."""
        assert order.plan is not None
        if order.plan.once and self._until not in {None, self._parts[-1].name}:
            what = f"{order.plan.once[0].task} runs once for one approval, so all of the row is run at once"
            raise Refused(what, where=order.ticket, mend=f"`inv ticket.run {order.ticket}`")
        results: list[Result] = []
        for part, of_part in self._orders(order):
            report(f"{part.name} on {', '.join(order.targets)}")
            try:
                results.append(part.apply(of_part, report))
            except SopautoError as error:
                evidence = (*(artifact for done in results for artifact in done.artifacts), *error.evidence)
                if isinstance(error, (Refused, BadInput, NotBegun)) and any(done.changed for done in results):
                    # Of this part nothing was begun; of the row something was done, and is recorded as such.
                    told = "; ".join(done.summary for done in results if done.changed)
                    kind = StaleMidway if isinstance(error, Stale) else StepFailed
                    raise kind(
                        f"{told}; then {part.name} did not begin: {error.what}",
                        where=error.where,
                        mend=error.mend,
                        evidence=evidence,
                    ) from error
                error.evidence = evidence
                raise
            if part.name == self._until:
                break
        applied = [part.name for part in self._parts[: len(results)]]
        return Result(
            changed=any(result.changed for result in results),
            summary="; ".join(f"{name}: {result.summary}" for name, result in zip(applied, results, strict=True)),
            facts={name: dict(result.facts) for name, result in zip(applied, results, strict=True)},
            artifacts=tuple(artifact for result in results for artifact in result.artifacts),
            complete=len(applied) == len(self._parts),
        )

    def probe(self, order: WorkOrder, report: Report) -> Probe:
        """Tell what the machine says of all parts together."""
        found = {part.probe(of_part, report) for part, of_part in self._orders(order)}
        if Probe.UNKNOWN in found:
            return Probe.UNKNOWN
        return found.pop() if len(found) == 1 else Probe.PARTLY

    def undo(self, order: WorkOrder, report: Report) -> Result:
        """Undo the parts, the last first; raises what a part raises."""
        results = [part.undo(of_part, report) for part, of_part in reversed(list(self._orders(order)))]
        return Result(changed=True, summary="; ".join(result.summary for result in results))

    def _orders(self, order: WorkOrder) -> Iterator[tuple[TechnicalModule, WorkOrder]]:
        """Yield each part with the piece of the approved order that is its own."""
        assert order.plan is not None
        for part in self._parts:
            parameters = order.parameters[part.name]
            own = part.materials(parameters).keys()
            plan = Plan(
                module=part.name,
                targets=order.plan.targets,
                parameters=parameters,
                before=order.plan.before[part.name],
                lines=(),
                after=order.plan.after[part.name],
                unforeseen=tuple(replace(task, part="") for task in order.plan.unforeseen if task.part == part.name),
            )
            materials = {name: digest for name, digest in order.materials.items() if name in own}
            yield part, replace(order, module=part.name, parameters=parameters, materials=materials, plan=plan)
