"""Machine work of a ticket: plan it, run it as approved, settle what nobody could tell."""

from __future__ import annotations

from dataclasses import replace

from sopauto.clock import Steady
from sopauto.errors import NotRecorded, Refused, SopautoError
from sopauto.procedures.model import Procedure, Step
from sopauto.tickets.acting import prepare, refuse_during_attempt
from sopauto.tickets.attempts import Work
from sopauto.tickets.contention import Seen, until_kept
from sopauto.tickets.desk import Desk
from sopauto.tickets.duties import take_position
from sopauto.tickets.gate import admit, approved_record, authorise, digests, module_of, order_of, parameters_of
from sopauto.tickets.machine import may_look_again, plan_holder
from sopauto.tickets.model import Action, Outcome, State, Ticket, Verb
from sopauto.tickets.plan_record import PlanRecord, write_record
from sopauto.tickets.record import commit
from sopauto.tickets.storage import Change
from sopauto.tickets.timing import moment
from sopauto.work import Artifact, Result, sha256


def make_plan(desk: Desk, ticket_id: str, *, person: str, note: str = "") -> tuple[Ticket, PlanRecord]:
    """Read the machine, attach the plan of what would be done to the ticket, and return both.

    Raises: Refused (no plan is made here, wrong position, the port serves another asset, …), StepFailed (unreachable).
    """
    with desk.store.read() as reader:
        ticket = reader.ticket(ticket_id)
        procedure = desk.procedure_of(ticket, reader)
        refuse_during_attempt(reader, ticket)
        step = plan_holder(procedure, ticket)
        if step is None:
            raise Refused(
                f"no plan is made at {ticket.step}", mend=f"see `inv ticket.show {ticket.id}` for who is next"
            )
        here = procedure.step(ticket.step)
        moment(desk, reader, ticket)
        position = admit(desk, reader, ticket, procedure, here, verb=Verb.PLAN, person=person)
        module = module_of(desk, step)
        if not module.mutates:
            raise Refused(f"{module.name} only reads: it needs no plan", mend=f"`inv ticket.run {ticket.id}`")
        parameters = parameters_of(desk, ticket, step, reader)
    record = PlanRecord(
        plan=module.plan(parameters, desk.report),
        materials=digests(module.materials(parameters)),
        procedure=ticket.procedure_digest,
    )
    order = order_of(ticket=ticket, step=step, attempt=0, person=person, record=record)
    action = Action(
        verb=Verb.PLAN,
        person=person,
        position=position,
        at=desk.clock.now(),
        note=note,
        plan=record.plan.digest,
        order=order.digest,
    )
    artifact = Artifact(name="rencana.json", media_type="application/json", content=write_record(record))
    return attach(desk, procedure, ticket, action, artifact), record


def attach(desk: Desk, procedure: Procedure, ticket: Ticket, action: Action, plan: Artifact) -> Ticket:
    """Write the entry of a plan for the ticket as it was when the plan was begun; raises Conflict."""

    def once(seen: Seen) -> Ticket:
        with desk.store.read() as reader:
            now = replace(action, at=moment(desk, reader, ticket))
            changes: tuple[Change, ...] = (
                lambda writer: refuse_during_attempt(writer, ticket),
                # Who made the plan was shown it: `make_plan` returns it to nobody else.
                lambda writer: writer.look(ticket.id, now.person, sha256(plan.content), now.at),
            )
            drafts = prepare(
                desk, reader, procedure, seen.of(reader, ticket.id), now, artifacts=(plan,), changes=changes
            )
        return commit(desk, drafts)[0]

    return until_kept(desk, once, seen=Seen(ticket))


def run(desk: Desk, ticket_id: str, *, person: str, module: str | None = None) -> tuple[Ticket, Result]:
    """Carry out the ticket's technical step exactly as approved, once, and record how it ended.

    `module` names the technical step that the caller means (`custody.connect`); any other is refused. Where a row has
    several modules, it is the last one to run now.
    Raises: Refused, Stale (the ticket went back to be planned), StepFailed, OutcomeUnknown, NotRecorded.
    """
    with desk.store.read() as reader:
        ticket = reader.ticket(ticket_id)
        procedure = desk.procedure_of(ticket, reader)
        step = technical_step(procedure, ticket, module)
        moment(desk, reader, ticket)
        authorise(desk, reader, ticket, procedure, step, person=person)
        refuse_another_round(desk, ticket, step)
    since = Steady.begin(desk.clock)
    work = Work(desk=desk, procedure=procedure, step=step, person=person, until=module, since=since)
    return work.carry_out(ticket)


