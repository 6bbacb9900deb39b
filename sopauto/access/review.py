"""The periodic review: forms made for each Kasi, lines answered and signed, the silent reminded (SOP 004, review)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sopauto.access.effects import REVIEWER
from sopauto.access.model import Answer, Grant, Line
from sopauto.access.register import BOOK
from sopauto.access_settings import Access
from sopauto.errors import BadInput, Refused
from sopauto.tickets.acting import act, open_from_letter, prepare
from sopauto.tickets.contention import Seen, until_kept
from sopauto.tickets.desk import Desk
from sopauto.tickets.duties import take_position
from sopauto.tickets.model import Action, Letter, State, Ticket, Verb
from sopauto.tickets.record import commit
from sopauto.tickets.storage import Reader, Store, Writer
from sopauto.tickets.timing import moment
from sopauto.work import Artifact, canonical

SOP: Final = "review-akses"
ANSWERS: Final = {Answer.CONFIRMED, Answer.WITHDRAWN}
FILE: Final = "jawaban-review.json"
PAGE: Final = 200


def months_before(day: date, months: int) -> date:
    """Return the day so many months before; the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def due_reviewers(reader: Reader, access: Access, today: date) -> list[str]:
    """Return the positions whose zones were not reviewed for `review_months`, and of which no review is open."""
    since = months_before(today, access.review_months)
    recent = {
        str(ticket.letter[REVIEWER])
        for ticket in _reviews(reader)
        if ticket.is_open or (ticket.state is State.DONE and ticket.opened_at.date() > since)
    }
    return sorted({zone.reviewer for zone in access.zones.values()} - recent)


def open_review(desk: Desk, reviewer: str, *, person: str, unit: str) -> Ticket:
    """Open the review of a position's zones and fill its form (row 1).

    Raises: Refused (not the operator), StepFailed (it is open, and its form could not be filled).
    """
    today = desk.today()
    fields = {
        "tanggal": today.isoformat(),
        "perihal": f"Review akses ruang server oleh {desk.people.position(reviewer).title}",
        "peninjau": reviewer,
        "masa_dari": months_before(today, desk.workspace.settings.access.review_months).isoformat(),
        "masa_sampai": today.isoformat(),
    }
    letter = Letter(procedure=SOP, unit=unit, applicant=person, fields=fields)
    ticket = open_from_letter(desk, letter, person=person)
    return act(desk, ticket.id, Verb.DONE, person=person, seen_plan=None)


def answer(desk: Desk, review: str, answers: Mapping[str, Answer], *, person: str) -> Ticket:
    """Record a Kasi's answers by card number, in one entry that the Kasi signs (row 2). Lines may be left for later.

    Raises: BadInput (a card is not in the review), Refused (not the reviewer, answered before), Conflict.
    """
    return until_kept(desk, lambda seen: _answer_once(desk, seen, review, answers, person))


def _answer_once(desk: Desk, seen: Seen, review: str, answers: Mapping[str, Answer], person: str) -> Ticket:
    with desk.store.read() as reader:
        ticket = seen.of(reader, review)
        procedure = desk.procedure_of(ticket, reader)
        if ticket.procedure != SOP or procedure.step(ticket.step).effect != "review-dijawab":
            raise Refused(f"{review} does not wait for answers", mend=f"see `inv ticket.show {review}`")
        position = take_position(procedure, ticket, Verb.EVIDENCE, person=person, people=desk.people, on=desk.today())
        _refuse_other_reviewer(desk, ticket, person)
        chosen = _chosen(reader.part(BOOK).lines(review), answers, review)
        at = moment(desk, reader, ticket)
        told = {line.grant.card: given.value for line, given in chosen}
        counts = {value.value: sum(given is value for _, given in chosen) for value in sorted(ANSWERS)}
        artifact = Artifact(name=FILE, media_type="application/json", content=canonical(told))
        action = Action(verb=Verb.EVIDENCE, person=person, position=position, at=at, note=_note(counts))

        def write(writer: Writer) -> None:
            for line, given in chosen:
                writer.part(BOOK).answer(review, line.grant.ticket, given, by=person, at=at)

        drafts = prepare(desk, reader, procedure, ticket, action, artifacts=(artifact,), changes=(write,))
    return commit(desk, drafts)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A review with lines that nobody answered, and since when the Kasi has it."""

    ticket: Ticket
    lines: tuple[Grant, ...]
    since: datetime

    def is_late(self, now: datetime, days: int) -> bool:
        """Tell whether so many days have passed."""
        return now >= self.since + timedelta(days=days)


def silent_reviews(store: Store) -> list[Silent]:
    """Return the open reviews with unanswered lines, the newest first."""
    with store.read() as reader:
        found = []
        for ticket in _reviews(reader):
            left = tuple(line.grant for line in reader.part(BOOK).lines(ticket.id) if line.answer is None)
            if ticket.is_open and left:
                found.append(Silent(ticket=ticket, lines=left, since=ticket.since))
        return found


def _reviews(reader: Reader) -> Iterator[Ticket]:
    """Yield the reviews, the newest first."""
    after: str | None = None
    while rows := reader.rows(limit=PAGE, after=after, procedure=SOP):
        yield from (reader.ticket(row.id) for row in rows)
        after = rows[-1].id


def _refuse_other_reviewer(desk: Desk, ticket: Ticket, person: str) -> None:
    reviewer = str(ticket.letter[REVIEWER])
    if not desk.people.holds(person, reviewer, desk.today()):
        title = desk.people.position(reviewer).title
        raise Refused(f"{person} is not {title}", where=ticket.id, mend="the reviewer answers")


def _chosen(lines: Sequence[Line], answers: Mapping[str, Answer], review: str) -> list[tuple[Line, Answer]]:
    by_card = {line.grant.card: line for line in lines}
    for card in answers:
        line = by_card.get(card)
        if line is None:
            raise BadInput(f"card {card[:40]!r} is not in this review", where=review, mend="see `inv access.lines`")
        if line.answer is not None:
            raise Refused(f"the line of card {card} was answered by {line.by}", where=review, mend="leave it out")
    if not answers:
        raise BadInput("no line is answered", where=review, mend="name cards with --confirm and --withdraw, or a file")
    return [(by_card[card], given) for card, given in answers.items()]


def _note(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {value}" for value, count in counts.items() if count)
