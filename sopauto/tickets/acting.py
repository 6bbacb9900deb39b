"""What people do to tickets: open, done, approve, reject, cancel."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Any

from sopauto.errors import Refused
from sopauto.journal.entry import read_body
from sopauto.procedures.bounds import Asked
from sopauto.procedures.fields import validate
from sopauto.procedures.known import machine_words
from sopauto.procedures.model import Procedure, Step, StepKind
from sopauto.tickets.contention import Seen, asks, until_kept
from sopauto.tickets.desk import Desk, Occasion
from sopauto.tickets.domain import Case, Effect, Opening
from sopauto.tickets.duties import held_position, refuse_without_people, take_position
from sopauto.tickets.machine import Transition, advance, open_ticket, plan_holder, plan_to_sign
from sopauto.tickets.model import Action, DocumentRef, Letter, Outcome, State, Ticket, Verb
from sopauto.tickets.record import Draft, commit, copies_of, outcome_of, refer
from sopauto.tickets.showing import refuse_other, refuse_unseen
from sopauto.tickets.statements import STATING, asked_of
from sopauto.tickets.storage import Change, Mail, Reader
from sopauto.tickets.timing import lies_ahead, moment
from sopauto.work import Artifact, Json


def open_from_letter(desk: Desk, letter: Letter, *, person: str, note: str = "", where: str = "letter") -> Ticket:
    """Open a ticket from a validated letter and complete row 1 where that is the letter itself.

    Raises: BadInput (the letter lacks or misstates something), Refused (the person may not open it), Conflict.
    """
    procedure = desk.procedures.get(letter.procedure)
    desk.people.unit(letter.unit)
    fields = validate(procedure.letter, letter.fields, where, asked=asked_at(desk, letter.unit))
    desk.people.person(letter.applicant)
    refuse_without_people(procedure, desk.people, applicant=letter.applicant, unit=letter.unit, on=desk.today())
    letter = replace(letter, fields=fields)
    first = procedure.step(procedure.start)
    position = held_position(
        procedure, first.actors, person=person, unit=letter.unit, people=desk.people, on=desk.today()
    )
    if position is None:
        titles = " or ".join(desk.people.position(actor).title for actor in first.actors)
        raise Refused(f"{person} does not hold {titles} for {letter.unit} today", mend="the applicant opens the ticket")

    def once(_: Seen) -> Ticket:
        return _open_once(desk, procedure, letter, person=person, position=position, note=note, where=where)

    with nullcontext() if asks(desk) else desk.store.opening():  # nobody waits for somebody's touch
        return until_kept(desk, once)


def _open_once(
    desk: Desk, procedure: Procedure, letter: Letter, *, person: str, position: str, note: str, where: str
) -> Ticket:
    source = Artifact(name="sop.yaml", media_type="application/yaml", content=desk.procedures.source(procedure))
    with desk.store.read() as reader:
        at = moment(desk, reader, None)
    action = Action(
        verb=Verb.OPEN,
        person=person,
        position=position,
        at=at,
        note=note,
        data={"letter": letter.fields, "unit": letter.unit, "applicant": letter.applicant},
        documents=refer([source]),
    )
    with desk.store.read() as reader:
        desk.offers.refuse_letter(
            Opening(reader=reader, workspace=desk.workspace, procedure=procedure, letter=letter, where=where)
        )
        ticket_id = reader.next_id(procedure.prefix, action.at.year)
        draft = Draft(
            procedure=procedure,
            action=action,
            step=procedure.start,
            transition=open_ticket(procedure, letter, action, ticket_id),
            prev=reader.last_opening(),
            artifacts=(source,),
        )
    return commit(desk, [draft])[0]


def act(
    desk: Desk,
    ticket_id: str,
    verb: Verb,
    *,
    person: str,
    note: str = "",
    data: Mapping[str, Any] | None = None,
    seen_plan: str | None,
) -> Ticket:
    """Carry out one person's action on a ticket and write everything that follows from it, or nothing.

    `seen_plan` is the digest of the plan that the person names, or the first twelve digits of it or more (None: the
    person names none, and must have looked at the plan that an approval would sign).
    Raises: BadInput, Refused, Conflict.
    """

    def once(seen: Seen) -> Ticket:
        return _act_once(desk, seen, ticket_id, verb, person=person, note=note, data=data, seen_plan=seen_plan)

    return until_kept(desk, once)


def _act_once(
    desk: Desk,
    seen: Seen,
    ticket_id: str,
    verb: Verb,
    *,
    person: str,
    note: str,
    data: Mapping[str, Any] | None,
    seen_plan: str | None,
) -> Ticket:
    with desk.store.read() as reader:
        ticket = seen.of(reader, ticket_id)
        procedure = desk.procedure_of(ticket, reader)
        at = moment(desk, reader, ticket)
        refuse_during_attempt(reader, ticket)
        if verb in {Verb.APPROVE, Verb.REJECT}:
            refuse_unlooked(reader, procedure, ticket, verb)
        position = take_position(procedure, ticket, verb, person=person, people=desk.people, on=desk.today())
        action = Action(verb=verb, person=person, position=position, at=at, note=note, data=dict(data or {}))
        if verb in {Verb.APPROVE, Verb.REJECT}:
            action = with_plan(reader, procedure, ticket, action, seen_plan)
        begun = (lambda writer: refuse_during_attempt(writer, ticket),)
        drafts = prepare(desk, reader, procedure, ticket, action, changes=begun)
    return commit(desk, drafts)[0]


def wake(desk: Desk, ticket_id: str, *, person: str) -> Ticket:
    """Look anew for what a ticket waits for, and bring it and those before it on (SOP 001, penitipan.6).

    Raises: Refused (it does not wait, it is not there yet, the person may not).
    """
    with desk.store.read() as reader:
        ticket = reader.ticket(ticket_id)
        procedure = desk.procedure_of(ticket, reader)
        if ticket.state is not State.WAITING:
            raise Refused(f"{ticket.id} does not wait", mend=f"see `inv ticket.show {ticket.id}`")
        position = take_position(procedure, ticket, Verb.WAKE, person=person, people=desk.people, on=desk.today())
        cause = Action(verb=Verb.WAKE, person=person, position=position, at=moment(desk, reader, ticket))
        drafts = woken(desk, reader, desk.offers.look_again(reader, ticket), cause)
    if ticket.id not in [draft.ticket.id for draft in drafts]:
        raise Refused(
            f"a ticket that waits longer than {ticket.id} bears a time that lies ahead", mend="mend its clock"
        )
    written = commit(desk, drafts)
    return next(after for after in written if after.id == ticket.id)


def refuse_during_attempt(reader: Reader, ticket: Ticket) -> None:
    """Refuse to act on a technical step while an attempt at it has no result (design rule 5)."""
    attempts = reader.attempts(ticket.id, ticket.step)
    if attempts and attempts[-1].outcome is None:
        raise Refused(
            f"attempt {attempts[-1].number} at {ticket.step} by {attempts[-1].person} has no result yet",
            mend=f"`inv ticket.run {ticket.id}` finds out what became of it",
        )


def refuse_unlooked(reader: Reader, procedure: Procedure, ticket: Ticket, verb: Verb) -> None:
    """Refuse to answer a decision before its machine work was tried in this round, where one actor does both.

    SOP 003, rows 4, 6, 7 and 11: what Staf TI answers is what the machine found. A yes needs work that came to its
    end; what could not be looked at is answered by no. At SOP 001, konfigurasi.4, somebody else answers from the own
    desk.
    """
    step = procedure.step(ticket.step)
    if step.kind is StepKind.PROCESS or step.technical is None or step.technical.executor not in step.actors:
        return
    outcomes = _outcomes_in_this_round(reader, ticket)
    if Outcome.DONE in outcomes or (outcomes and verb is Verb.REJECT):
        return
    what = f"{step.technical.module} has not {'come to its end' if outcomes else 'run'} at {step.id} in this round"
    otherwise = ", or answer no" if outcomes else ", then answer"
    raise Refused(what, mend=f"run it with `inv ticket.run {ticket.id}`{otherwise}")


def _outcomes_in_this_round(reader: Reader, ticket: Ticket) -> set[str]:
    """Return how machine work at the ticket's present row ended since the row was entered."""
    bodies = (read_body(entry.body) for entry in reader.entries(ticket.id))
    return {
        str(outcome)
        for body in bodies
        if body["verb"] in {Verb.RUN, Verb.EVIDENCE, Verb.SETTLE}
        and (outcome := outcome_of(body))
        and body["step"] == ticket.step
        and datetime.fromisoformat(body["at"]) >= ticket.since
    }


