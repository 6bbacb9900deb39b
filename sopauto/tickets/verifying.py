"""Whether a ticket's journal holds: chain, signatures, documents, duties, and the SOP run again (design rule 4).

Nothing but the store, `people` and the ticket's own documents is asked: it works offline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from sopauto.errors import BadInput, SopautoError
from sopauto.journal.entry import Entry, read_body
from sopauto.journal.export import archive
from sopauto.journal.verify import findings_of, findings_of_openings, mending
from sopauto.people import People
from sopauto.procedures.model import Procedure
from sopauto.tickets.duties import held_position, positions_for, separate
from sopauto.tickets.model import Ticket, Verb
from sopauto.tickets.record import action_of, replay
from sopauto.tickets.statements import forged
from sopauto.tickets.storage import Reader


class Office(Protocol):
    """What checking takes: who held which position and key on which day, and how to read an SOP."""

    @property
    def people(self) -> People:
        """The people, dated."""

    def procedure_from(self, source: bytes, where: str) -> Procedure:
        """Return the procedure that a YAML describes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How much was checked, what does not hold (empty: all holds), and which entries mended times of a wrong clock."""

    tickets: int
    entries: int
    findings: tuple[str, ...]
    mended: tuple[str, ...] = ()


def findings(office: Office, reader: Reader, ticket_id: str) -> list[str]:
    """Return what does not hold about one ticket, each as a sentence (empty: all holds)."""
    return _findings(office, reader, ticket_id, reader.entries(ticket_id))


def verify_ticket(office: Office, reader: Reader, ticket_id: str) -> Verdict:
    """Check one ticket; raises BadInput (unknown id)."""
    reader.ticket(ticket_id)
    entries = reader.entries(ticket_id)
    found = tuple(_findings(office, reader, ticket_id, entries))
    mended = () if found else tuple(f"{ticket_id} entry {number}" for number in mending(entries))
    return Verdict(tickets=1, entries=len(entries), findings=found, mended=mended)


def verify_all(office: Office, reader: Reader) -> Verdict:
    """Check every ticket, and that none is missing between the first and the last one opened."""
    stands = reader.stands()
    found = list(findings_of_openings(reader.openings()))
    found += [f"{ticket}: has entries, but the ticket itself is missing" for ticket in reader.strays()]
    mended: list[str] = []
    count = 0
    for stand in stands:
        verdict = verify_ticket(office, reader, stand.ticket)
        count += verdict.entries
        found += verdict.findings
        mended += verdict.mended
    return Verdict(tickets=len(stands), entries=count, findings=tuple(found), mended=tuple(mended))


def export_ticket(office: Office, reader: Reader, ticket_id: str) -> bytes:
    """Return one archive (tar.gz) that an auditor can check without sopauto; raises BadInput (unknown id)."""
    reader.ticket(ticket_id)
    entries = reader.entries(ticket_id)
    documents = {
        document["sha256"]: reader.document(document["sha256"])
        for entry in entries
        for document in read_body(entry.body)["documents"]
    }
    return archive(entries, documents=documents, people=office.people)


def _findings(office: Office, reader: Reader, ticket_id: str, entries: Sequence[Entry]) -> list[str]:
    if not entries:
        return [f"{ticket_id}: has no entries"]
    people = office.people

    def document(digest: str) -> bytes | None:
        try:
            return reader.document(digest)
        except BadInput:
            return None

    def keys(person: str, on: date) -> frozenset[str]:
        try:
            return frozenset(key.public for key in people.keys(person, on))
        except BadInput:
            return frozenset()

    found = list(findings_of(entries, keys=keys, holds=people.holds, document=document))
    if found:
        return found
    try:
        return _run_again(office, reader, ticket_id, entries)
    except (SopautoError, KeyError, ValueError, AssertionError) as error:
        return [str(error)]


def _run_again(office: Office, reader: Reader, ticket_id: str, entries: Sequence[Entry]) -> list[str]:
    """Return what the SOP would not have allowed, and whether the kept ticket says something else than its journal."""
    procedure = office.procedure_from(reader.document(read_body(entries[0].body)["procedure"]), f"{ticket_id}/sop.yaml")
    found = forged(procedure, entries)
    replayed = replay(
        procedure, entries, before=lambda ticket, entry: found.extend(_duties(office, procedure, ticket, entry))
    )
    if replayed != reader.ticket(ticket_id):
        found.append(f"{ticket_id}: the ticket as kept is not what its journal says")
    return found


def _duties(office: Office, procedure: Procedure, ticket: Ticket, entry: Entry) -> list[str]:
    """Return whether this person was not allowed to do this, then and there."""
    action = action_of(read_body(entry.body))
    if action.verb is Verb.WAKE:  # signed by whoever made the room, in the position that made it
        return []
    on = action.at.date()
    positions = positions_for(procedure, action.verb, procedure.step(ticket.step))
    held = held_position(procedure, positions, person=action.person, unit=ticket.unit, people=office.people, on=on)
    where = f"{entry.ticket} entry {entry.number}"
    if held is None or action.position not in positions:
        return [f"{where}: {action.person} was not in a position to do this on {on.isoformat()}"]
    try:
        separate(procedure, ticket, action.verb, action.person)
    except SopautoError as error:
        return [f"{where}: {error}"]
    return []
