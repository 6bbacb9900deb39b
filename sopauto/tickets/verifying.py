"""Whether a ticket's journal holds: chain, signatures, documents, duties, and the SOP run again (design rule 4).

Nothing but the store, `people` and the ticket's own documents is asked: it works offline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sopauto.errors import BadInput, SopautoError, StepFailed
from sopauto.journal.entry import Entry, read_body
from sopauto.journal.export import Closing, archive, references
from sopauto.journal.verify import findings_of, findings_of_openings, mending
from sopauto.people import People
from sopauto.procedures.model import Procedure
from sopauto.tickets.anchoring import anchor_of, refuse_broken
from sopauto.tickets.checking_people import PeopleNotes, findings_of_people, staff_of
from sopauto.tickets.duties import not_allowed, not_allowed_to_open
from sopauto.tickets.model import Ticket, Verb
from sopauto.tickets.offers import Offers
from sopauto.tickets.people_then import PeopleThen
from sopauto.tickets.record import action_of, replay
from sopauto.tickets.statements import forged
from sopauto.tickets.storage import Reader, Stand

Close = Callable[[Stand], Closing]
"""Closes an archive: says, and may sign, where the ticket stands."""


class Office(Protocol):
    """What checking takes: who held which position and key on which day, the domains, and how to read an SOP."""

    @property
    def people(self) -> People:
        """The people, dated."""

    @property
    def offers(self) -> Offers:
        """What the domains offer: which words the machine writes."""

    def procedure_from(self, source: bytes, where: str) -> Procedure:
        """Return the procedure that a YAML describes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How much was checked, what does not hold (empty: all holds), and what is worth knowing.

    `mended` are the entries that mended times of a wrong clock, `notes` tell of the people files.
    """

    tickets: int
    entries: int
    findings: tuple[str, ...]
    mended: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def findings(office: Office, reader: Reader, ticket_id: str) -> list[str]:
    """Return what does not hold about one ticket, each as a sentence (empty: all holds)."""
    return _findings(office, PeopleThen(office.people, reader), reader, ticket_id, reader.entries(ticket_id))


def verify_ticket(office: Office, reader: Reader, ticket_id: str) -> Verdict:
    """Check one ticket; raises BadInput (unknown id)."""
    reader.ticket(ticket_id)
    entries = reader.entries(ticket_id)
    then, notes = PeopleThen(office.people, reader), PeopleNotes()
    notes.look(then, entries)
    found = _findings(office, then, reader, ticket_id, entries)
    mended = () if found else _mended(entries)
    return Verdict(tickets=1, entries=len(entries), findings=tuple(found), mended=mended, notes=tuple(notes.told()))


def verify_all(office: Office, reader: Reader) -> Verdict:
    """Check every ticket, and that none is missing between the first and the last one opened."""
    stands = reader.stands()
    found = list(findings_of_openings(reader.openings()))
    found += [f"{ticket}: has entries, but the ticket itself is missing" for ticket in reader.strays()]
    then, notes, count = PeopleThen(office.people, reader), PeopleNotes(), 0
    mended: list[str] = []
    for stand in stands:
        entries = reader.entries(stand.ticket)
        count += len(entries)
        notes.look(then, entries)
        of_ticket = _findings(office, then, reader, stand.ticket, entries)
        found += of_ticket
        mended += () if of_ticket else _mended(entries)
    notes.look_at_versions(then)
    return Verdict(
        tickets=len(stands),
        entries=count,
        findings=tuple(found),
        mended=tuple(mended),
        notes=tuple(notes.told()),
    )


def _mended(entries: Sequence[Entry]) -> tuple[str, ...]:
    return tuple(f"{entries[0].ticket} entry {number}" for number in mending(entries))


def export_ticket(office: Office, reader: Reader, ticket_id: str, close: Close | None = None) -> bytes:
    """Return one archive (tar.gz) that an auditor can check without sopauto.

    `close` signs what the archive says of its own end (None: it is not signed).

    Raises: BadInput (unknown id), StepFailed (the journal does not hold: an archive of it would mislead).
    """
    verdict = verify_ticket(office, reader, ticket_id)
    if verdict.findings:
        more = f" (and {len(verdict.findings) - 1} more)" if len(verdict.findings) > 1 else ""
        raise StepFailed(
            f"the journal does not hold, nothing was written: {verdict.findings[0]}{more}",
            where=ticket_id,
            mend=f"see `inv ticket.verify {ticket_id}`; keep a copy, call the auditor",
        )
    entries = reader.entries(ticket_id)
    (stand,) = reader.stands(ticket_id)
    refuse_broken(stand)
    digests = [digest for entry in entries for _, digest in references(read_body(entry.body))]
    documents = {digest: reader.document(digest) for digest in digests}
    closing = (close or _unsigned)(stand)
    then = PeopleThen(office.people, reader)
    return archive(entries, documents=documents, people_of=then.of, closing=closing)


def _unsigned(stand: Stand) -> Closing:
    """Return what an archive says of its end when nobody signs it: as of the last entry, the same whenever made."""
    assert stand.end is not None
    at = datetime.fromisoformat(read_body(stand.end.body)["at"])
    return Closing(anchor=anchor_of(stand, at=at, person=None))


def _findings(office: Office, then: PeopleThen, reader: Reader, ticket_id: str, entries: Sequence[Entry]) -> list[str]:
    if not entries:
        return [f"{ticket_id}: has no entries"]

    def document(digest: str) -> bytes | None:
        try:
            return reader.document(digest)
        except BadInput:
            return None

    present = staff_of(then.today)
    found = findings_of(
        entries,
        keys=present.keys,
        holds=present.holds,
        document=document,
        then=lambda entry: staff_of(people) if (people := then.of(entry)) else None,
    )
    if found:
        return found
    try:
        found += findings_of_people(then, entries)
        return found + _run_again(office, then, reader, ticket_id, entries)
    except (SopautoError, KeyError, ValueError, AssertionError) as error:
        return [*found, str(error)]


def _run_again(office: Office, then: PeopleThen, reader: Reader, ticket_id: str, entries: Sequence[Entry]) -> list[str]:
    """Return what the SOP would not have allowed, and whether the kept ticket says something else than its journal."""
    procedure = office.procedure_from(reader.document(read_body(entries[0].body)["procedure"]), f"{ticket_id}/sop.yaml")
    found = forged(procedure, entries, office.offers.marks)

    def check(ticket: Ticket | None, entry: Entry) -> None:
        found.extend(f"{entry.ticket} entry {entry.number}: {what}" for what in _duties(then, procedure, ticket, entry))

    check(None, entries[0])
    replayed = replay(procedure, entries, before=check)
    if replayed != reader.ticket(ticket_id):
        found.append(f"{ticket_id}: the ticket as kept is not what its journal says")
    return found


def _duties(then: PeopleThen, procedure: Procedure, ticket: Ticket | None, entry: Entry) -> Iterator[str]:
    """Yield whether this person was not allowed to do this, then and there (`ticket` None: it opens one)."""
    body, people = read_body(entry.body), then.of(entry)
    assert people is not None
    action = action_of(body)
    if ticket is None:
        yield from not_allowed_to_open(procedure, action, people)
        return
    if body["step"] != ticket.step:
        yield f"says that it was done at {body['step']}, but the ticket stood at {ticket.step}"
    if body["procedure"] != ticket.procedure_digest:
        yield "names another version of the SOP"
    own = list(not_allowed(procedure, ticket, action, people))
    if action.verb is Verb.WAKE and own:  # who may not wake it freed what it waited for
        yield from _not_woken(then, body)
    else:
        yield from own


def _not_woken(then: PeopleThen, body: dict[str, Any]) -> Iterator[str]:
    """Yield whether no entry of another ticket freed what this one waited for: whoever frees it signs both at once."""
    if "people" not in body:
        return
    for seen in then.shelf.people.at(datetime.fromisoformat(body["at"])):
        for other in then.shelf.entries(seen.ticket)[seen.number - 1 : seen.number]:
            cause = read_body(other.body)
            same = (cause["person"], cause["position"]) == (body["person"], body["position"])
            if same and seen.ticket != body["ticket"] and cause["verb"] != Verb.WAKE:
                return
    yield "nothing was freed at that moment by whom it names"
