"""Who may act: the position of each action, and the separation of duties (design rule 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from sopauto.errors import BadInput, Refused
from sopauto.people import People
from sopauto.procedures.model import CONTACT, ENDS, Procedure, Step
from sopauto.tickets.machine import plan_holder
from sopauto.tickets.model import Action, State, Ticket, Verb

EXECUTING = frozenset({Verb.RUN, Verb.EVIDENCE, Verb.STALE, Verb.SETTLE})
ANSWERING = frozenset({Verb.DONE, Verb.APPROVE, Verb.REJECT})


def positions_for(procedure: Procedure, verb: Verb, step: Step) -> tuple[str, ...]:
    """Return the positions that may do this at a step of the SOP."""
    technical = step.technical
    if verb is Verb.CLOCK:
        also = (technical.executor, technical.approver) if technical else ()
        return tuple(dict.fromkeys((*step.actors, *filter(None, also))))
    if technical and (verb in EXECUTING or (verb is Verb.PLAN and technical.plan_step is None)):
        return (technical.executor,)
    if technical and technical.approver and verb in {Verb.APPROVE, Verb.REJECT}:
        return (technical.approver,)
    if verb is Verb.CANCEL:
        applicants = tuple(actor.id for actor in procedure.actors if actor.applicant)
        return applicants or procedure.step(procedure.start).actors  # without applicants it is whose row 1 is
    return step.actors


def next_positions(procedure: Procedure, ticket: Ticket) -> tuple[str, ...]:
    """Return the positions that everybody waits for now (empty when the ticket is not open)."""
    if ticket.state is not State.OPEN:
        return ()
    step = procedure.step(ticket.step)
    if not step.technical or (not step.technical.approver and step.technical.plan_step is None):
        return step.actors
    planned = ticket.plans.get(step.id)
    if step.technical.approver and planned and planned.approved_by is None:
        return (step.technical.approver,)
    return (step.technical.executor,)


def take_position(
    procedure: Procedure, ticket: Ticket, verb: Verb, *, person: str, people: People, on: date, step: Step | None = None
) -> str:
    """Return the position in which a person acts on that day.

    Raises: Refused, when the person holds none of the positions that the SOP names, or acts against the
    separation of duties.
    """
    step = step or procedure.step(ticket.step)
    positions = positions_for(procedure, verb, step)
    position = held_position(procedure, positions, person=person, unit=ticket.unit, people=people, on=on)
    if position is None:
        raise Refused(
            f"{person} does not hold {_titles(people, positions)} on {on.isoformat()}",
            where=f"{ticket.id} {step.id}",
            mend=f"those who do: {_holders(procedure, positions, ticket.unit, people, on)}",
        )
    separate(procedure, ticket, verb, person)
    if step.id == ticket.step:
        refuse_other_superior(procedure, ticket, verb, person, people=people, on=on)
    if verb is Verb.DONE and person not in ticket.requesters and _asks_a_superior(procedure, step):
        raise Refused(
            f"{person} did not request this",
            where=f"{ticket.id} {step.id}",
            mend=f"{' or '.join(sorted(ticket.requesters))} does; who fills in the form cannot approve it next",
        )
    return position


def held_position(
    procedure: Procedure, positions: Sequence[str], *, person: str, unit: str, people: People, on: date
) -> str | None:
    """Return the first of the positions that the person holds on that day; an applicant's only for the own unit."""
    for position in positions:
        own_unit = unit if _is_applicant(procedure, position) else None
        if people.holds(person, position, on, unit=own_unit):
            return position
    return None


def separate(procedure: Procedure, ticket: Ticket, verb: Verb, person: str) -> None:
    """Refuse one person who requests and approves, or approves and executes (design rule 3)."""
    where = f"{ticket.id} {ticket.step}"
    if verb is Verb.APPROVE and is_approval(procedure, ticket):
        holder = plan_holder(procedure, ticket)
        planned = ticket.plans.get(holder.id) if holder else None
        if person in ticket.requesters and not _approved_before(procedure, ticket, person):
            raise Refused(f"{person} requested this and may not approve it", where=where, mend="another person must")
        if person in ticket.executors or (planned and planned.by == person):
            raise Refused(f"{person} carries this out and may not approve it", where=where, mend="another person must")
    if verb is Verb.DONE and person in ticket.approvers and _asks_a_superior(procedure, procedure.step(ticket.step)):
        raise Refused(f"{person} approved this and may not request it", where=where, mend="another person must")
    # Who plans at a row before the machine work (SOP 000, row 9) proposes it; another person approves, a third does it.
    executes = verb in EXECUTING or (verb is Verb.PLAN and procedure.step(ticket.step).technical is not None)
    if executes and person in ticket.approvers:
        raise Refused(f"{person} approved this and may not carry it out", where=where, mend="another person must")


def unknown_positions(procedure: Procedure, people: People) -> tuple[str, ...]:
    """Return the positions that an SOP names and the people file does not define: who acts, carries out, approves."""
    named = [actor.id for actor in procedure.actors]
    for step in procedure.steps:
        work = (step.technical.executor, step.technical.approver) if step.technical else ()
        to = (step.message.to,) if step.message and step.message.to != CONTACT else ()
        named += [*step.actors, *filter(None, work), *to]
    return tuple(name for name in dict.fromkeys(named) if name not in people.positions)