def with_plan(reader: Reader, procedure: Procedure, ticket: Ticket, action: Action, seen_plan: str | None) -> Action:
    """Return an answer with the digests of the plan that it is given for, where there is one.

    Raises: BadInput, Refused (there is no such plan, this person was not shown it, it is approved already).
    """
    step, planned = procedure.step(ticket.step), plan_to_sign(procedure, ticket)
    own = step.kind is StepKind.PROCESS and step == plan_holder(procedure, ticket)
    if planned is None:
        if seen_plan or (own and action.verb is Verb.REJECT):
            raise Refused(f"no plan is attached at {step.id}", mend=f"see `inv ticket.show {ticket.id}`")
        return action
    if action.verb is Verb.APPROVE:
        if own and planned.approved_by is not None:
            what = f"the plan at {step.id} is approved already, by {planned.approved_by}"
            raise Refused(what, where=ticket.id, mend=f"see `inv ticket.show {ticket.id}` for what is next")
        refuse_unseen(reader, ticket, planned, person=action.person, named=seen_plan)
    elif seen_plan:
        mend = f"look with `inv ticket.show {ticket.id} --as {action.person}`"
        refuse_other(reader, ticket, planned, named=seen_plan, mend=mend)
    document = DocumentRef(name="rencana.json", sha256=planned.document)
    return replace(action, plan=planned.plan, order=planned.order, documents=(document,))


