"""Where the rows of an SOP lead: what can be reached, what comes to an end, and what nobody can pass by."""

from __future__ import annotations

from collections.abc import Collection

from sopauto.procedures.model import ENDS, Fork, Procedure, Step, Target


def names_of(target: Target | None) -> tuple[str, ...]:
    """Return the rows or terminators that a target can mean."""
    if isinstance(target, Fork):
        return (target.yes, target.no)
    return () if target is None else (target,)


def forward(step: Step) -> frozenset[str]:
    """Return where a row leads by itself (`kembali` is somebody's choice)."""
    return frozenset(name for target in (step.next, step.yes, step.no) for name in names_of(target))


def reached(procedure: Procedure, *, without: Collection[str] = ()) -> frozenset[str]:
    """Return the rows that a ticket can come to; with `without`, those it can come to without passing these."""
    rows = {step.id: step for step in procedure.steps if step.id not in without}
    found: set[str] = set()
    ahead = [procedure.start]
    while ahead:
        row = ahead.pop()
        if row in rows and row not in found:
            found.add(row)
            ahead += rows[row].targets()
    return frozenset(found)


def unavoidable(procedure: Procedure, rows: Collection[str], before: str) -> bool:
    """Tell whether every way to the row `before` passes at least one of the rows."""
    return before not in reached(procedure, without=rows)


def ending(procedure: Procedure) -> frozenset[str]:
    """Return the rows from which a terminator can be reached."""
    came_from: dict[str, list[str]] = {}
    for step in procedure.steps:
        for name in forward(step):
            came_from.setdefault(name, []).append(step.id)
    found: set[str] = set()
    behind = list(ENDS)
    while behind:
        for row in came_from.get(behind.pop(), []):
            if row not in found:
                found.add(row)
                behind.append(row)
    return frozenset(found)
