"""What every store keeps to about reminders: one letter per kind and entry of a row, also at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest

from sopauto.clock import OfficeHours
from sopauto.errors import Conflict
from sopauto.people import Holding, People, Person, Position
from sopauto.procedures.library import Library
from sopauto.store.engine import make_engine, open_store
from sopauto.store.sqlstore import SqlStore
from sopauto.store.versions import upgrade
from sopauto.tickets.model import State
from sopauto.tickets.reminding import Addressee, Late, Notice, Reminding, remind
from sopauto.tickets.storage import Kind, Mail, Reminder
from tests.integration.store.test_store_contract import NOW, opened

LATER = NOW + timedelta(hours=2)
REMINDER = Reminder(
    ticket="PS-2026-0001", step="penitipan.2", round=1, kind=Kind.REMINDER, to="Hadi (Kadis)", queued_at=LATER
)


def test_overdue_tickets_are_listed_oldest_first_and_only_open_ones(store: SqlStore) -> None:
    for number, changes in enumerate(
        ({"since": NOW + timedelta(minutes=1)}, {}, {"state": State.DONE}, {"state": State.WAITING}), start=1
    ):
        opened(store, number, **changes)
    opened(store, 5, since=LATER)
    with store.read() as reader:
        found = reader.reminders.overdue(LATER)
        assert [(late.id[-1], due) for late, due in found] == [
            ("2", NOW + timedelta(hours=1)),
            ("1", NOW + timedelta(hours=1, minutes=1)),
        ]
        assert reader.reminders.overdue(NOW + timedelta(hours=1)) == []


def test_letters_come_back_for_the_present_entry_of_the_row(store: SqlStore) -> None:
    kept = opened(store)
    escalation = replace(REMINDER, kind=Kind.ESCALATION, queued_at=LATER + timedelta(days=1))
    with store.write() as writer:
        writer.reminders.add(escalation)
        writer.reminders.add(REMINDER)
        writer.reminders.add(replace(REMINDER, round=2))
        writer.reminders.add(replace(REMINDER, step="penitipan.3"))
    with store.read() as reader:
        assert reader.reminders.of(kept) == [REMINDER, escalation]
        assert reader.reminders.of(replace(kept, rounds={"penitipan.2": 3})) == []


def test_a_second_letter_of_a_kind_is_refused_with_its_message(store: SqlStore) -> None:
    opened(store)
    with store.write() as writer:
        writer.reminders.add(REMINDER)
    with pytest.raises(Conflict), store.write() as writer:
        writer.post([Mail(ticket=REMINDER.ticket, to="a@x.go.id", subject="s", body="b")], LATER)
        writer.reminders.add(replace(REMINDER, to="Ratna", queued_at=LATER + timedelta(minutes=5)))
    assert store.outbox.rows(10) == []


def test_tickets_without_a_letter_are_counted(store: SqlStore) -> None:
    opened(store, 1)
    opened(store, 2)
    opened(store, 3, state=State.DONE)
    with store.write() as writer:
        writer.reminders.add(REMINDER)
        writer.reminders.add(replace(REMINDER, ticket="PS-2026-0002", queued_at=NOW - timedelta(hours=1)))
        assert writer.reminders.forgotten(LATER) == 1
        assert writer.reminders.forgotten(NOW) == 0


def test_a_database_of_the_version_before_gets_the_table(url: str) -> None:
    from alembic import command

    from sopauto.store.versions import _config

    engine = make_engine(url)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        command.upgrade(_config(connection), "0002_assets")
    upgrade(engine)
    engine.dispose()
    store = open_store(url)
    opened(store)
    with store.write() as writer:
        writer.reminders.add(REMINDER)
    store.engine.dispose()


class Meeting:
    """A writer of letters who waits until the other one has also decided to write."""

    def __init__(self) -> None:
        self.barrier = Barrier(2, timeout=20)

    def compose(self, kind: Kind, late: Late, to: Addressee) -> Mail:
        self.barrier.wait()
        return Mail(ticket=late.ticket.id, to=to.person.email, subject=kind.value, body="b")


class Fixed:
    def now(self) -> datetime:
        return LATER


@pytest.fixture
def both(url: str) -> Iterator[tuple[SqlStore, SqlStore]]:
    """Two connections to one database, as two processes have them."""
    stores = (open_store(url), open_store(url))
    yield stores
    for store in stores:
        store.engine.dispose()


def test_two_who_remind_at_the_same_moment_write_one_letter(both: tuple[SqlStore, SqlStore]) -> None:
    kept = opened(both[0])
    letters = Meeting()
    people = People(
        persons={"hadi": Person(id="hadi", name="Hadi", nip="1", email="hadi@x.go.id")},
        positions={"kadis": Position(id="kadis", title="Kadis")},
        units={"kominfo": "Kominfo"},
        holdings=(Holding(person="hadi", position="kadis", unit="kominfo", since=date(2020, 1, 1)),),
    )

    def reminded(store: SqlStore) -> list[Notice]:
        return remind(
            Reminding(
                store=store,
                people=people,
                clock=Fixed(),
                hours=OfficeHours(zone=ZoneInfo("Asia/Jakarta"), week={0: [(time(8), time(16))]}),
                letters=letters,
                procedure_of=lambda *_: Library(()).get("penitipan-server"),
                escalate_after=1,
            )
        )

    with ThreadPoolExecutor(2) as pool:
        notices = [notice for found in pool.map(reminded, both) for notice in found]
    assert sorted(notice.queued is None for notice in notices) == [False, True]
    assert [notice.fault for notice in notices] == ["", ""]
    assert [row.to for row in both[0].outbox.rows(10)] == ["hadi@x.go.id"]
    with both[0].read() as reader:
        assert len(reader.reminders.of(kept)) == 1
