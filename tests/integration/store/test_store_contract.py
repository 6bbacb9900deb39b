"""What every store keeps to: one suite for SQLite and PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from sopauto.errors import BadInput, Conflict, StepFailed
from sopauto.journal.entry import Entry
from sopauto.store.engine import make_engine, open_store
from sopauto.store.sqlstore import SqlStore
from sopauto.store.versions import current, newest, upgrade
from sopauto.tickets.model import ZERO, Attempt, Outcome, Planned, State, Ticket
from sopauto.tickets.storage import Mail
from sopauto.work import Artifact, sha256

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def ticket(number: int = 1, **changes: object) -> Ticket:
    made = Ticket(
        id=f"PS-2026-{number:04}",
        procedure="penitipan-server",
        procedure_digest="a" * 64,
        unit="dinkes",
        applicant="siti",
        letter={"perihal": "Tes", "tinggi_u": 2},
        opened_at=NOW,
        state=State.OPEN,
        step="penitipan.2",
        since=NOW,
        requesters=frozenset({"siti"}),
        rounds={"penitipan.2": 1},
        answers={"penitipan.5": True},
        plans={"konfigurasi.1": Planned(plan="p", order="o", document="d", by="joko")},
    )
    return replace(made, **changes)


def entry(number: int, prev: str, *, of: Ticket, body: bytes = b"") -> Entry:
    content = body or f"{of.id} {number} {prev}".encode()
    return Entry(ticket=of.id, number=number, prev=prev, body=content, signature="s", key="k")


def opened(store: SqlStore, number: int = 1, **changes: object) -> Ticket:
    """Open a ticket and return it as kept."""
    with store.write() as writer:
        first = entry(1, writer.last_opening(), of=ticket(number))
        kept = ticket(number, entries=1, head=first.digest, **changes)
        writer.append(first, kept, due=kept.since + timedelta(hours=1), title="Tes")
    return kept


def attempt(number: int = 1) -> Attempt:
    return Attempt(
        ticket="PS-2026-0001",
        step="konfigurasi.1",
        number=number,
        worker="host:1:2",
        person="joko",
        order="o",
        begun_at=NOW,
        lease_until=NOW + timedelta(minutes=15),
    )


def test_a_ticket_comes_back_as_it_was(store: SqlStore) -> None:
    kept = opened(store)
    with store.read() as reader:
        assert reader.ticket(kept.id) == kept
        assert reader.due(kept.id) == NOW + timedelta(hours=1)


def test_an_unknown_ticket_is_bad_input(store: SqlStore) -> None:
    with store.read() as reader, pytest.raises(BadInput, match="there is no ticket"):
        reader.ticket("PS-2026-9999")


def test_entries_come_back_in_order_byte_for_byte(store: SqlStore) -> None:
    kept = opened(store)
    second = entry(2, kept.head, of=kept, body=b'{"nama":"\xc3\xa9"}')
    with store.write() as writer:
        writer.append(second, replace(kept, entries=2, head=second.digest), due=None, title="Tes")
    with store.read() as reader:
        assert [found.number for found in reader.entries(kept.id)] == [1, 2]
        assert reader.entries(kept.id)[1] == second


def test_openings_follow_each_other(store: SqlStore) -> None:
    opened(store, 1)
    opened(store, 2)
    with store.read() as reader:
        first, second = reader.openings()
        assert (first.prev, second.prev) == (ZERO, first.digest)
        assert reader.last_opening() == second.digest


def test_ids_count_per_prefix_and_year(store: SqlStore) -> None:
    opened(store, 1)
    with store.read() as reader:
        assert reader.next_id("PS", 2026) == "PS-2026-0002"
        assert reader.next_id("PS", 2027) == "PS-2027-0001"
        assert reader.next_id("KS", 2026) == "KS-2026-0001"


def test_who_acts_second_is_told_and_nothing_is_written(store: SqlStore) -> None:
    kept = opened(store)
    for person in ("hadi", "ratna"):
        late = entry(2, kept.head, of=kept, body=person.encode())
        if person == "hadi":
            with store.write() as writer:
                writer.append(late, replace(kept, entries=2, head=late.digest), due=None, title="Tes")
        else:
            with pytest.raises(Conflict), store.write() as writer:
                writer.keep([Artifact(name="a", media_type="text/plain", content=b"late")])
                writer.append(late, replace(kept, entries=2, head=late.digest), due=None, title="Tes")
    with store.read() as reader:
        assert reader.entries(kept.id)[1].body == b"hadi"
        with pytest.raises(BadInput):
            reader.document(sha256(b"late"))


def test_two_tickets_cannot_be_opened_after_the_same_one(store: SqlStore) -> None:
    opened(store, 1)
    stale = entry(1, ZERO, of=ticket(2), body=b"stale")
    with pytest.raises(Conflict), store.write() as writer:
        writer.append(stale, ticket(2, entries=1, head=stale.digest), due=None, title="Tes")


@pytest.mark.parametrize(
    "statement", ["UPDATE entries SET signature = 'x'", "DELETE FROM entries", "DELETE FROM documents"]
)
def test_the_database_refuses_to_change_what_was_signed(store: SqlStore, statement: str) -> None:
    opened(store)
    with store.write() as writer:
        writer.keep([Artifact(name="a", media_type="text/plain", content=b"x")])
    with pytest.raises(SQLAlchemyError, match="append-only"), store.engine.begin() as connection:
        connection.execute(text(statement))


def test_the_same_document_is_kept_once(store: SqlStore) -> None:
    paper = Artifact(name="a.pdf", media_type="application/pdf", content=b"%PDF")
    for _ in range(2):
        with store.write() as writer:
            writer.keep([paper, paper])
    with store.read() as reader:
        assert reader.document(sha256(b"%PDF")) == b"%PDF"
        assert reader.counts()["documents"] == 1


def test_a_block_that_raises_keeps_nothing(store: SqlStore) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as writer:
        writer.keep([Artifact(name="a", media_type="text/plain", content=b"x")])
        raise ZeroDivisionError
    with store.read() as reader:
        assert reader.counts()["documents"] == 0


def test_lists_are_paged_newest_first_and_filtered(store: SqlStore) -> None:
    for number in range(1, 6):
        opened(store, number, state=State.DONE if number == 3 else State.OPEN)
    with store.read() as reader:
        first = reader.rows(limit=2)
        assert [row.id[-1] for row in first] == ["5", "4"]
        assert [row.id[-1] for row in reader.rows(limit=2, after=first[-1].id)] == ["3", "2"]
        assert [row.id[-1] for row in reader.rows(limit=9, state=State.DONE)] == ["3"]
        assert reader.rows(limit=9, procedure="lain") == []
        assert len(reader.rows(limit=9, overdue_at=NOW + timedelta(hours=2))) == 5
        assert reader.rows(limit=9, overdue_at=NOW) == []


def test_who_waits_longest_is_first(store: SqlStore) -> None:
    opened(store, 1, state=State.WAITING, waits_for="tempat", since=NOW + timedelta(hours=2))
    opened(store, 2, state=State.WAITING, waits_for="tempat", since=NOW)
    opened(store, 3)
    with store.read() as reader:
        assert [found.id[-1] for found in reader.waiting("tempat")] == ["2", "1"]


def test_an_attempt_is_claimed_once_and_settled_once(store: SqlStore) -> None:
    opened(store)
    with store.write() as writer:
        writer.claim(attempt())
    for number in (1, 2):
        with pytest.raises(Conflict), store.write() as writer:
            writer.claim(attempt(number))
    with store.write() as writer:
        writer.settle(attempt(), Outcome.FAILED, NOW)
    with pytest.raises(Conflict), store.write() as writer:
        writer.settle(attempt(), Outcome.DONE, NOW)
    with store.write() as writer:
        writer.claim(attempt(2))
    with store.read() as reader:
        found = reader.attempts("PS-2026-0001", "konfigurasi.1")
        assert [one.outcome for one in found] == [Outcome.FAILED, None]
        assert found[0].ended_at == NOW


def test_a_pinned_host_key_stays(store: SqlStore) -> None:
    with store.write() as writer:
        writer.pin_host_key("web-01", "ssh-ed25519 AAAA", NOW)
        writer.pin_host_key("web-01", "ssh-ed25519 AAAA", NOW)
    with pytest.raises(Conflict), store.write() as writer:
        writer.pin_host_key("web-01", "ssh-ed25519 BBBB", NOW)
    with store.write() as writer:
        assert writer.pinned_host_key("web-01") == "ssh-ed25519 AAAA"
        writer.unpin_host_key("web-01")
        assert writer.pinned_host_key("web-01") is None


def test_snapshots_are_listed_oldest_first(store: SqlStore) -> None:
    with store.write() as writer:
        writer.keep([Artifact(name="i", media_type="application/json", content=b"{}")])
        for month in (12, 11):
            writer.add_snapshot("web-01", NOW.replace(month=month), sha256(b"{}"))
    with store.read() as reader:
        assert [at.month for at, _ in reader.snapshots("web-01")] == [11, 12]


def test_messages_wait_until_they_are_sent_or_refused(store: SqlStore) -> None:
    opened(store)
    with store.write() as writer:
        for to in ("a@x.go.id", "b@x.go.id", "c@x.go.id"):
            writer.post([Mail(ticket="PS-2026-0001", to=to, subject="s", body="b")], NOW)
    one, two, three = store.outbox.pending(NOW, 10)
    store.outbox.mark_sent(one.id, NOW, "<1@x>")
    store.outbox.mark_failed(two.id, "away", NOW + timedelta(minutes=1))
    store.outbox.mark_failed(three.id, "550 no", None)
    assert store.outbox.pending(NOW, 10) == []
    assert [row.to for row in store.outbox.pending(NOW + timedelta(minutes=2), 10)] == ["b@x.go.id"]
    assert [(row.refused, row.attempts) for row in store.outbox.rows(10)] == [(True, 1), (False, 1), (False, 1)]


def test_a_new_database_is_brought_to_the_newest_version(url: str) -> None:
    engine = make_engine(url)
    assert current(engine) is None
    upgrade(engine)
    assert current(engine) == newest()
    engine.dispose()


def test_the_migrations_make_what_the_code_expects(store: SqlStore) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from sopauto.access.tables import grants
    from sopauto.inventory.kept.tables import scans
    from sopauto.store import tables_assets
    from sopauto.store.tables import metadata

    assert tables_assets.servers.metadata is grants.metadata is scans.metadata is metadata
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_each_migration_is_named_as_its_file_and_follows_the_one_before() -> None:
    from alembic.script import ScriptDirectory

    from sopauto.store.versions import FOLDER

    script = ScriptDirectory(str(FOLDER))
    assert script.get_current_head() == newest()
    for revision in script.walk_revisions():
        assert Path(revision.path).stem == revision.revision


def test_a_database_of_another_version_is_refused(url: str) -> None:
    open_store(url).engine.dispose()
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_future'"))
    engine.dispose()
    with pytest.raises(BadInput, match="9999_future"):
        open_store(url)


WRITE_AND_DIE = """
import os, signal, sys
from sopauto.store.engine import open_store
from sopauto.work import Artifact
with open_store(sys.argv[1]).write() as writer:
    writer.keep([Artifact(name="a", media_type="text/plain", content=b"never" * 100000)])
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_everything_as_before(store: SqlStore, url: str) -> None:
    kept = opened(store)
    ended = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, url], check=False, cwd=Path(__file__).parents[3])
    assert ended.returncode == -signal.SIGKILL
    with store.read() as reader:
        assert reader.counts() == {"tickets": 1, "entries": 1, "documents": 0, "outbox": 0}
    opened(store, 2)
    assert kept.id == "PS-2026-0001"


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqlStore]:
    opened_store = open_store(f"sqlite:///{tmp_path / 'sopauto.db'}")
    yield opened_store
    opened_store.engine.dispose()


