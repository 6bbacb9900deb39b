"""How tickets are told to a person: where one stands, who is next, by when, and what to type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sopauto.cli.console import print_json, say, table

if TYPE_CHECKING:
    from sopauto.app import App
    from sopauto.procedures.model import Procedure, Step
    from sopauto.tickets.gate import PlanRecord
    from sopauto.tickets.model import Ticket
    from sopauto.tickets.storage import Reader, Row


def moment(at: datetime | None) -> str:
    """Return a moment as an official writes it, to the minute (a dash when there is none)."""
    return f"{at:%Y-%m-%d %H:%M}" if at else "-"


def local(here: App, at: datetime | None) -> datetime | None:
    """Return a moment in the agency's time zone."""
    return at.astimezone(here.settings.zone) if at else None


def tell_action(here: App, ticket: Ticket, verb: str, *, json: bool) -> None:
    """Print what an action led to, and what comes next."""
    if json:
        print_json(standing(here, ticket))
        return
    say(f"{ticket.id}: {verb}")
    tell_standing(here, ticket)


def tell_standing(here: App, ticket: Ticket) -> None:
    """Print where the ticket stands, who is next, by when, and the command to type."""
    now = standing(here, ticket)
    if ticket.state.value == "open":
        late = "  OVERDUE" if now["overdue"] else ""
        say(f"  next: {now['step']}  {now['text']}")
        say(f"  who:  {now['who']}    by: {now['due'] or '-'}{late}")
        say(f"  type: {now['type']}")
    elif ticket.state.value == "waiting":
        say(f"  waits for {ticket.waits_for}; it goes on by itself when that is free")
    else:
        say(f"  {ticket.state.value}")


def standing(here: App, ticket: Ticket) -> dict[str, Any]:
    """Return where a ticket stands as plain data."""
    with here.store.read() as reader:
        procedure = here.procedure_of(ticket, reader)
        due = reader.due(ticket.id)
    step = procedure.step(ticket.step)
    return {
        "ticket": ticket.id,
        "sop": ticket.procedure,
        "state": ticket.state.value,
        "step": step.id,
        "text": step.text,
        "since": moment(local(here, ticket.since)),
        "due": moment(local(here, due)) if due else None,
        "overdue": bool(due and due < here.clock.now()),
        "who": who_is_next(here, procedure, ticket),
        "type": next_command(procedure, ticket),
    }


def who_is_next(here: App, procedure: Procedure, ticket: Ticket) -> str:
    """Return the position that everybody waits for, and who holds it today."""
    from sopauto.tickets.duties import next_positions

    told = []
    for position in next_positions(procedure, ticket):
        own_unit = ticket.unit if procedure.actor(position).applicant else None
        holders = here.people.holders(position, here.clock.now().date(), unit=own_unit)
        told.append(f"{here.people.position(position).title} ({', '.join(p.id for p in holders) or 'nobody'})")
    return " or ".join(told) or "-"


def next_command(procedure: Procedure, ticket: Ticket) -> str:
    """Return the command that brings the ticket on."""
    if ticket.unknown:
        return f"inv ticket.settle {ticket.id}"
    if not ticket.is_open or ticket.waits_for:
        return f"inv ticket.show {ticket.id}"
    step = procedure.step(ticket.step)
    if step.technical and step.kind.value == "proses":
        return _next_of_machine_work(ticket, step)
    if step.kind.value == "keputusan":
        first = (
            f"inv ticket.run {ticket.id}, then " if step.technical and step.technical.executor in step.actors else ""
        )
        return f"{first}inv ticket.approve {ticket.id}  (ya)  or  inv ticket.reject {ticket.id}  (tidak)"
    asked = "".join(f" --set {field.name}=…" for field in step.fields if field.required)
    return f"inv ticket.{'approve' if step.approval else 'done'} {ticket.id}{asked}"


def _next_of_machine_work(ticket: Ticket, step: Step) -> str:
    assert step.technical is not None
    planned = ticket.plans.get(step.id)
    if step.technical.approver and planned is None:
        return f"inv ticket.plan {ticket.id}"
    if step.technical.approver and planned and planned.approved_by is None:
        return f"inv ticket.approve {ticket.id}"
    several = len(step.technical.modules) > 1
    return f"inv {'ticket.run' if several else step.technical.module} {ticket.id}"


