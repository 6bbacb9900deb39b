"""The gate: the only place that makes a `WorkOrder` (design rules 1 and 2). There is no way around it."""

from __future__ import annotations

from collections.abc import Mapping

from sopauto.errors import Refused, Stale
from sopauto.procedures.model import Procedure, Step
from sopauto.tickets.desk import Desk
from sopauto.tickets.duties import take_position
from sopauto.tickets.in_order import InOrder
from sopauto.tickets.machine import may_look_again
from sopauto.tickets.model import State, Ticket, Verb
from sopauto.tickets.one_person import refuse_other_id
from sopauto.tickets.people_then import PeopleThen, refuse_backdated
from sopauto.tickets.plan_record import PlanRecord, read_record
from sopauto.tickets.storage import Reader
from sopauto.tickets.verifying import findings
from sopauto.work import Json, TechnicalModule, WorkOrder, canonical, sha256


def module_of(desk: Desk, step: Step, *, until: str | None = None) -> TechnicalModule:
    """Return what implements a technical step; `until` names the last of several modules to apply. Raises Refused."""
    if step.technical is None:
        raise Refused(f"{step.id} is not machine work", mend="see `ticket.show` for who is next")
    try:
        parts = [desk.modules[name] for name in step.technical.modules]
    except KeyError as error:
        raise Refused(f"no module implements {error.args[0]}", where=step.id, mend="check the SOP") from None
    return parts[0] if len(parts) == 1 else InOrder(parts, until=until)


def parameters_of(desk: Desk, ticket: Ticket, step: Step, reader: Reader) -> Json:
    """Return the parameters of a technical step; by the modules' names where there are several."""
    assert step.technical is not None
    found = {name: desk.parameters(name, ticket, step, reader) for name in step.technical.modules}
    return found if len(found) > 1 else next(iter(found.values()))


def digests(materials: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each material by its name."""
    return {name: sha256(content) for name, content in sorted(materials.items())}


def order_of(
    *, ticket: Ticket, step: Step, attempt: int, person: str, record: PlanRecord, mutates: bool = True
) -> WorkOrder:
    """Return the work order for what a plan record describes. Private to `tickets/`."""
    return WorkOrder(
        ticket=ticket.id,
        step=step.id,
        attempt=attempt,
        person=person,
        module=record.plan.module,
        parameters=record.plan.parameters,
        targets=record.plan.targets,
        procedure_digest=record.procedure,
        materials=record.materials,
        plan=record.plan if mutates else None,
    )


def authorise(desk: Desk, reader: Reader, ticket: Ticket, procedure: Procedure, step: Step, *, person: str) -> str:
    """Check all that must hold before a machine is touched; return the position in which the person works.

    The SOP has reached the step, nothing is unknown, and `admit` holds.

    Raises: Refused, with a sentence that says why.
    """
    recurring = ticket.state is State.DONE and step.technical is not None and step.technical.recurring is not None
    again = may_look_again(procedure, ticket, step)
    if not (recurring or again) and (ticket.state is not State.OPEN or ticket.step != step.id):
        where_it_stands = ticket.step if ticket.is_open else ticket.state.value
        raise Refused(
            f"{ticket.id} stands at {where_it_stands}, not at {step.id}",
            mend=f"complete the rows before it; see `inv ticket.show {ticket.id}`",
        )
    if ticket.unknown:
        raise Refused(
            f"the outcome of the last attempt at {step.id} is unknown",
            mend=f"look at the machine, then `inv ticket.settle {ticket.id}`",
        )
    return admit(desk, reader, ticket, procedure, step, verb=Verb.RUN, person=person)


def admit(
    desk: Desk, reader: Reader, ticket: Ticket, procedure: Procedure, step: Step, *, verb: Verb, person: str
) -> str:
    """Check the person and the papers; return the position in which the person works.

    The person holds the executing position today, neither requested nor approved, and can sign with a key of their
    own; the ticket's journal, signatures and documents hold.

    Raises: Refused, with a sentence that says why.
    """
    position = take_position(procedure, ticket, verb, person=person, people=desk.people, on=desk.today(), step=step)
    broken = findings(desk, reader, ticket.id)
    if broken:
        mend = f"see `inv ticket.verify {ticket.id}`"
        raise Refused(f"the journal of {ticket.id} does not hold: {broken[0]}", mend=mend)
    # What is done can only be recorded by who can sign it: a wrong key is found before a machine is touched, not after.
    signed = desk.signer.sign(canonical({"ticket": ticket.id, "step": step.id, "prev": ticket.head, "begins": person}))
    who = {"person": person, "position": position, "at": desk.clock.now().isoformat(), "verb": verb}
    then = PeopleThen(desk.people, reader)
    refuse_backdated(then, who, signed.key)
    refuse_other_id(then, reader.entries(ticket.id), who, signed.key)
    return position


def issue(desk: Desk, reader: Reader, ticket: Ticket, step: Step, *, person: str, attempt: int) -> WorkOrder:
    """Return the leave to touch the machine once, exactly as approved.

    Raises: Refused (not approved), Stale (approved, but parameters, targets, templates, playbooks or the SOP changed).
    """
    module = module_of(desk, step)
    parameters = parameters_of(desk, ticket, step, reader)
    materials = digests(module.materials(parameters))
    if not module.mutates:
        plan = module.plan(parameters, desk.report)
        record = PlanRecord(plan=plan, materials=materials, procedure=ticket.procedure_digest)
        return order_of(ticket=ticket, step=step, attempt=attempt, person=person, record=record, mutates=False)
    record = approved_record(reader, ticket, step)
    refuse_changes(ticket, record, parameters, materials)
    return order_of(ticket=ticket, step=step, attempt=attempt, person=person, record=record)


def approved_record(reader: Reader, ticket: Ticket, step: Step) -> PlanRecord:
    """Return the plan record that an official signed; raises Refused when there is none."""
    assert step.technical is not None
    planned = ticket.plans.get(step.technical.plan_of or step.id)
    if planned is None:
        raise Refused(f"{ticket.id} has no plan for {step.id}", mend=f"make one with `inv ticket.plan {ticket.id}`")
    if planned.approved_by is None:
        raise Refused(
            f"the plan for {step.id} is not approved", mend=f"its approver types `inv ticket.approve {ticket.id}`"
        )
    return read_record(reader.document(planned.document))


def refuse_changes(ticket: Ticket, record: PlanRecord, parameters: Json, materials: Mapping[str, str]) -> None:
    """Raise Stale, naming what changed between approval and now."""
    changed = [f"parameter {name}" for name in _differences(_flat(record.plan.parameters), _flat(parameters))]
    changed += [f"file {name}" for name in _differences(record.materials, materials)]
    if record.procedure != ticket.procedure_digest:
        changed.append("the SOP's version")
    if changed:
        raise Stale(
            f"{', '.join(changed)} changed since the plan was approved",
            where=ticket.id,
            mend=f"nothing was sent; make a new plan with `inv ticket.plan {ticket.id}`",
        )


def _flat(parameters: Json) -> dict[str, object]:
    """Return parameters with those of parts as `part.name`, so that a difference can be named."""
    flat: dict[str, object] = {}
    for name, value in parameters.items():
        flat |= {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _differences(approved: Json, now: Json) -> list[str]:
    return [name for name in sorted({*approved, *now}) if approved.get(name) != now.get(name)]
