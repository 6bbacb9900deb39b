"""How tickets are told to a person: where one stands, who is next, by when, and what to type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from json import dumps
from typing import TYPE_CHECKING, Any, Final

from sopauto.cli.console import hint, print_json, say, table, told_after
from sopauto.cli.running import MODULE_COMMANDS
from sopauto.cli.typed import as_typed

if TYPE_CHECKING:
    from sopauto.app import App
    from sopauto.procedures.model import Procedure, Step
    from sopauto.tickets.model import Ticket
    from sopauto.tickets.personal import Mask
    from sopauto.tickets.plan_record import PlanRecord
    from sopauto.tickets.storage import Row
    from sopauto.work import Unforeseen

ANSWERS: Final = {"approve": "approved", "reject": "refused"}
"""The answers to a plan, as they are told."""
SHORT: Final = 12
"""So many digits of a digest are shown; they suffice to name a plan."""
MOST: Final = 200
HEAD: Final = 150
"""A longer plan is folded behind so many lines."""
WIDEST: Final = 400
AS_WANTED: Final = "nothing to send: the machine already is as wanted"
FORESIGHT: Final = {"will": "will run", "may": "may run", "if-failed": "runs if a task before it fails"}
"""When a task whose effect cannot be foreseen runs."""


def moment(at: datetime | None) -> str:
    """Return a moment as an official writes it, to the minute (a dash when there is none)."""
    return f"{at:%Y-%m-%d %H:%M}" if at else "-"


def local(here: App, at: datetime | None) -> datetime | None:
    """Return a moment in the agency's time zone."""
    return at.astimezone(here.settings.zone) if at else None


def tell_action(here: App, ticket: Ticket, verb: str, *, json: bool) -> None:
    """Print what an action led to, which plan it signed or refused, and what comes next."""
    with told_after(ticket.id, json=json):
        answered = _answered_plan(here, ticket)
        if json:
            print_json({**standing(here, ticket), **({"answered": answered} if answered else {})})
            return
        say(f"{ticket.id}: {answered['told'] if answered else verb}")
        tell_standing(here, ticket)


def _answered_plan(here: App, ticket: Ticket) -> dict[str, Any] | None:
    """Return the plan that the ticket's last entry approves or refuses, as that entry names it (None: none)."""
    from sopauto.journal.entry import read_body
    from sopauto.tickets.plan_record import read_record

    with here.store.read() as reader:
        body = read_body(reader.entries(ticket.id)[ticket.entries - 1].body)
        if body["plan"] is None or body["verb"] not in ANSWERS:
            return None
        record = read_record(reader.document(body["documents"][0]["sha256"]))
    told = f"{ANSWERS[body['verb']]} {in_words(record)}"
    return {"verb": body["verb"], "plan": body["plan"], "order": body["order"], "told": told}


def in_words(record: PlanRecord) -> str:
    """Return which plan this is: its digest's beginning, what it does to which machines, and how long it is."""
    plan = record.plan
    lines = "1 line" if len(plan.lines) == 1 else f"{len(plan.lines)} lines"
    unforeseen = f", {len(plan.unforeseen)} tasks whose effect cannot be foreseen" if plan.unforeseen else ""
    return f"plan {plan.digest[:SHORT]} of {plan.module} on {', '.join(plan.targets)}: {lines}{unforeseen}"


def tell_standing(here: App, ticket: Ticket) -> None:
    """Print where the ticket stands, who is next, by when, and the command to type."""
    now = standing(here, ticket)
    if ticket.state.value == "open":
        late = "  OVERDUE" if now["overdue"] else ""
        say(f"  next: {now['step']}  {now['text']}")
        say(f"  who:  {now['who']}    by: {now['due'] or '-'}{late}")
        say(f"  type: {now['type']}")
    elif ticket.state.value == "waiting":
        say(f"  waits for {ticket.waits_for}; it goes on by itself when a server leaves")
        say(f"  type: {now['type']}  (after new racks, ports or addresses were imported)")
    else:
        say(f"  {ticket.state.value}")


def standing(here: App, ticket: Ticket) -> dict[str, Any]:
    """Return where a ticket stands as plain data."""
    from sopauto.tickets.machine import plan_to_sign
    from sopauto.tickets.showing import name_of

    with here.store.read() as reader:
        procedure = here.procedure_of(ticket, reader)
        due = reader.due(ticket.id)
        planned = plan_to_sign(procedure, ticket)
        name = name_of(reader, ticket, planned) if planned else ""
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
        "type": as_typed(next_command(procedure, ticket, plan=name)),
    }


def who_is_next(here: App, procedure: Procedure, ticket: Ticket) -> str:
    """Return the position that everybody waits for, and who holds it today; what nobody defined goes by its id."""
    from sopauto.tickets.duties import next_positions

    told, today = [], here.clock.now().date()
    superior = ticket.state.value == "open" and procedure.step(ticket.step).direct_superior
    for position in next_positions(procedure, ticket):
        own_unit = ticket.unit if procedure.actor(position).applicant else None
        holders = [person.id for person in here.people.holders(position, today, unit=own_unit)]
        if superior and ticket.applicant in here.people.persons:
            direct = here.people.direct_superiors(ticket.applicant, today, ticket.unit)
            holders = [person for person in holders if person in direct]
        told.append(f"{here.people.title(position)} ({', '.join(holders) or 'nobody'})")
    return " or ".join(told) or "-"


