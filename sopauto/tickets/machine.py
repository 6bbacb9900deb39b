"""The ticket's state machine: ticket + action → ticket. Pure; who may act is decided in `duties.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sopauto.errors import Refused
from sopauto.procedures.model import ENDS, REJECTED, Fork, Procedure, Step, StepKind, Target
from sopauto.tickets.model import Action, Letter, Outcome, Planned, State, Ticket, Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """What an action does: the ticket afterwards, and the step that it completed (with the answer of a decision)."""

    ticket: Ticket
    completed: Step | None = None
    answer: bool | None = None


def open_ticket(procedure: Procedure, letter: Letter, action: Action, ticket_id: str) -> Transition:
    """Return the new ticket. Opening it is row 1 itself where row 1 is the applicant's letter."""
    first = procedure.step(procedure.start)
    ticket = Ticket(
        id=ticket_id,
        procedure=procedure.code,
        procedure_digest=procedure.digest,
        unit=letter.unit,
        applicant=letter.applicant,
        letter=letter.fields,
        opened_at=action.at,
        state=State.OPEN,
        step=first.id,
        since=action.at,
        rounds={first.id: 1},
        requesters=frozenset({action.person, letter.applicant}),
    )
    if first.kind is StepKind.PROCESS and any(procedure.actor(actor).applicant for actor in first.actors):
        return _complete(procedure, ticket, action)
    return Transition(ticket=ticket)


def advance(procedure: Procedure, ticket: Ticket, action: Action) -> Transition:
    """Return what an action does to a ticket.

    Raises: Refused, when the SOP does not provide for this action at the ticket's present step.
    """
    if action.verb is Verb.CLOCK:
        return _clock(procedure, ticket, action)
    if not ticket.is_open and action.verb is not Verb.EVIDENCE:
        raise Refused(f"{ticket.id} is {ticket.state.value}", mend="open a new ticket")
    if ticket.state is State.WAITING and action.verb not in {Verb.WAKE, Verb.CANCEL}:
        raise Refused(f"{ticket.id} waits for {ticket.waits_for}", mend="it goes on by itself when that is free")
    if ticket.unknown and action.verb is not Verb.SETTLE:
        raise Refused(
            f"the outcome of {ticket.id} at {ticket.step} is unknown",
            mend=f"look at the machine, then `inv ticket.settle {ticket.id}`",
        )
    return _RULES[action.verb](procedure, ticket, action)


def plan_holder(procedure: Procedure, ticket: Ticket) -> Step | None:
    """Return the technical step whose plan is made or approved at the ticket's present step, if there is one."""
    here = procedure.step(ticket.step)
    if here.technical and here.technical.plan_step is None and here.technical.plan_of is None:
        return here
    for step in procedure.steps:
        if step.technical and ticket.step in {step.technical.plan_step, step.technical.approval_step}:
            return step
    return None


def plan_to_sign(procedure: Procedure, ticket: Ticket) -> Planned | None:
    """Return the plan that an answer at the ticket's present row is given for, if there is one."""
    holder = plan_holder(procedure, ticket)
    return ticket.plans.get(holder.id) if holder else None


def plan_at_hand(procedure: Procedure, ticket: Ticket) -> Planned | None:
    """Return the plan that the ticket's present row makes, signs or works under, if there is one."""
    technical = procedure.step(ticket.step).technical
    under = ticket.plans.get(technical.plan_of or ticket.step) if technical else None
    return plan_to_sign(procedure, ticket) or under


def may_look_again(procedure: Procedure, ticket: Ticket, step: Step) -> bool:
    """Tell whether the look that an answered decision rests on can be taken again, as evidence for machine work now.

    SOP 001: without `custody.check` (konfigurasi.4) no host key is pinned, and `inventory.collect` (row 7) needs one.
    """
    here, work = procedure.step(ticket.step), step.technical
    if ticket.state is not State.OPEN or here.technical is None or here.kind is not StepKind.PROCESS:
        return False
    if work is None or step.kind is not StepKind.DECISION or work.plan_of or work.executor != here.technical.executor:
        return False
    return step.id in ticket.answers


def _done(procedure: Procedure, ticket: Ticket, action: Action) -> Transition:
    step = procedure.step(ticket.step)
    if step.kind is StepKind.DECISION:
        raise Refused(
            f"{step.id} is a decision", mend="answer it with `ticket.approve` (ya) or `ticket.reject` (tidak)"
        )
    if step.technical:
        raise Refused(f"{step.id} is machine work", mend=f"run it with `inv ticket.run {ticket.id}`")
    if step.approval:
        raise Refused(f"{step.id} is an approval", mend="complete it with `ticket.approve`")
    return _complete(procedure, ticket, action)


