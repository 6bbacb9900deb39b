"""Reviews of access and its end by rule: for the operator, the Kasi and a timer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sopauto.access.register import BOOK
from sopauto.cli.console import Context, app, command, hint, print_json, say, table
from sopauto.cli.running import HELP, desk_of, send_mail
from sopauto.cli.typed import as_typed, one_line
from sopauto.errors import BadInput, SopautoError, StepFailed

if TYPE_CHECKING:
    from sopauto.access.ending import Removal
    from sopauto.access.model import Answer
    from sopauto.app import App


@command(help={"as": HELP["as"], "key": HELP["key"], "json": HELP["json"]})
def review(c: Context, as_: str = "", key: str = "", json: bool = False) -> None:
    """Open the reviews that are due, one for each Kasi, with their forms filled. Run again, it opens nothing twice."""
    from sopauto.access.review import due_reviewers, open_review

    here = app(c)
    desk, person = desk_of(c, as_, key, json=json)
    with here.store.read() as reader:
        due = due_reviewers(reader, here.settings.access, here.clock.now().date())
    units = [holding.unit for holding in here.people.holdings if holding.person == person]
    if not units:
        raise BadInput(f"{person} holds no position", where=here.people.source, mend="add `memegang`")
    if due:
        _compare(here, json=json)
    opened, faults = [], []
    for reviewer in due:
        try:
            opened.append((open_review(desk, reviewer, person=person, unit=units[0]), reviewer))
        except (BadInput, StepFailed) as error:
            if not opened and isinstance(error, BadInput):
                raise
            faults.append(one_line(error))
    send_mail(here, json=json)
    if json:
        print_json([{"ticket": ticket.id, "reviewer": reviewer} for ticket, reviewer in opened])
    else:
        for ticket, reviewer in opened:
            say(f"{ticket.id}: {ticket.data['jumlah_akses']} lines for {reviewer}")
            hint(f"  type: inv access.lines {ticket.id}")
        if not due:
            say("no review is due")
    if faults:
        raise StepFailed(f"{len(faults)} of {len(due)} reviews: {faults[0]}")


@command(help={"ticket": "the review's id, such as RA-2026-0001", "json": HELP["json"]})
def lines(c: Context, ticket: str, json: bool = False) -> None:
    """List the lines of a review: who has access, and what was answered."""
    from sopauto.tickets.personal import masked

    here = app(c)
    with here.store.read() as reader:
        reader.ticket(ticket)
        found = reader.part(BOOK).lines(ticket)
    rows = [
        [
            line.grant.card,
            line.grant.request.name,
            masked(line.grant.request.identity),
            line.grant.unit,
            ", ".join(line.grant.request.zones),
            line.grant.request.valid_until or "without end",
            line.grant.state.value,
            line.answer.value if line.answer else "",
            line.by,
        ]
        for line in found
    ]
    columns = ["card", "name", "identity", "unit", "zones", "until", "state", "answer", "by"]
    if json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    table(columns, rows, empty="the review has no lines")
    if any(line.answer is None for line in found):
        hint(f"  type: inv access.answer {ticket} --confirm CARD --withdraw CARD  or  --confirm all")


@command(
    help={
        "ticket": "the review's id, such as RA-2026-0001",
        "confirm": "a card that stays, or `all` that are not answered yet (several times)",
        "withdraw": "a card that is taken back (several times)",
        "file": "YAML or JSON file: card number → dipertahankan or dicabut",
        "as": HELP["as"],
        "key": HELP["key"],
        "json": HELP["json"],
    },
    iterable=["confirm", "withdraw"],
)
def answer(
    c: Context,
    ticket: str,
    confirm: list[str] | None = None,
    withdraw: list[str] | None = None,
    file: str = "",
    as_: str = "",
    key: str = "",
    json: bool = False,
) -> None:
    """Confirm or withdraw lines of a review; the answers are signed by the Kasi in one entry (review.2)."""
    from sopauto.access.review import answer as answer_lines
    from sopauto.cli.ticket_text import tell_action

    desk, person = desk_of(c, as_, key, json=json)
    after = answer_lines(desk, ticket, _answers(c, ticket, confirm or [], withdraw or [], file), person=person)
    tell_action(app(c), after, "answered", json=json)


@command(help={"json": HELP["json"]})
def expire(c: Context, json: bool = False) -> None:
    """End access that is over: its last day passed, or its holder left. Tries doors again that did not answer."""
    from sopauto.access.ending import ending

    here = app(c)
    _tell_removals(ending(here.store, here.workspace).run(), json=json)


@command(help={"json": HELP["json"]})
def remind(c: Context, json: bool = False) -> None:
    """Remind each Kasi of a review that waits, once; later suspend what is still open. Let a timer repeat it."""
    from functools import partial

    from sopauto.access.ending import ending
    from sopauto.access.letters import review_letter
    from sopauto.access.reminding import remind_reviewers

    here = app(c)
    reminded = remind_reviewers(ending(here.store, here.workspace), partial(review_letter, here.settings))
    send_mail(here, json=json)
    if not json:
        rows = [[r.silent.ticket.id, len(r.silent.lines), ", ".join(r.to), len(r.removals)] for r in reminded]
        table(["review", "unanswered", "reminded", "suspended"], rows, empty="no review waits")
    _tell_removals([removal for each in reminded for removal in each.removals], json=json)


def _compare(here: App, *, json: bool) -> None:
    """Hold the doors against the register before it is reviewed; what differs is told, and keeps no review waiting."""
    from sopauto.access.comparing import comparing

    out = sys.stderr if json else None
    try:
        found = list(comparing(here.store, here.workspace).run())
    except SopautoError as error:
        say(f"  doors: not compared ({one_line(error)})", to=out)
        return
    for each in found:
        again = as_typed("; it is to be ended again by `inv access.expire`") if each.reopened else ""
        say(f"  door {each.door}{f', card {each.card}' if each.card else ''}: {each.told}{again}", to=out)


def _answers(c: Context, ticket: str, confirm: list[str], withdraw: list[str], file: str) -> dict[str, Answer]:
    from sopauto.access.model import Answer
    from sopauto.tickets.letter import read_data

    given: dict[str, Any] = read_data(Path(file)) if file else {}
    known = {Answer.CONFIRMED.value: Answer.CONFIRMED, Answer.WITHDRAWN.value: Answer.WITHDRAWN}
    for card, word in given.items():
        if word not in known:
            raise BadInput(
                f"{str(word)[:40]!r} is no answer", where=f"{file} {card}", mend=f"write {' or '.join(known)}"
            )
    answers = {card: known[word] for card, word in given.items()}
    answers |= dict.fromkeys(withdraw, Answer.WITHDRAWN)
    if "all" in confirm:
        with app(c).store.read() as reader:
            open_ = [line.grant.card for line in reader.part(BOOK).lines(ticket) if line.answer is None]
        confirm = [card for card in open_ if card not in answers]
    if twice := sorted(set(confirm) & set(answers)):
        raise BadInput(f"card {twice[0]} is answered twice", where=ticket, mend="answer it once")
    return {**answers, **dict.fromkeys(confirm, Answer.CONFIRMED)}


def _tell_removals(removals: Sequence[Removal], *, json: bool) -> None:
    """Print what ended, and raise StepFailed where a door has not confirmed it."""
    rows = [[r.grant.card, r.grant.ticket, r.grant.state.value, r.grant.reason, r.before, r.fault] for r in removals]
    columns = ["card", "ticket", "state", "reason", "before", "fault"]
    if json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        table(columns, rows, empty="nothing is to be removed")
    faults = [removal for removal in removals if removal.fault]
    if faults:
        what = f"{len(faults)} cards may still open a door: {faults[0].fault}"
        raise StepFailed(what, mend="`inv access.expire` tries again")
