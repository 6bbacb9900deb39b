"""A whole ticket for who decides: letter, statements, place, plan, papers, history; personal numbers masked."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sopauto.cli.console import hint, print_json, printable, say, table
from sopauto.cli.streams import lost_output
from sopauto.cli.ticket_text import SHORT, compact, local, moment, plan_lines, standing, tell_lines, tell_standing
from sopauto.cli.typed import one_line
from sopauto.errors import SopautoError

if TYPE_CHECKING:
    from sopauto.app import App
    from sopauto.assets.model import Place
    from sopauto.journal.entry import Entry
    from sopauto.procedures.model import Procedure
    from sopauto.tickets.model import Planned, Ticket
    from sopauto.tickets.personal import Mask
    from sopauto.tickets.plan_record import PlanRecord
    from sopauto.tickets.storage import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What is read of a ticket, at one moment."""

    ticket: Ticket
    procedure: Procedure
    entries: Sequence[Entry]
    bodies: Sequence[Mapping[str, Any]]
    planned: Planned | None
    record: PlanRecord | None
    place: Place | None


def tell_ticket(here: App, ticket_id: str, *, person: str = "", full: bool = False, json: bool) -> None:
    """Print a whole ticket, and write that the person named was shown the plan at hand, where all of it was printed.

    Raises: BadInput (unknown ticket or person).
    """
    from sopauto.tickets.personal import mask_of

    if person:
        here.people.person(person)
    with here.store.read() as reader:
        sheet = _read(here, reader, ticket_id)
    mask = mask_of(sheet.procedure, sheet.entries)
    if json:
        print_json(mask(_as_json(here, sheet)))
    shown = json or _tell(here, sheet, mask, full=full)
    if shown and not lost_output():
        _note_look(here, sheet, person)


def _read(here: App, reader: Reader, ticket_id: str) -> Sheet:
    from sopauto.journal.entry import read_body
    from sopauto.tickets.machine import plan_at_hand
    from sopauto.tickets.plan_record import read_record

    ticket = reader.ticket(ticket_id)
    procedure, entries = here.procedure_of(ticket, reader), reader.entries(ticket_id)
    planned = plan_at_hand(procedure, ticket)
    return Sheet(
        ticket=ticket,
        procedure=procedure,
        entries=entries,
        bodies=[read_body(entry.body) for entry in entries],
        planned=planned,
        record=read_record(reader.document(planned.document)) if planned else None,
        place=_place(reader, ticket),
    )


def _place(reader: Reader, ticket: Ticket) -> Place | None:
    """Return where the register has the ticket's server, reserved or standing."""
    name = ticket.letter.get("nama_host")
    for server in reader.assets.servers() if name else ():
        if server.ticket == ticket.id or (server.id == name and server.unit == ticket.unit):
            return server.place
    return None


def _note_look(here: App, sheet: Sheet, person: str) -> None:
    """Write that a person was shown the plan at hand; what cannot be written is told, and then counts as not shown."""
    if not person or sheet.planned is None:
        return
    seen = sheet.ticket.id, person, sheet.planned.document
    try:
        with here.store.read() as reader:
            known = reader.looked(*seen)
        if not known:
            with here.store.write() as writer:
                writer.look(*seen, here.clock.now())
    except SopautoError as error:
        print(printable(f"that {person} looked could not be written: {one_line(error)}"), file=sys.stderr)


def _as_json(here: App, sheet: Sheet) -> dict[str, Any]:
    from sopauto.tickets.papers import papers_of
    from sopauto.tickets.statements import forged

    ticket, planned = sheet.ticket, sheet.planned
    return {
        **standing(here, ticket),
        "unit": ticket.unit,
        "applicant": ticket.applicant,
        "letter": ticket.letter,
        "data": ticket.data,
        "stated": _stated(here, sheet),
        "place": sheet.place.as_json() if sheet.place else None,
        "papers": papers_of(sheet.bodies),
        "plan": sheet.record.as_json() if sheet.record else None,
        "planned": {"digest": planned.plan, "by": planned.by, "approved_by": planned.approved_by} if planned else None,
        "history": _history(here, sheet),
        "findings": forged(sheet.procedure, sheet.entries, here.offers.marks),
    }


