"""Grants, spans, reviews and entries in the database. Fulfils `access.register.Book`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, exists, func, insert, literal, or_, select, update

from sopauto.access.model import LIVE, Answer, Event, Grant, Held, Kind, Line, Request, Span, State
from sopauto.access.tables import events, grants, reviews, spans
from sopauto.errors import Conflict

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

BATCH: Final = 500
"""Rows that are in memory at once where many are read or written."""
FOREVER: Final = date.max


class SqlBook:
    """Who may enter, read and changed inside the transaction that it belongs to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def grant(self, ticket: str) -> Grant | None:
        """Return the grant that a ticket asked for (None: it was not approved)."""
        return self._one(grants.c.ticket == ticket)

    def of_card(self, card: str) -> Grant | None:
        """Return the grant of a card (None: the register does not know it)."""
        return self._one(grants.c.card == card)

    def in_states(self, states: Iterable[State]) -> Sequence[Grant]:
        """Return the grants that stand so, by card."""
        return self._grants(grants.c.state.in_([state.value for state in states]))

    def overlapping(self, identity: str, first: date, last: date | None) -> Sequence[Grant]:
        """Return a person's grants that are not over and are valid on one of these days (None: without end)."""
        c = grants.c
        still = or_(c.valid_until.is_(None), c.valid_until >= first)
        return self._grants(c.identity == identity, _live(), c.valid_from <= (last or FOREVER), still)

    def expired(self, day: date) -> Sequence[Grant]:
        """Return the grants that are not over though their last day lies before this one, by card."""
        return self._grants(_live(), grants.c.valid_until < day)

    def next_serial(self, first: int, last: int) -> int | None:
        """Return the next card number of a range; a number is given once (None: the range is used up)."""
        c = grants.c
        highest = self._connection.scalar(select(func.max(c.serial)).where(c.serial.between(first, last)))
        following = first if highest is None else highest + 1
        return following if following <= last else None

    def held(self, begin: datetime, end: datetime, day: date) -> Iterator[Held]:
        """Yield who had access at some moment of a day, by card, without holding all of them in memory."""
        g, s = grants.c, spans.c
        there = and_(s.opened_at < end, or_(s.closed_at.is_(None), s.closed_at > begin))
        valid = and_(g.valid_from <= day, or_(g.valid_until.is_(None), g.valid_until >= day))
        query = select(grants, s.opened_at, s.opened_by, s.closed_at, s.closed_by).join(spans, s.ticket == g.ticket)
        for row in self._stream(query.where(there, valid).order_by(g.card, s.opened_at)):
            names = ("ticket", "opened_at", "opened_by", "closed_at", "closed_by")
            yield Held(grant=_grant(row), span=Span(**{name: row[name] for name in names}))

    def add(self, grant: Grant) -> None:
        """Keep a new grant; its keys refuse a second one of the ticket or the card."""
        self._connection.execute(insert(grants).values(_row(grant)))

    def move(
        self, grant: Grant, state: State, *, reason: str = "", fault: str = "", faulty_since: datetime | None = None
    ) -> None:
        """Write how a grant stands; raises Conflict when it stands otherwise than `grant` says."""
        c = grants.c
        changed = self._connection.execute(
            update(grants)
            .where(c.ticket == grant.ticket, c.state == grant.state.value)
            .values(state=state.value, reason=reason, fault=fault, faulty_since=faulty_since)
        )
        if changed.rowcount != 1:
            raise Conflict(
                f"somebody changed the access of card {grant.card} meanwhile; nothing was written",
                mend="look again with `inv access.register`",
            )

    def card_made(self, ticket: str, at: datetime) -> None:
        """Record that the card of a grant was printed."""
        c = grants.c
        self._connection.execute(update(grants).where(c.ticket == ticket).values(card_made_at=at))

    def open_span(self, ticket: str, at: datetime, by: str) -> None:
        """Record that the doors know the card; its key refuses a second open span."""
        self._connection.execute(insert(spans).values(ticket=ticket, opened_at=at, opened_by=by, closed_by=""))

    def close_span(self, ticket: str, at: datetime, by: str) -> None:
        """Record that no door knows the card any more; nothing happens where none did."""
        c = spans.c
        self._connection.execute(
            update(spans).where(c.ticket == ticket, c.closed_at.is_(None)).values(closed_at=at, closed_by=by)
        )

    def start_review(self, review: str, grants: Iterable[str], at: datetime) -> None:
        """Keep the lines of a review."""
        rows = ({"review": review, "ticket": ticket, "started_at": at, "by": ""} for ticket in grants)
        for batch in _batches(rows):
            self._connection.execute(insert(reviews), batch)

    def lines(self, review: str) -> Sequence[Line]:
        """Return the lines of a review, by card."""
        r = reviews.c
        query = select(grants, r.review, r.answer, r.by, r.at).join(reviews, r.ticket == grants.c.ticket)
        rows = self._connection.execute(query.where(r.review == review).order_by(grants.c.card)).mappings()
        return [
            Line(
                review=row["review"],
                grant=_grant(row),
                answer=Answer(row["answer"]) if row["answer"] else None,
                by=row["by"],
                at=row["at"],
            )
            for row in rows
        ]

    def answer(self, review: str, grant: str, answer: Answer, *, by: str, at: datetime) -> None:
        """Write the answer to a line; raises Conflict when it has one."""
        r = reviews.c
        changed = self._connection.execute(
            update(reviews)
            .where(r.review == review, r.ticket == grant, r.answer.is_(None))
            .values(answer=answer.value, by=by, at=at)
        )
        if changed.rowcount != 1:
            raise Conflict(f"the line of {grant} in {review} was answered meanwhile", mend="look again, then repeat")

    def reviewed(self, grant: str) -> datetime | None:
        """Return when a line of this grant was last confirmed."""
        r = reviews.c
        query = select(func.max(r.at)).where(r.ticket == grant, r.answer == Answer.CONFIRMED.value)
        at: datetime | None = self._connection.scalar(query)
        return at

    def add_events(self, events_: Iterable[Event]) -> tuple[int, int]:
        """Keep events; return how many were new and how many were known before."""
        added = known = 0
        for batch in _batches({(e.at, e.card, e.zone): e for e in events_}.values()):
            new = [event for event in batch if not self._has(event)]
            if new:
                names = ("at", "day", "card", "zone")
                rows = [{name: getattr(event, name) for name in names} for event in new]
                self._connection.execute(insert(events), rows)
            added, known = added + len(new), known + len(batch) - len(new)
        return added, known

    def entered(self, begin: datetime, end: datetime, *, without_right: bool) -> Iterator[tuple[Event, str, str]]:
        """Yield events with ticket and name of the card's grant; `without_right`: only of cards with none there."""
        e, g, s = events.c, grants.c, spans.c
        open_then = exists().where(
            s.ticket == g.ticket, s.opened_at <= e.at, or_(s.closed_at.is_(None), s.closed_at > e.at)
        )
        valid = and_(g.valid_from <= e.day, or_(g.valid_until.is_(None), g.valid_until >= e.day))
        of_zone = g.zones.like(literal("%,") + e.zone + literal(",%"))
        query = (
            select(events, g.ticket, g.name)
            .outerjoin(grants, g.card == e.card)
            .where(e.at >= begin, e.at < end)
            .order_by(e.at, e.card)
        )
        if without_right:
            query = query.where(or_(g.ticket.is_(None), ~and_(open_then, valid, of_zone)))
        for row in self._stream(query):
            event = Event(at=row["at"], day=row["day"], card=row["card"], zone=row["zone"])
            yield event, row["ticket"] or "", row["name"] or ""

    def _has(self, event: Event) -> bool:
        e = events.c
        query = select(e.card).where(e.at == event.at, e.card == event.card, e.zone == event.zone)
        return self._connection.scalar(query) is not None

    def _one(self, condition: ColumnElement[bool]) -> Grant | None:
        row = self._connection.execute(select(grants).where(condition)).mappings().first()
        return None if row is None else _grant(row)

    def _grants(self, *conditions: ColumnElement[bool]) -> Sequence[Grant]:
        rows = self._connection.execute(select(grants).where(*conditions).order_by(grants.c.card)).mappings()
        return [_grant(row) for row in rows]

    def _stream(self, query: Any) -> Iterator[Mapping[str, Any]]:
        result = self._connection.execute(query, execution_options={"yield_per": BATCH})
        yield from (dict(row) for row in result.mappings())


def _live() -> ColumnElement[bool]:
    return grants.c.state.in_(sorted(state.value for state in LIVE))


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


REQUESTED: Final = ("name", "identity", "purpose", "valid_from", "valid_until", "escort")
OWN: Final = (
    "ticket",
    "serial",
    "card",
    "unit",
    "approved_by",
    "approved_at",
    "reason",
    "fault",
    "faulty_since",
    "card_made_at",
)


def _row(grant: Grant) -> dict[str, Any]:
    """Return a grant as a row of its table."""
    request = grant.request
    return {
        **{name: getattr(grant, name) for name in OWN},
        **{name: getattr(request, name) for name in REQUESTED},
        "kind": request.kind.value,
        "zones": f",{','.join(request.zones)},",
        "state": grant.state.value,
    }


def _grant(row: Mapping[Any, Any]) -> Grant:
    request = Request(
        **{name: row[name] for name in REQUESTED},
        kind=Kind(row["kind"]),
        zones=tuple(row["zones"].strip(",").split(",")),
    )
    return Grant(**{name: row[name] for name in OWN}, request=request, state=State(row["state"]))
