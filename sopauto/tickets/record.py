"""From an action to a signed entry, and back: what an entry's body holds, and how drafts are committed together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sopauto.errors import Refused, SopautoError
from sopauto.journal.entry import Entry, compose_body, read_body
from sopauto.people import People
from sopauto.procedures.known import OUTCOME
from sopauto.procedures.model import Procedure
from sopauto.tickets.desk import Desk
from sopauto.tickets.machine import Transition, advance, open_ticket
from sopauto.tickets.model import Action, DocumentRef, Letter, Outcome, State, Ticket, Verb
from sopauto.tickets.one_person import refuse_other_id
from sopauto.tickets.people_then import PeopleThen, kept_with, refuse_backdated
from sopauto.tickets.storage import Change, Mail, Seen, Writer
from sopauto.tickets.timing import refuse_misdated
from sopauto.work import Artifact, Json, sha256

ENDING: Final = frozenset({Verb.RUN, Verb.EVIDENCE, Verb.SETTLE})
"""What tells how machine work ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An action that is not yet signed: what it does to the ticket, and all that is written with it."""

    procedure: Procedure
    action: Action
    step: str
    transition: Transition
    prev: str
    artifacts: tuple[Artifact, ...] = ()
    mails: tuple[Mail, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def ticket(self) -> Ticket:
        """The ticket as the action leaves it."""
        return self.transition.ticket


def refer(artifacts: Iterable[Artifact]) -> tuple[DocumentRef, ...]:
    """Return the references under which an entry carries these artifacts."""
    return tuple(DocumentRef(name=artifact.name, sha256=sha256(artifact.content)) for artifact in artifacts)


def copies_of(mails: Iterable[Mail]) -> tuple[Artifact, ...]:
    """Return the text of each e-mail as a document, and what it carries: what was told is signed with the action."""
    copies: list[Artifact] = []
    for number, mail in enumerate(mails, start=1):
        text = f"Kepada: {mail.to}\nPerihal: {mail.subject}\n\n{mail.body}"
        name = "surel.txt" if number == 1 else f"surel-{number}.txt"
        copies.append(Artifact(name=name, media_type="text/plain", content=text.encode()))
        copies += [mail.attached] if mail.attached else []
    return tuple(copies)


def position_after(ticket: Ticket) -> str:
    """Return where an action led: the step that is next, or how the ticket stands."""
    return ticket.step if ticket.state is State.OPEN else ticket.state.value


def body_of(draft: Draft, people: str | None = None) -> bytes:
    """Return the canonical JSON that is signed; `people` is the digest of the people file of today."""
    action = draft.action
    return compose_body(
        ticket=draft.ticket.id,
        number=draft.ticket.entries + 1,
        prev=draft.prev,
        at=action.at,
        person=action.person,
        position=action.position,
        verb=action.verb.value,
        step=draft.step,
        to=position_after(draft.ticket),
        note=action.note,
        data=action.data,
        documents=[{"name": document.name, "sha256": document.sha256} for document in action.documents],
        procedure=draft.ticket.procedure_digest,
        plan=action.plan,
        order=action.order,
        outcome=action.outcome.value if action.outcome else None,
        people=people,
    )


def outcome_of(body: Json) -> str | None:
    """Return how machine work ended, as an entry's body says it.

    Older entries of machine work hold it among the data; what a person stated under that name there is none.
    """
    found = body.get(OUTCOME) or (body["data"].get(OUTCOME) if body["verb"] in ENDING else None)
    return str(found) if found else None


def action_of(body: Json) -> Action:
    """Return the action that an entry's body records."""
    data, outcome = dict(body["data"]), outcome_of(body)
    if body["verb"] in ENDING and OUTCOME not in body:
        data.pop(OUTCOME, None)
    return Action(
        verb=Verb(body["verb"]),
        person=body["person"],
        position=body["position"],
        at=datetime.fromisoformat(body["at"]),
        note=body["note"],
        data=data,
        documents=tuple(DocumentRef(**document) for document in body["documents"]),
        plan=body["plan"],
        order=body["order"],
        outcome=Outcome(outcome) if outcome else None,
    )