def settle(desk: Desk, ticket_id: str, *, person: str, outcome: Outcome, note: str) -> Ticket:
    """Record what a named engineer found on the machine when sopauto could not tell (design rule 5).

    Raises: Refused (nothing is unknown, or the person may not carry out this step).
    """

    def once(seen: Seen) -> Ticket:
        with desk.store.read() as reader:
            ticket = seen.of(reader, ticket_id)
            procedure = desk.procedure_of(ticket, reader)
            position = take_position(procedure, ticket, Verb.SETTLE, person=person, people=desk.people, on=desk.today())
            at = moment(desk, reader, ticket)
            action = Action(verb=Verb.SETTLE, person=person, position=position, at=at, note=note, outcome=outcome)
            drafts = prepare(desk, reader, procedure, ticket, action)
        return commit(desk, drafts)[0]

    return until_kept(desk, once)


def undo(desk: Desk, ticket_id: str, *, person: str, note: str) -> Ticket:
    """Bring the machine of an unknown outcome back to the state that the approved plan began from, and record it.

    Raises: Refused (nothing is unknown, …), StepFailed or OutcomeUnknown (the way back could not be proven; the
    outcome stays unknown).
    """
    with desk.store.read() as reader:
        ticket = reader.ticket(ticket_id)
        procedure = desk.procedure_of(ticket, reader)
        step = procedure.step(ticket.step)
        if not ticket.unknown:
            raise Refused(f"nothing is unknown about {ticket.id}", mend="the SOP's own way back undoes what was done")
        moment(desk, reader, ticket)
        admit(desk, reader, ticket, procedure, step, verb=Verb.SETTLE, person=person)
        record = approved_record(reader, ticket, step)
        attempt = len(reader.attempts(ticket.id, step.id))
    order = order_of(ticket=ticket, step=step, attempt=attempt, person=person, record=record)
    with desk.store.hold(ticket.id, step.id) as hold:
        if hold is None:
            raise Refused(f"somebody works at {step.id} just now", where=ticket.id, mend="wait for the end of it")
        result = module_of(desk, step).undo(order, desk.report)
        told = f"{note}: {result.summary}" if note else result.summary
        try:
            return settle(desk, ticket_id, person=person, outcome=Outcome.NOT_BEGUN, note=told)
        except SopautoError as error:
            raise NotRecorded(
                f"undone, not recorded ({error}): {result.summary}",
                where=f"{ticket.id} {step.id}",
                mend=f"mend that, then `inv ticket.settle {ticket.id} --outcome not-begun`",
                evidence=tuple(result.artifacts),
            ) from error


def technical_step(procedure: Procedure, ticket: Ticket, module: str | None) -> Step:
    """Return the technical step that is meant: the one at which the ticket stands, or a recurring one when it is done.

    Raises: Refused, when the ticket does not stand at machine work or at that of another module.
    """
    for step in procedure.steps:
        technical = step.technical
        if technical and module in {None, *technical.modules} and _is_due(ticket, step):
            return step
    for step in procedure.steps:
        if step.technical and module in step.technical.modules and may_look_again(procedure, ticket, step):
            return step
    wanted = module or "machine work"
    rows = [step.id for step in procedure.steps if step.technical and module in {None, *step.technical.modules}]
    stands = ticket.step if ticket.is_open else f"its end ({ticket.state.value})"
    raise Refused(
        f"{ticket.id} stands at {stands}; {wanted} belongs to {', '.join(rows) or 'no row of this SOP'}",
        mend=f"complete the rows before it; see `inv ticket.show {ticket.id}`",
    )


def refuse_another_round(desk: Desk, ticket: Ticket, step: Step) -> None:
    """Raise Refused, when work that changes a machine would run again under the approval of a ticket that is done."""
    if ticket.state is State.DONE and module_of(desk, step).mutates:
        raise Refused(
            f"{ticket.id} is done: {step.id} changes a machine, and each round needs an approval of its own",
            mend="open a new ticket",
        )


def _is_due(ticket: Ticket, step: Step) -> bool:
    assert step.technical is not None
    if ticket.state is State.OPEN:
        return ticket.step == step.id
    return ticket.state is State.DONE and step.technical.recurring is not None
