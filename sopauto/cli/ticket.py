"""Tickets: open one from a letter, act on it, see where it stands, verify and export it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sopauto.cli.console import Context, app, command, told_after
from sopauto.cli.running import HELP, desk_of, run_module, send_mail
from sopauto.cli.ticket_audit import anchor, export, verify
from sopauto.cli.ticket_paper import paper, papers
from sopauto.errors import BadInput, StepFailed

if TYPE_CHECKING:
    from sopauto.tickets.model import Verb

__all__ = [
    "anchor",
    "approve",
    "cancel",
    "done",
    "export",
    "list_",
    "open_",
    "paper",
    "papers",
    "plan",
    "reject",
    "remind",
    "run",
    "settle",
    "show",
    "verify",
]

ACT_HELP = HELP | {
    "note": "a remark that is signed with the action",
    "data": "YAML or JSON file with what the step asks for",
    "set": "one thing that the step asks for, as name=value (may be given several times)",
}
PLAN_HELP = "digest of the plan that you answer (at least 12 digits); a plan that was replaced meanwhile is refused"


@command(name="open", help=HELP | {"letter": "YAML or JSON file with the letter", "note": ACT_HELP["note"]})
def open_(c: Context, letter: str, as_: str = "", key: str = "", note: str = "", json: bool = False) -> None:
    """Open a ticket from a letter. Example: `inv ticket.open surat.yaml --as budi`."""
    from sopauto.cli.ticket_text import tell_action
    from sopauto.tickets.acting import open_from_letter
    from sopauto.tickets.letter import read_letter

    desk, person = desk_of(c, as_, key, json=json)
    ticket = open_from_letter(desk, read_letter(Path(letter)), person=person, note=note, where=letter)
    tell_action(app(c), ticket, "opened", json=json)


@command(
    name="list",
    help={
        "state": "only tickets that are open, waiting, done, rejected or cancelled",
        "sop": "only tickets of this SOP",
        "overdue": "only tickets whose present step is late",
        "limit": "how many (default: 50)",
        "after": "the last id of the page before",
        "json": HELP["json"],
    },
)
def list_(
    c: Context,
    state: str = "",
    sop: str = "",
    overdue: bool = False,
    limit: int = 50,
    after: str = "",
    json: bool = False,
) -> None:
    """List tickets, the newest first."""
    from sopauto.cli.ticket_text import tell_list
    from sopauto.tickets.model import State

    if state and state not in list(State):
        raise BadInput(f"unknown state {state}", where="--state", mend=f"use one of {', '.join(State)}")
    here = app(c)
    with here.store.read() as reader:
        rows = reader.rows(
            limit=limit,
            after=after or None,
            state=State(state) if state else None,
            procedure=sop or None,
            overdue_at=here.clock.now() if overdue else None,
        )
    tell_list(here, rows, limit=limit, json=json)


@command(
    help={
        "ticket": HELP["ticket"],
        "as": "who looks (default: $SOPAUTO_AS): a plan that was shown can be approved without naming it",
        "full": "print all of a long plan",
        "json": HELP["json"],
    }
)
def show(c: Context, ticket: str, as_: str = "", full: bool = False, json: bool = False) -> None:
    """Show where a ticket stands, who is next, what was stated, the plan to approve, its papers and its history."""
    from sopauto.cli.ticket_sheet import tell_ticket

    person = as_ or os.environ.get("SOPAUTO_AS", "")
    tell_ticket(app(c), ticket, person=person, full=full, json=json)


@command(help=ACT_HELP | {"plan": PLAN_HELP}, iterable=["set"])
def approve(
    c: Context,
    ticket: str,
    as_: str = "",
    key: str = "",
    note: str = "",
    plan: str = "",
    data: str = "",
    set: list[str] | None = None,
    json: bool = False,
) -> None:
    """Approve the present row (ya), and the plan that belongs to it: the one named, or that you were shown."""
    from sopauto.tickets.model import Verb

    _act(c, ticket, Verb.APPROVE, (as_, key, note), _given(data, set), seen_plan=plan or None, json=json)


@command(help=ACT_HELP | {"plan": PLAN_HELP}, iterable=["set"])
def reject(
    c: Context,
    ticket: str,
    as_: str = "",
    key: str = "",
    note: str = "",
    plan: str = "",
    data: str = "",
    set: list[str] | None = None,
    json: bool = False,
) -> None:
    """Answer no (tidak), send a plan back, or return the row to where the SOP says."""
    from sopauto.tickets.model import Verb

    _act(c, ticket, Verb.REJECT, (as_, key, note), _given(data, set), seen_plan=plan or None, json=json)


@command(help=ACT_HELP, iterable=["set"])
def done(
    c: Context,
    ticket: str,
    as_: str = "",
    key: str = "",
    note: str = "",
    data: str = "",
    set: list[str] | None = None,
    json: bool = False,
) -> None:
    """Say that the present row is done. Example: `inv ticket.done PS-2026-0001 --set waktu_penitipan="…"`."""
    from sopauto.tickets.model import Verb

    _act(c, ticket, Verb.DONE, (as_, key, note), _given(data, set), json=json)


@command(help=HELP | {"note": ACT_HELP["note"]})
def cancel(c: Context, ticket: str, as_: str = "", key: str = "", note: str = "", json: bool = False) -> None:
    """Withdraw a request (the applicant, or whose row 1 is; while no machine was changed)."""
    from sopauto.tickets.model import Verb

    _act(c, ticket, Verb.CANCEL, (as_, key, note), {}, json=json)


@command(name="mend-clock", help=HELP | {"note": "what the clock did, and how you know (signed)"})
def mend_clock(c: Context, ticket: str, as_: str = "", key: str = "", note: str = "", json: bool = False) -> None:
    """Record that entries bear times of a clock that was wrong, so that the ticket goes on (who may act at its row)."""
    from sopauto.cli.ticket_text import tell_action
    from sopauto.tickets.mending import mend_clock as mend

    desk, person = desk_of(c, as_, key, json=json)
    tell_action(app(c), mend(desk, ticket, person=person, note=note), "mended", json=json)


@command(help=HELP)
def wake(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Look for room anew for a ticket that waits: after new racks came (a leaving server wakes by itself)."""
    from sopauto.cli.ticket_text import tell_action
    from sopauto.tickets.acting import wake as wake_ticket

    desk, person = desk_of(c, as_, key, json=json)
    tell_action(app(c), wake_ticket(desk, ticket, person=person), "woken", json=json)


