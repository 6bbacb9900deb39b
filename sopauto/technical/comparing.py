"""What was approved of a playbook, held against what a look at the server finds now and against what a run did."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from sopauto.technical.front_matter import HOW, Varies, without
from sopauto.work import Foresight, Json, Plan, Unforeseen

TOLD: Final = 3
"""Tasks that an error names."""
COMMANDS: Final = frozenset({"command", "expect", "raw", "script", "shell"})
"""Modules whose arguments are what runs."""


def not_approved(now: Plan, approved: Plan) -> str:
    """Return what would be done now and was not approved, in words; empty when there is nothing of the kind."""
    seen = {json.dumps(change, sort_keys=True) for change in approved.before["to_change"]}
    found = [change["task"] for change in now.before["to_change"] if json.dumps(change, sort_keys=True) not in seen]
    if found:
        return f"{named(found)} would change otherwise (what differs from run to run is declared: {HOW})"
    others = [task.task for task in now.unforeseen if not _among(task, approved.unforeseen)]
    if others:
        return f"{named(others)} would run otherwise (what differs from run to run is declared: {HOW})"
    # Of these nothing can be read back: if one would not run any more, the approval is for something else.
    gone = [task.task for task in approved.once if task not in now.unforeseen]
    return f"{named(gone)} would not run any more" if gone else ""


def _among(task: Unforeseen, approved: Sequence[Unforeseen]) -> bool:
    """Tell whether a task is one of those that were approved.

    A module that leaves nothing may be given what was found on the server: after a run that was cut off, that is not
    what it was. What a command is given is what runs, and is held word for word.
    """
    if task.leaves_nothing and task.module.rpartition(".")[2] not in COMMANDS:
        return replace(task, arguments="") in [replace(other, arguments="") for other in approved]
    return task in approved


def comparable(task: Unforeseen, declared: Sequence[Varies]) -> Unforeseen:
    """Return a task as plans compare it: without what varies."""
    return replace(task, task=without(task.task, declared), arguments=without(task.arguments, declared))


def undone(plan: Plan, ran: Collection[str]) -> str:
    """Name the tasks that were to run and did not; empty when there are none."""
    return named(task.task for task in plan.once if task.kind is Foresight.WILL and task.place not in ran)


def done_once(plan: Plan, ran: Collection[str]) -> list[str]:
    """Return the tasks that ran and whose effect cannot be read back."""
    return [task.task for task in plan.once if task.place in ran]


def left_over(now: Json, approved: Json) -> str:
    """Name what a second look still finds; empty when there is nothing.

    What holds a declared pattern has another name by now, so it seems to be missing: that is not counted.
    """
    seen = {json.dumps(change, sort_keys=True) for change in approved["to_change"]}
    left = (c for c in now["to_change"] if not (c.get("varies") and json.dumps(c, sort_keys=True) in seen))
    return named(change["task"] for change in left)


def named(tasks: Iterable[str]) -> str:
    """Return the first tasks in words, each once."""
    each = list(dict.fromkeys(tasks))
    more = f" and {len(each) - TOLD} more" if len(each) > TOLD else ""
    return f"{'; '.join(each[:TOLD])}{more}" if each else ""