def next_command(procedure: Procedure, ticket: Ticket, *, plan: str = "") -> str:
    """Return the command that brings the ticket on; `plan` is the digest of the plan that an answer would sign."""
    if ticket.unknown:
        return f"inv ticket.settle {ticket.id}"
    if not ticket.is_open:
        return f"inv ticket.show {ticket.id}"
    if ticket.waits_for:
        return f"inv ticket.wake {ticket.id}"
    step = procedure.step(ticket.step)
    if step.technical and step.kind.value == "proses":
        return _next_of_machine_work(ticket, step, plan)
    approve = f"inv ticket.approve {ticket.id}{f' --plan {plan}' if plan else ''}"
    if step.kind.value == "keputusan":
        first = (
            f"inv ticket.run {ticket.id}, then " if step.technical and step.technical.executor in step.actors else ""
        )
        return f"{first}{approve}{_asked(step)}  (ya)  or  inv ticket.reject {ticket.id}  (tidak)"
    return f"{approve if step.approval else f'inv ticket.done {ticket.id}'}{_asked(step)}"


def _asked(step: Step) -> str:
    return "".join(f" --set {field.name}=…" for field in step.fields if field.required)


def _next_of_machine_work(ticket: Ticket, step: Step, plan: str) -> str:
    assert step.technical is not None
    planned = ticket.plans.get(step.id)
    if step.technical.approver and planned is None:
        return f"inv ticket.plan {ticket.id}"
    if step.technical.approver and planned and planned.approved_by is None:
        return f"inv ticket.approve {ticket.id} --plan {plan}"
    own = step.technical.module in MODULE_COMMANDS
    return f"inv {step.technical.module if own else 'ticket.run'} {ticket.id}"


def _unforeseen(task: Unforeseen) -> Iterator[str]:
    """Yield the lines that tell a task whose effect nobody can foresee."""
    part = f"{task.part}: " if task.part else ""
    yield f"  ! {FORESIGHT[task.kind]}, effect cannot be foreseen: {part}{task.task}"
    yield from (f"  !   {line}" for line in f"{task.module}: {task.arguments}".splitlines())
    nothing = f"; by the playbook's word it leaves nothing: {task.leaves_nothing}" if task.leaves_nothing else ""
    yield f"  !   {task.place}: {task.why}{nothing}"


def tell_plan(here: App, ticket: Ticket, record: PlanRecord, *, json: bool) -> None:
    """Print a plan as the approver sees it: targets, lines, difference."""
    mask = mask_in(here, ticket)
    if json:
        print_json(mask({"ticket": ticket.id, "digest": record.plan.digest, **record.as_json()}))
        return
    tell_lines(ticket, plan_lines(record), mask, full=False)
    tell_standing(here, ticket)


def mask_in(here: App, ticket: Ticket) -> Mask:
    """Return what masks the personal numbers that a ticket was told."""
    from sopauto.tickets.personal import mask_of

    with here.store.read() as reader:
        return mask_of(here.procedure_of(ticket, reader), reader.entries(ticket.id))


def plan_lines(record: PlanRecord) -> list[str]:
    """Return a plan line by line: what would be sent, what would differ, with which parameters and files."""
    plan = record.plan
    return [
        f"plan {plan.digest[:SHORT]} of {plan.module} on {', '.join(plan.targets)}",
        *([f"  login {', '.join(plan.logins)} of sopauto.toml"] if plan.logins else []),
        *(f"  | {line}" for line in plan.lines or (() if plan.unforeseen else (AS_WANTED,))),
        *(line for task in plan.unforeseen for line in _unforeseen(task)),
        *(f"  differs from run to run: {varies}" for varies in plan.varies),
        *(f"  {line}" for line in plan.diff.splitlines()),
        *(f"  with {name}: {compact(value)}" for name, value in sorted(plan.parameters.items())),
        *(f"  file {name} {digest[:SHORT]}" for name, digest in record.materials.items()),
    ]


def compact(value: Any) -> str:
    """Return a value on one line."""
    return value if isinstance(value, str) else dumps(value, ensure_ascii=False, default=str)


def tell_lines(ticket: Ticket, lines: Sequence[str], mask: Mask, *, full: bool) -> bool:
    """Print the lines of a plan, a long one folded unless all of it is wanted; return whether all was printed."""
    lines = [mask(line) for line in lines]
    shown = list(lines) if full else [line if len(line) <= WIDEST else f"{line[:WIDEST]}…" for line in lines]
    left = 0 if full else max(len(lines) - MOST, 0)
    if left:
        shown[HEAD : HEAD + left] = [f"  … {left} lines more …"]
    for line in shown:
        say(line)
    whole = shown == lines
    if not whole:
        hint(f"  folded; all of it: inv ticket.show {ticket.id} --full")
    return whole


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
        empty=as_typed("no tickets; open one with `inv ticket.open LETTER`"),
    )
    if len(rows) == limit:
        hint(f"more: inv ticket.list --after {rows[-1].id}")


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