def _approve(procedure: Procedure, ticket: Ticket, action: Action) -> Transition:
    step = procedure.step(ticket.step)
    if step.kind is StepKind.PROCESS and not step.approval and not step.technical:
        raise Refused(f"{step.id} is not an approval", mend="complete it with `ticket.done`")
    holder = plan_holder(procedure, ticket)
    technical = holder.technical if holder else None
    if holder and technical and technical.plan_step == step.id and holder.id not in ticket.plans:
        raise Refused(
            f"{step.id} hands on the plan for {holder.id}, and there is none",
            mend=f"make one with `inv ticket.plan {ticket.id}`, or answer no",
        )
    signs_plan = technical is not None and (
        technical.approval_step == step.id or (holder == step and technical.approver is not None)
    )
    if holder and signs_plan:
        ticket = _approve_plan(ticket, holder.id, action)
    if step.technical and step.kind is StepKind.PROCESS:
        if not signs_plan:
            raise Refused(f"{step.id} needs no approval of its own", mend=f"run it with `inv ticket.run {ticket.id}`")
        return Transition(ticket=_with_approver(ticket, action))
    if step.approval:
        ticket = _with_approver(ticket, action)
    return _complete(procedure, ticket, action, answer=True if step.kind is StepKind.DECISION else None)


def _with_approver(ticket: Ticket, action: Action) -> Ticket:
    return replace(ticket, approvers=ticket.approvers | {action.person})


def _approve_plan(ticket: Ticket, step_id: str, action: Action) -> Ticket:
    planned = ticket.plans.get(step_id)
    if planned is None:
        raise Refused(f"there is no plan for {step_id} to approve", mend=f"make one with `inv ticket.plan {ticket.id}`")
    if action.plan != planned.plan or action.order != planned.order:
        raise Refused("the plan changed since you looked", mend=f"look again with `inv ticket.show {ticket.id}`")
    return replace(ticket, plans={**ticket.plans, step_id: replace(planned, approved_by=action.person)})


def _reject(procedure: Procedure, ticket: Ticket, action: Action) -> Transition:
    step = procedure.step(ticket.step)
    if step.kind is StepKind.DECISION:
        return _complete(procedure, ticket, action, answer=False)
    if step.technical and step.technical.approver:
        return Transition(ticket=_without_plan(ticket, step.id))
    if step.back is None:
        raise Refused(f"the SOP has no way back from {step.id}", mend="complete it, or let the applicant cancel")
    return Transition(ticket=_enter(procedure, ticket, step.back, action), completed=None)


def _cancel(_: Procedure, ticket: Ticket, action: Action) -> Transition:
    if ticket.executors:
        raise Refused(f"machines were already changed for {ticket.id}", mend="the SOP's own return undoes that")
    return Transition(ticket=replace(ticket, state=State.CANCELLED, since=action.at, waits_for=None))


def _plan(procedure: Procedure, ticket: Ticket, action: Action) -> Transition:
    holder = plan_holder(procedure, ticket)
    if holder is None or holder.technical is None or ticket.step not in {holder.id, holder.technical.plan_step}:
        raise Refused(f"no plan is made at {ticket.step}", mend=f"see `inv ticket.show {ticket.id}`")
    assert action.plan is not None
    assert action.order is not None
    planned = Planned(plan=action.plan, order=action.order, document=action.documents[0].sha256, by=action.person)
    return Transition(ticket=replace(ticket, plans={**ticket.plans, holder.id: planned}))


def _run(procedure: Procedure, ticket: Ticket, action: Action) -> Transition:
    step = _technical(procedure, ticket)
    ticket = replace(ticket, executors=ticket.executors | {action.person})
    if action.outcome is Outcome.UNKNOWN:
        return Transition(ticket=replace(ticket, unknown=True))
    if action.outcome is Outcome.DONE and step.kind is StepKind.PROCESS:
        return _complete(procedure, ticket, action)
    return Transition(ticket=ticket)


def _evidence(procedure: Procedure, ticket: Ticket, action: Action) -> Transition:
    if not any(step.technical for step in procedure.steps):
        raise Refused(f"{procedure.code} has no machine work", mend="nothing can be collected for it")
    return Transition(ticket=replace(ticket, data={**ticket.data, **action.data}))