def test_a_full_disk_is_told_in_one_line_and_nothing_is_written(sqlite: SqlStore) -> None:
    opened(sqlite)
    with pytest.raises(StepFailed, match="disk of the database is full; nothing was written"), sqlite.write() as writer:
        pages = writer._connection.exec_driver_sql("PRAGMA page_count").scalar()
        writer._connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        writer.keep([Artifact(name="a", media_type="text/plain", content=os.urandom(1_000_000))])
    with sqlite.read() as reader:
        assert reader.counts()["documents"] == 0


def test_a_locked_database_is_told_in_one_line(sqlite: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    monkeypatch.setattr("sopauto.store.engine.BUSY_MS", 50)
    other = open_store(str(sqlite.engine.url))
    holder = sqlite3.connect(str(sqlite.engine.url.database), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StepFailed, match="locked by another program"), other.write() as writer:
        writer.keep([])
    holder.close()
    other.engine.dispose()


def test_a_server_that_is_away_is_told_in_one_line() -> None:
    with pytest.raises(StepFailed, match="cannot be opened"):
        open_store("postgresql://sopauto@127.0.0.1:1/none")


@pytest.mark.parametrize("wrong", ["", "no url", "oracle://x/y", "mysql://x/y"])
def test_a_wrong_url_is_bad_input(wrong: str) -> None:
    with pytest.raises(BadInput):
        open_store(wrong)