def letter_of(action: Action, procedure: str) -> Letter:
    """Return the letter that an opening action carries."""
    data = action.data
    return Letter(procedure=procedure, unit=data["unit"], applicant=data["applicant"], fields=data["letter"])


def replay(
    procedure: Procedure, entries: Sequence[Entry], *, before: Callable[[Ticket, Entry], object] | None = None
) -> Ticket:
    """Return the ticket that follows from its entries alone.

    `before` is called with the ticket before each entry but the first, and that entry.
    Raises: SopautoError, when the SOP does not allow an entry or an entry says that it led elsewhere.
    """
    ticket: Ticket | None = None
    for entry in entries:
        body = read_body(entry.body)
        action = action_of(body)
        if ticket is None:
            transition = open_ticket(procedure, letter_of(action, procedure.code), action, entry.ticket)
        else:
            if before is not None:
                before(ticket, entry)
            transition = advance(procedure, ticket, action)
        if position_after(transition.ticket) != body["to"]:
            raise SopautoError(
                f"says that it led to {body['to']}, but the SOP leads to {position_after(transition.ticket)}",
                where=f"{entry.ticket} entry {entry.number}",
            )
        ticket = replace(transition.ticket, entries=entry.number, head=entry.digest)
    if ticket is None:
        raise SopautoError("the ticket has no entries")
    return ticket


def sign(desk: Desk, draft: Draft) -> tuple[Entry, Ticket]:
    """Sign a draft with the acting person's key; return the entry and the ticket that it leads to."""
    refuse_misdated(desk, draft)
    body = body_of(draft, desk.people.digest)
    signed = desk.signer.sign(body)
    person, day = draft.action.person, draft.action.at.date()
    if signed.key not in {key.public for key in desk.people.keys(person, day)}:
        raise Refused(f"the key that signed is none of {person} on {day.isoformat()}", mend="sign with your own key")
    entry = Entry(
        ticket=draft.ticket.id,
        number=draft.ticket.entries + 1,
        prev=draft.prev,
        body=body,
        signature=signed.signature,
        key=signed.key,
    )
    return entry, replace(draft.ticket, entries=entry.number, head=entry.digest)


def commit(desk: Desk, drafts: Sequence[Draft]) -> list[Ticket]:
    """Sign the drafts (outside any transaction: a key may ask for a touch) and write all of them, or none.

    Raises: Refused (by a backdated key or tenure, or under a second id), Conflict, when somebody acted on one of the
    tickets or took one of the places meanwhile.
    """
    signed = [sign(desk, draft) for draft in drafts]
    with desk.store.read() as reader:
        then = PeopleThen(desk.people, reader)
        for entry, _ in signed:
            body = read_body(entry.body)
            refuse_backdated(then, body, entry.key)
            refuse_other_id(then, reader.entries(entry.ticket), body, entry.key)
    with desk.store.write() as writer:
        for draft, (entry, ticket) in zip(drafts, signed, strict=True):
            writer.keep(draft.artifacts)
            writer.append(entry, ticket, due=desk.due(draft.procedure, ticket), title=title_of(ticket))
            keep_people(writer, desk.people, entry, draft.action.at)
            writer.post(draft.mails, draft.action.at)
            for change in draft.changes:
                change(writer)
    return [ticket for _, ticket in signed]


def keep_people(writer: Writer, people: People, entry: Entry, at: datetime) -> None:
    """Keep the people file under which an entry was signed, and write that it was."""
    if people.digest is not None:
        writer.keep(kept_with(people))
        writer.people.add(Seen(ticket=entry.ticket, number=entry.number, people=people.digest, at=at))


def title_of(ticket: Ticket) -> str:
    """Return a few words that tell tickets apart in a list."""
    return str(ticket.letter.get("perihal") or ticket.letter.get("nama_host") or ticket.procedure)