def _stale(procedure: Procedure, ticket: Ticket, action: Action) -> Transition:
    step = _technical(procedure, ticket)
    assert step.technical is not None
    ticket = _without_plan(ticket, step.technical.plan_of or step.id)
    planned_at = step.technical.plan_step or step.technical.plan_of
    if planned_at:
        ticket = _enter(procedure, ticket, planned_at, action)
    return Transition(ticket=ticket)


def _settle(procedure: Procedure, ticket: Ticket, action: Action) -> Transition:
    if not ticket.unknown:
        raise Refused(f"nothing is unknown about {ticket.id}", mend=f"see `inv ticket.show {ticket.id}`")
    return _run(procedure, replace(ticket, unknown=False), action)


def _wake(procedure: Procedure, ticket: Ticket, action: Action) -> Transition:
    if ticket.state is not State.WAITING:
        raise Refused(f"{ticket.id} does not wait", mend=f"see `inv ticket.show {ticket.id}`")
    step = procedure.step(ticket.step)
    woken = replace(ticket, state=State.OPEN, waits_for=None)
    return Transition(ticket=_go(procedure, woken, resolve(step.next, ticket.answers), action))


def _clock(_: Procedure, ticket: Ticket, action: Action) -> Transition:
    """Go on from the present time: a row that was entered by a clock that ran ahead is counted from now."""
    return Transition(ticket=replace(ticket, since=min(ticket.since, action.at)))


def _technical(procedure: Procedure, ticket: Ticket) -> Step:
    step = procedure.step(ticket.step)
    if step.technical is None:
        raise Refused(f"{step.id} is not machine work", mend=f"see `inv ticket.show {ticket.id}` for who is next")
    return step


def _complete(procedure: Procedure, ticket: Ticket, action: Action, *, answer: bool | None = None) -> Transition:
    step = procedure.step(ticket.step)
    answers = ticket.answers if answer is None else {**ticket.answers, step.id: answer}
    target = {None: step.next, True: step.yes, False: step.no}[answer]
    ticket = replace(ticket, data={**ticket.data, **action.data}, answers=answers)
    if any(procedure.actor(actor).applicant for actor in step.actors):
        ticket = replace(ticket, requesters=ticket.requesters | {action.person})
    if step.waits:
        ticket = replace(ticket, state=State.WAITING, waits_for=step.waits, since=action.at)
    else:
        ticket = _go(procedure, ticket, resolve(target, answers), action)
    return Transition(ticket=ticket, completed=step, answer=answer)


def resolve(target: Target | None, answers: Mapping[str, bool]) -> str:
    """Return the step or terminator that a target means, given the answers so far."""
    if isinstance(target, Fork):
        return target.yes if answers.get(target.on) else target.no
    assert target is not None  # `sop.check` refuses a step that leads nowhere
    return target


def _go(procedure: Procedure, ticket: Ticket, target: str, action: Action) -> Ticket:
    if target in ENDS:
        state = State.REJECTED if target == REJECTED else State.DONE
        return replace(ticket, state=state, since=action.at)
    return _enter(procedure, ticket, target, action)


def _enter(procedure: Procedure, ticket: Ticket, step_id: str, action: Action) -> Ticket:
    """Return the ticket at a row. What was approved there in an earlier round is asked anew."""
    rounds = {**ticket.rounds, step_id: ticket.rounds.get(step_id, 0) + 1}
    return replace(_unapproved(procedure, ticket, step_id), step=step_id, since=action.at, rounds=rounds)


def _unapproved(procedure: Procedure, ticket: Ticket, step_id: str) -> Ticket:
    """Return the ticket without the approval that the row gives: one approval lets work be done once."""
    plans = dict(ticket.plans)
    for step in procedure.steps:
        work, planned = step.technical, ticket.plans.get(step.id)
        if work is None or planned is None:
            continue
        if work.approver is not None and step.id == step_id:
            del plans[step.id]
        elif work.approval_step == step_id:
            plans[step.id] = replace(planned, approved_by=None)
    return ticket if plans == ticket.plans else replace(ticket, plans=plans)


def _without_plan(ticket: Ticket, step_id: str) -> Ticket:
    return replace(ticket, plans={step: planned for step, planned in ticket.plans.items() if step != step_id})


_RULES = {
    Verb.DONE: _done,
    Verb.APPROVE: _approve,
    Verb.REJECT: _reject,
    Verb.CANCEL: _cancel,
    Verb.PLAN: _plan,
    Verb.RUN: _run,
    Verb.EVIDENCE: _evidence,
    Verb.STALE: _stale,
    Verb.SETTLE: _settle,
    Verb.WAKE: _wake,
}