def tell_plan(here: App, ticket: Ticket, record: PlanRecord, *, json: bool) -> None:
    """Print a plan as the approver sees it: targets, lines, difference."""
    if json:
        print_json({"ticket": ticket.id, "digest": record.plan.digest, **record.as_json()})
        return
    _tell_plan_lines(record)
    tell_standing(here, ticket)


def _tell_plan_lines(record: PlanRecord) -> None:
    plan = record.plan
    say(f"plan {plan.digest[:12]} of {plan.module} on {', '.join(plan.targets)}")
    if plan.logins:
        say(f"  login {', '.join(plan.logins)} of sopauto.toml")
    for line in plan.lines or ("nothing to send: the machine already is as wanted",):
        say(f"  | {line}")
    for line in plan.diff.splitlines():
        say(f"  {line}")
    for name, digest in record.materials.items():
        say(f"  file {name} {digest[:12]}")


def tell_list(here: App, rows: Sequence[Row], *, limit: int, json: bool) -> None:
    """Print one page of tickets."""
    now = here.clock.now()
    if json:
        print_json([_row_json(here, row, now) for row in rows])
        return
    table(
        ["ticket", "sop", "unit", "state", "step", "due", "title"],
        [
            [
                row.id,
                row.procedure,
                row.unit,
                row.state.value,
                row.step,
                moment(local(here, row.due)) + (" OVERDUE" if row.due and row.due < now else ""),
                row.title,
            ]
            for row in rows
        ],
        empty="no tickets; open one with `inv ticket.open LETTER`",
    )
    if len(rows) == limit:
        say(f"more: inv ticket.list --after {rows[-1].id}")


def _row_json(here: App, row: Row, now: datetime) -> dict[str, Any]:
    return {
        "ticket": row.id,
        "sop": row.procedure,
        "unit": row.unit,
        "state": row.state.value,
        "step": row.step,
        "since": local(here, row.since),
        "due": local(here, row.due),
        "overdue": bool(row.due and row.due < now),
        "title": row.title,
    }


def tell_ticket(here: App, ticket_id: str, *, json: bool) -> None:
    """Print a whole ticket: standing, letter, the plan at hand, history."""
    with here.store.read() as reader:
        ticket = reader.ticket(ticket_id)
        letter = _letter(here.procedure_of(ticket, reader), ticket)
        history = _history(here, reader, ticket_id)
        record = _plan_at_hand(ticket, reader)
    if json:
        print_json(
            {
                **standing(here, ticket),
                "unit": ticket.unit,
                "applicant": ticket.applicant,
                "letter": letter,
                # The opening's own data hold the letter once more.
                "data": {name: letter if name == "letter" else value for name, value in ticket.data.items()},
                "plan": record.as_json() if record else None,
                "history": history,
            }
        )
        return
    say(f"{ticket.id}  {ticket.procedure}  {ticket.unit}  ({ticket.applicant})")
    tell_standing(here, ticket)
    for name, value in letter.items():
        say(f"  {name}: {value}")
    if record:
        _tell_plan_lines(record)
    say()
    table(["no", "at", "who", "as", "did", "at step", "to", "note"], [list(row.values())[:8] for row in history])


def _letter(procedure: Procedure, ticket: Ticket) -> dict[str, Any]:
    """Return what the letter says; of numbers of identity their end, the whole stands in the form (UU 27/2022)."""
    from sopauto.access.model import masked

    hidden = {field.name for field in procedure.letter if field.kind == "identitas"}
    return {name: masked(value) if name in hidden else value for name, value in ticket.letter.items()}


def _plan_at_hand(ticket: Ticket, reader: Reader) -> PlanRecord | None:
    from sopauto.tickets.gate import read_record

    planned = ticket.plans.get(ticket.step)
    return read_record(reader.document(planned.document)) if planned else None


def _history(here: App, reader: Reader, ticket_id: str) -> list[dict[str, Any]]:
    from sopauto.journal.entry import read_body

    rows = []
    for entry in reader.entries(ticket_id):
        body = read_body(entry.body)
        rows.append(
            {
                "number": entry.number,
                "at": moment(local(here, datetime.fromisoformat(body["at"]))),
                "person": body["person"],
                "position": body["position"],
                "verb": body["verb"],
                "step": body["step"],
                "to": body["to"],
                "note": body["note"],
                "documents": [document["name"] for document in body["documents"]],
            }
        )
    return rows
