"""Tasks whose effect nobody can read back run at most once under an approval."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sopauto.errors import Stale
from sopauto.journal.entry import read_body
from sopauto.procedures.model import Step
from sopauto.tickets.desk import Desk
from sopauto.tickets.gate import approved_record
from sopauto.tickets.model import Attempt, Outcome, Ticket, Verb
from sopauto.tickets.record import outcome_of


def refuse_twice(desk: Desk, step: Step, ticket: Ticket, attempts: Sequence[Attempt]) -> None:
    """Raise Stale, when tasks may have run already that run at most once under an approval.

    An attempt of which a named engineer found that it had not begun does not count.
    """
    assert step.technical is not None
    planned = ticket.plans.get(step.technical.plan_of or step.id)
    if planned is None or planned.approved_by is None:
        return
    with desk.store.read() as reader:
        once = approved_record(reader, ticket, step).plan.once
        bodies = [read_body(entry.body) for entry in reader.entries(ticket.id)] if once else []
    settled = [
        datetime.fromisoformat(body["at"])
        for body in bodies
        if body["verb"] == Verb.SETTLE.value and outcome_of(body) == Outcome.NOT_BEGUN.value
    ]
    begun = [
        attempt
        for attempt in attempts
        if attempt.order == planned.order
        and attempt.outcome not in {None, Outcome.NOT_BEGUN}
        and not any(attempt.begun_at <= at for at in settled)
    ]
    if once and begun:
        raise Stale(
            f"attempt {begun[-1].number} may have run {once[0].task}, which runs once for one approval",
            where=ticket.id,
            mend=f"look at the machine, then make a new plan with `inv ticket.plan {ticket.id}`",
        )