def prepare(
    desk: Desk,
    reader: Reader,
    procedure: Procedure,
    ticket: Ticket,
    action: Action,
    *,
    artifacts: tuple[Artifact, ...] = (),
    changes: tuple[Change, ...] = (),
    facts: Json | None = None,
) -> list[Draft]:
    """Return the draft of an action and of everything that it sets off (effects, papers, messages, woken tickets).

    Raises: BadInput (the action states what its row does not ask for), and what the effects and papers raise.
    """
    action = replace(action, documents=action.documents + refer(artifacts))
    transition = advance(procedure, ticket, action)
    papers: tuple[Artifact, ...] = ()
    mails: tuple[Mail, ...] = ()
    effect = desk.offers.cancel(reader, ticket) if action.verb is Verb.CANCEL else Effect()
    step = transition.completed
    if step is None:
        validate((), action.data, f"{ticket.id} {ticket.step}")
    else:
        action, effect = _stated(desk, reader, procedure, ticket, action=action, transition=transition)
        transition = advance(procedure, ticket, action)
        occasion = Occasion(
            procedure=procedure,
            step=step,
            action=action,
            before=ticket,
            after=transition.ticket,
            reader=reader,
            facts=facts or {},
        )
        papers = papers_of(desk, step, transition, occasion)
        mails = () if effect.silent else messages_of(desk, step, transition, occasion)
    papers += copies_of(mails)
    action = replace(action, documents=action.documents + refer(papers))
    draft = Draft(
        procedure=procedure,
        action=action,
        step=ticket.step,
        transition=transition,
        prev=ticket.head,
        artifacts=artifacts + papers,
        mails=mails,
        changes=effect.changes + changes,
    )
    return [draft, *woken(desk, reader, effect, action)]


def _stated(
    desk: Desk, reader: Reader, procedure: Procedure, ticket: Ticket, *, action: Action, transition: Transition
) -> tuple[Action, Effect]:
    """Return the action with what its person stated, checked, and with what the completed step adds to it."""
    step, answer = transition.completed, transition.answer
    assert step is not None
    words = machine_words(desk.offers.marks)
    asked = asked_of(step, answer, words) if action.verb in STATING else ()
    told = asked_at(desk, ticket.unit, {**ticket.letter, **ticket.data})
    fields = validate(asked, action.data, f"{ticket.id} {step.id}", asked=told)
    if fields:
        desk.parameters.refuse(procedure, ticket, fields, f"{ticket.id} {step.id}")
    data = {**ticket.data, **fields}
    case = Case(reader=reader, workspace=desk.workspace, ticket=ticket, action=action, answer=answer, data=data)
    effect = desk.offers.effect_of(step, case)
    assert effect.data.keys() <= words, f"the mark of {step.effect} names all that the machine writes"
    return replace(action, data={**fields, **effect.data}), effect


def asked_at(desk: Desk, unit: str, stated: Json | None = None) -> Asked:
    """Return what days, moments and the unit of a letter or a row are held against."""
    return Asked(now=desk.clock.now(), unit=(unit, desk.people.units.get(unit, unit)), stated=stated or {})


def papers_of(desk: Desk, step: Step, transition: Transition, occasion: Occasion) -> tuple[Artifact, ...]:
    """Return the forms that the completed step fills; a no fills those that the SOP names for it."""
    forms = step.documents_at_no if transition.answer is False else step.documents
    return tuple(artifact for form in forms for artifact in desk.papers.make(form, occasion))


def messages_of(desk: Desk, step: Step, transition: Transition, occasion: Occasion) -> tuple[Mail, ...]:
    """Return the e-mails that the completed step sends (a decision only at the answer that the SOP names)."""
    message = step.message
    if message is None or (message.on is not None and message.on is not transition.answer):
        return ()
    return (desk.messages.compose(message, occasion),)


def woken(desk: Desk, reader: Reader, effect: Effect, cause: Action) -> list[Draft]:
    """Return the drafts that wake the tickets for which the effect made way, signed by who caused it."""
    drafts = []
    for ticket, change, data in effect.wakes:
        if lies_ahead(reader, ticket, cause.at):
            break  # nobody overtakes it; `ticket.wake` brings it on when its clock is mended
        procedure = desk.procedure_of(ticket, reader)
        action = Action(
            verb=Verb.WAKE,
            person=cause.person,
            position=cause.position,
            at=cause.at,
            note="room became free",
            data=data,
        )
        drafts.append(
            Draft(
                procedure=procedure,
                action=action,
                step=ticket.step,
                transition=advance(procedure, ticket, action),
                prev=ticket.head,
                changes=(change,),
            )
        )
    return drafts