def refuse_without_people(procedure: Procedure, people: People, *, applicant: str, unit: str, on: date) -> None:
    """Refuse to begin what the people file would not let come to an end; raises BadInput.

    Each position that the SOP names is defined, and where it asks for the applicant's direct superior, there is one.
    """
    if missing := unknown_positions(procedure, people):
        what = f"{procedure.code} names positions that nobody defined: {', '.join(missing)}"
        raise BadInput(what, where=people.source, mend="add them under `jabatan`; nothing was opened")
    if any(step.direct_superior for step in procedure.steps):
        try:
            direct_superiors(people, applicant, unit, on)
        except Refused as refused:
            raise BadInput(refused.what, where=people.source, mend=refused.mend) from None


def not_allowed_to_open(procedure: Procedure, action: Action, people: People) -> Iterator[str]:
    """Yield why a person was not allowed to open a ticket, by the people of that day."""
    first, unit = procedure.step(procedure.start), str(action.data.get("unit"))
    if action.verb is not Verb.OPEN:
        yield f"is the first entry, and does not open the ticket ({action.verb.value})"
    yield from _out_of_position(procedure, first.actors, action, unit=unit, people=people)


def not_allowed(procedure: Procedure, ticket: Ticket, action: Action, people: People) -> Iterator[str]:
    """Yield why an action on a ticket was not allowed, by the people of that day: position, unit, duties."""
    step = procedure.step(ticket.step)
    positions = positions_for(procedure, action.verb, step)
    if ticket.state is State.DONE and action.verb is Verb.EVIDENCE:
        recurring = [other.technical for other in procedure.steps if other.technical and other.technical.recurring]
        positions = tuple(technical.executor for technical in recurring)
    yield from _out_of_position(procedure, positions, action, unit=ticket.unit, people=people)
    try:
        separate(procedure, ticket, action.verb, action.person)
        refuse_other_superior(procedure, ticket, action.verb, action.person, people=people, on=action.at.date())
    except Refused as refused:
        yield str(refused)


def _out_of_position(
    procedure: Procedure, positions: Sequence[str], action: Action, *, unit: str, people: People
) -> Iterator[str]:
    on, own = action.at.date(), (action.position,)
    held = held_position(procedure, own, person=action.person, unit=unit, people=people, on=on)
    if held is None or action.position not in positions:
        yield f"{action.person} was not in a position to do this on {on.isoformat()}"


def refuse_other_superior(
    procedure: Procedure, ticket: Ticket, verb: Verb, person: str, *, people: People, on: date
) -> None:
    """Refuse anybody but the applicant's direct superior, where the SOP gives a row to that person (SOP 004, row 2)."""
    step = procedure.step(ticket.step)
    if not step.direct_superior or verb not in ANSWERING:
        return
    superiors = direct_superiors(people, ticket.applicant, ticket.unit, on)
    if person not in superiors:
        raise Refused(
            f"{person} is not the direct superior of {ticket.applicant}",
            where=f"{ticket.id} {step.id}",
            mend=f"who is: {', '.join(sorted(superiors))}",
        )


def direct_superiors(people: People, applicant: str, unit: str, on: date) -> frozenset[str]:
    """Return who was the applicant's direct superior on that day.

    Raises: Refused, when the applicant is not of the unit, or the people file names nobody: an approval by just anybody
    of the unit would be none.
    """
    of_unit = {holding.person for holding in people.holdings if holding.unit == unit and holding.holds(on)}
    if applicant not in of_unit:
        raise Refused(f"{applicant} holds no position for {unit}", mend="somebody of the unit asks")
    found = people.direct_superiors(applicant, on, unit)
    if found:
        return found
    alone = "" if of_unit - {applicant} else f", and {unit} has nobody else"
    raise Refused(
        f"the people file names no direct superior of {applicant}{alone}",
        mend=f"state `atasan_langsung: PERSON` at {applicant}, who holds a position for {unit}",
    )


def is_approval(procedure: Procedure, ticket: Ticket) -> bool:
    """Whether saying yes at the ticket's present step is an approval, not an answer or a piece of work."""
    step = procedure.step(ticket.step)
    return step.approval or bool(step.technical and step.technical.approver)


def _approved_before(procedure: Procedure, ticket: Ticket, person: str) -> bool:
    """Whether a superior approves in the applicants' own column (SOP 004, row 2) what came back to be approved again.

    Who acts in that column counts as a requester; who approved there first requested nothing.
    """
    return person in ticket.approvers and _is_applicants(procedure, procedure.step(ticket.step))


def _asks_a_superior(procedure: Procedure, step: Step) -> bool:
    """Whether applicants fill in here what another one of their column approves next (SOP 004, row 1)."""
    if not isinstance(step.next, str) or step.next in ENDS or step.approval:
        return False
    following = procedure.step(step.next)
    return _is_applicants(procedure, step) and _is_applicants(procedure, following) and following.approval


def _is_applicants(procedure: Procedure, step: Step) -> bool:
    return any(_is_applicant(procedure, actor) for actor in step.actors)


def _is_applicant(procedure: Procedure, position: str) -> bool:
    return any(actor.id == position and actor.applicant for actor in procedure.actors)


def _titles(people: People, positions: Sequence[str]) -> str:
    return " or ".join(people.title(position) for position in positions)


def _holders(procedure: Procedure, positions: Sequence[str], unit: str, people: People, on: date) -> str:
    names = {
        holder.id
        for position in positions
        for holder in people.holders(position, on, unit=unit if _is_applicant(procedure, position) else None)
    }
    return ", ".join(sorted(names)) or "nobody"
