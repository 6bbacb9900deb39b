"""What every store keeps to about access: one card each, days and zones of a right, reviews, entries."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sopauto.access.model import Answer, Event, Grant, Kind, Request, State
from sopauto.access.register import BOOK
from sopauto.errors import Conflict
from sopauto.store.sqlstore import SqlStore
from tests.integration.store.test_store_contract import NOW, opened

DAY = date(2026, 11, 24)
BEGIN = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # the day in Jakarta
END = BEGIN + timedelta(days=1)
REQUEST = Request(
    name="Siti Rahmawati",
    identity="198703122010012004",
    kind=Kind.TEMPORARY,
    purpose="Pemeliharaan",
    zones=("ruang-server", "ruang-ups"),
    valid_from=date(2026, 11, 20),
    valid_until=date(2026, 11, 30),
)


def made(store: SqlStore, number: int = 1, **changes: Any) -> Grant:
    """Keep a grant of a ticket of its own."""
    ticket = opened(store, number).id
    grant = Grant(
        ticket=ticket,
        serial=number,
        card=f"KA-{number:04}",
        unit="dinkes",
        request=replace(REQUEST, **changes),
        approved_by="ratna",
        approved_at=NOW,
    )
    with store.write() as writer:
        writer.part(BOOK).add(grant)
    return grant


def entered(store: SqlStore, grant: Grant, *, at: datetime = BEGIN - timedelta(days=2)) -> Grant:
    with store.write() as writer:
        writer.part(BOOK).move(grant, State.ACTIVE)
        writer.part(BOOK).open_span(grant.ticket, at, "joko")
    return replace(grant, state=State.ACTIVE)


def test_a_grant_comes_back_as_it_was_kept(store: SqlStore) -> None:
    grant = made(store)
    with store.read() as reader:
        assert reader.part(BOOK).grant(grant.ticket) == reader.part(BOOK).of_card("KA-0001") == grant
        assert reader.part(BOOK).grant("PS-2026-0009") is None
        assert reader.part(BOOK).in_states([State.APPROVED]) == [grant]
        assert reader.part(BOOK).in_states([State.ACTIVE]) == []


def test_a_card_number_is_given_once_and_the_range_ends(store: SqlStore) -> None:
    with store.read() as reader:
        assert reader.part(BOOK).next_serial(1, 2) == 1
    grant = made(store, 1)
    made(store, 2)
    with store.write() as writer:
        writer.part(BOOK).move(grant, State.CANCELLED)
    with store.read() as reader:
        assert reader.part(BOOK).next_serial(1, 2) is None
        assert reader.part(BOOK).next_serial(1, 3) == 3
    ticket = opened(store, 3).id
    with pytest.raises(Conflict), store.write() as writer:
        writer.part(BOOK).add(replace(grant, ticket=ticket))


def test_a_persons_grants_overlap_by_day_until_they_are_over(store: SqlStore) -> None:
    grant = made(store)
    with store.write() as writer:
        book = writer.part(BOOK)
        assert book.overlapping(REQUEST.identity, date(2026, 11, 30), None) == [grant]
        assert book.overlapping(REQUEST.identity, date(2026, 12, 1), None) == []
        assert book.overlapping(REQUEST.identity, date(2026, 11, 1), date(2026, 11, 19)) == []
        assert book.overlapping("0" * 18, date(2026, 11, 20), None) == []
        book.move(grant, State.ENDED)
        assert book.overlapping(REQUEST.identity, date(2026, 11, 20), None) == []


def test_expired_are_those_past_their_last_day_and_not_over(store: SqlStore) -> None:
    grant = made(store)
    made(store, 2, valid_until=None, kind=Kind.PERMANENT)
    with store.read() as reader:
        assert reader.part(BOOK).expired(date(2026, 11, 30)) == []
        assert reader.part(BOOK).expired(date(2026, 12, 1)) == [grant]


def test_two_who_change_a_grant_at_once_are_told_apart(store: SqlStore) -> None:
    grant = made(store)
    entered(store, grant)
    with pytest.raises(Conflict), store.write() as writer:
        writer.part(BOOK).move(grant, State.CANCELLED)
    with pytest.raises(Conflict), store.write() as writer:
        writer.part(BOOK).open_span(grant.ticket, NOW, "joko")


def test_the_register_of_a_day_follows_doors_and_days(store: SqlStore) -> None:
    grant = entered(store, made(store))
    entered(store, made(store, 2, valid_from=date(2026, 11, 25)))
    made(store, 3)
    closed = BEGIN + timedelta(hours=1)
    with store.write() as writer:
        [held] = writer.part(BOOK).held(BEGIN, END, DAY)
        assert (held.grant, held.span.opened_by, held.span.closed_at) == (grant, "joko", None)
        writer.part(BOOK).close_span(grant.ticket, closed, "joko")
        [held] = writer.part(BOOK).held(BEGIN, END, DAY)
        assert held.span.closed_at == closed
        assert [
            h.grant.card for h in writer.part(BOOK).held(END, END + timedelta(days=1), DAY + timedelta(days=1))
        ] == ["KA-0002"]


def test_entries_without_right_are_listed_with_the_reason_in_reach(store: SqlStore) -> None:
    grant = entered(store, made(store))
    with store.write() as writer:
        writer.part(BOOK).close_span(grant.ticket, BEGIN + timedelta(hours=5), "joko")
    times = {hours: BEGIN + timedelta(hours=hours) for hours in (1, 2, 3, 6)}
    events = [
        Event(at=times[1], day=DAY, card="KA-0001", zone="ruang-server"),  # had a right
        Event(at=times[2], day=DAY, card="KA-0001", zone="ruang-bank"),  # not to this zone
        Event(at=times[3], day=DAY, card="KA-9999", zone="ruang-server"),  # nobody's card
        Event(at=times[6], day=DAY, card="KA-0001", zone="ruang-server"),  # after the removal
    ]
    with store.write() as writer:
        assert writer.part(BOOK).add_events(events) == (4, 0)
        assert writer.part(BOOK).add_events([*events, replace(events[0], at=BEGIN - timedelta(days=30))]) == (1, 4)
        found = list(writer.part(BOOK).entered(BEGIN, END, without_right=True))
        assert len(list(writer.part(BOOK).entered(BEGIN, END, without_right=False))) == 4
    assert [(event.at, ticket) for event, ticket, _ in found] == [
        (times[2], grant.ticket),
        (times[3], ""),
        (times[6], grant.ticket),
    ]


def test_a_line_of_a_review_is_answered_once(store: SqlStore) -> None:
    grant = entered(store, made(store))
    review = opened(store, 2).id
    with store.write() as writer:
        writer.part(BOOK).start_review(review, [grant.ticket], NOW)
        assert writer.part(BOOK).reviewed(grant.ticket) is None
        [line] = writer.part(BOOK).lines(review)
        assert (line.grant, line.answer) == (grant, None)
        writer.part(BOOK).answer(review, grant.ticket, Answer.CONFIRMED, by="bambang", at=NOW)
        assert writer.part(BOOK).reviewed(grant.ticket) == NOW
    with pytest.raises(Conflict), store.write() as writer:
        writer.part(BOOK).answer(review, grant.ticket, Answer.WITHDRAWN, by="bambang", at=NOW)
    with store.read() as reader:
        assert reader.part(BOOK).lines(review)[0].answer is Answer.CONFIRMED


def test_two_approvals_of_one_person_at_once_keep_one(store: SqlStore) -> None:
    tickets = [opened(store, number).id for number in (1, 2)]

    def approve(number: int) -> bool:
        grant = Grant(
            ticket=tickets[number - 1],
            serial=number,
            card=f"KA-{number:04}",
            unit="dinkes",
            request=REQUEST,
            approved_by="ratna",
            approved_at=NOW,
        )
        try:
            with store.write() as writer:
                if writer.part(BOOK).overlapping(REQUEST.identity, REQUEST.valid_from, REQUEST.valid_until):
                    raise Conflict("seen")
                time.sleep(0.3)
                writer.part(BOOK).add(grant)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(approve, (1, 2))) == [False, True]
    with store.read() as reader:
        assert len(reader.part(BOOK).in_states(State)) == 1