def _tell(here: App, sheet: Sheet, mask: Mask, *, full: bool) -> bool:
    """Print the ticket for a person; return whether the plan was printed as a whole."""
    from sopauto.tickets.papers import papers_of
    from sopauto.tickets.statements import forged

    ticket = sheet.ticket
    say(f"{ticket.id}  {ticket.procedure}  {ticket.unit}  ({ticket.applicant})")
    for finding in forged(sheet.procedure, sheet.entries, here.offers.marks):
        say(f"  FINDING: {finding}")
    tell_standing(here, ticket)
    for name, value in mask(ticket.letter).items():
        say(f"  {name}: {value}")
    for said in mask(_stated(here, sheet)):
        by = f"written at {said['step']}" if said["by_machine"] else f"stated by {said['person']} at {said['step']}"
        say(f"  {said['name']}: {compact(said['value'])}  ({by}, {said['at']})")
    if sheet.place:
        say(f"  place: {_place_in_words(sheet.place)}")
    whole = sheet.record is None or tell_lines(ticket, plan_lines(sheet.record), mask, full=full)
    if sheet.planned:
        say(f"  {_approval(here, sheet, sheet.planned)}")
    for paper in _latest(papers_of(sheet.bodies)):
        older = f" ({paper['kept']} kept, the last)" if paper["kept"] > 1 else ""
        say(f"  paper: {paper['name']} {paper['sha256'][:SHORT]} of {paper['step']}{older}")
    hint(f"  open:  inv ticket.paper {ticket.id} NAME --to FILE")
    say()
    history = mask(_history(here, sheet))
    table(["no", "at", "who", "as", "did", "at step", "to", "note"], [list(row.values())[:8] for row in history])
    return whole


def _place_in_words(place: Place) -> str:
    top = place.bottom_unit + place.height - 1
    units = f"unit {top}" if place.height == 1 else f"units {place.bottom_unit} to {top}"
    return f"rack {place.rack}, {units}; {place.switch} port {place.port}, VLAN {place.vlan}; {place.address}"


def _approval(here: App, sheet: Sheet, planned: Planned) -> str:
    """Return who made the plan and who approved it, and when."""
    told = f"made by {planned.by}"
    if planned.approved_by is None:
        return f"{told}, not approved yet"
    answers = [body for body in sheet.bodies if body["verb"] == "approve" and body["order"] == planned.order]
    at = [moment(local(here, datetime.fromisoformat(body["at"]))) for body in answers]
    return f"{told}, approved by {planned.approved_by}{f' at {at[-1]}' if at else ''}"


def _stated(here: App, sheet: Sheet) -> list[dict[str, Any]]:
    """Return what was stated and written after the letter: what, by whom, at which row, when."""
    from sopauto.tickets.statements import statements

    return [
        {
            "name": said.name,
            "value": said.value,
            "person": said.person,
            "step": said.step,
            "at": moment(local(here, datetime.fromisoformat(said.at))),
            "by_machine": said.by_machine,
        }
        for said in statements(sheet.procedure, sheet.entries, here.offers.marks)
    ]


def _latest(papers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the last paper under each name, and how many there are under it."""
    kept: dict[str, dict[str, Any]] = {}
    for paper in papers:
        before = kept[paper["name"]]["kept"] if paper["name"] in kept else 0
        kept[paper["name"]] = {**paper, "kept": before + 1}
    return list(kept.values())


def _history(here: App, sheet: Sheet) -> list[dict[str, Any]]:
    return [
        {
            "number": body["number"],
            "at": moment(local(here, datetime.fromisoformat(body["at"]))),
            "person": body["person"],
            "position": body["position"],
            "verb": body["verb"],
            "step": body["step"],
            "to": body["to"],
            "note": body["note"],
            "documents": [document["name"] for document in body["documents"]],
        }
        for body in sheet.bodies
    ]