@command(help={"json": HELP["json"]})
def remind(c: Context, json: bool = False) -> None:
    """Remind of overdue rows, each once, and tell the superior later. Let a timer repeat it."""
    from sopauto.cli.reminder_text import tell_reminders
    from sopauto.tickets.reminding import remind as remind_all

    here = app(c)
    notices = remind_all(here.reminding())
    tell_reminders(here, notices, json=json)
    send_mail(here, json=json)
    faults = sum(bool(notice.fault) for notice in notices)
    if faults:
        raise StepFailed(f"{faults} of {len(notices)} overdue tickets could not be looked after", mend="see above")


@command(help=HELP | {"note": ACT_HELP["note"]})
def plan(c: Context, ticket: str, as_: str = "", key: str = "", note: str = "", json: bool = False) -> None:
    """Read the machine and attach the plan of what would be done, for approval. Changes nothing."""
    from sopauto.cli.ticket_text import tell_plan
    from sopauto.tickets.running import make_plan

    desk, person = desk_of(c, as_, key, json=json)
    after, record = make_plan(desk, ticket, person=person, note=note)
    with told_after(after.id, json=json):
        tell_plan(app(c), after, record, json=json)


@command(help=HELP)
def run(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Carry out the ticket's machine work, exactly as approved."""
    run_module(c, ticket, None, person=as_, key=key, json=json)


@command(
    help=HELP
    | {
        "outcome": "what you found: done or not-begun",
        "undo": "bring the machine back to the state before first (then it counts as not begun)",
        "note": "what you saw on the machine (signed)",
    }
)
def settle(
    c: Context,
    ticket: str,
    outcome: str = "",
    note: str = "",
    undo: bool = False,
    as_: str = "",
    key: str = "",
    json: bool = False,
) -> None:
    """Decide an attempt whose outcome is unknown, after looking at the machine."""
    from sopauto.cli.ticket_text import tell_action
    from sopauto.tickets.model import Outcome
    from sopauto.tickets.running import settle as settle_attempt
    from sopauto.tickets.running import undo as undo_attempt

    desk, person = desk_of(c, as_, key, json=json)
    if undo:
        after = undo_attempt(desk, ticket, person=person, note=note)
    elif outcome in {Outcome.DONE, Outcome.NOT_BEGUN}:
        after = settle_attempt(desk, ticket, person=person, outcome=Outcome(outcome), note=note)
    else:
        raise BadInput(
            "say what you found", where="--outcome", mend="`--outcome done`, `--outcome not-begun` or `--undo`"
        )
    tell_action(app(c), after, "settled", json=json)


def _act(
    c: Context,
    ticket: str,
    verb: Verb,
    who: tuple[str, str, str],
    data: dict[str, Any],
    *,
    seen_plan: str | None = None,
    json: bool,
) -> None:
    from sopauto.cli.ticket_text import tell_action
    from sopauto.tickets.acting import act

    person, key, note = who
    desk, person = desk_of(c, person, key, json=json)
    after = act(desk, ticket, verb, person=person, note=note, data=data, seen_plan=seen_plan)
    with told_after(after.id, json=json):
        send_mail(app(c), json=json)
        tell_action(app(c), after, verb.value, json=json)


def _given(file: str, pairs: list[str] | None) -> dict[str, Any]:
    """Return what `--data` and `--set` state; raises BadInput."""
    from sopauto.tickets.letter import read_data

    given = read_data(Path(file)) if file else {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        name = name.strip()
        if not equals or not name:
            raise BadInput(f"{pair!r} is not name=value", where="--set", mend='write --set name="value"')
        if name in given:
            raise BadInput(f"{name!r} is stated twice", where="--set", mend="state it once")
        given[name] = value
    return given
