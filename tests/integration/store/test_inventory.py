"""What the monthly inventory's store keeps to, on SQLite and PostgreSQL."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import func, select, text

from sopauto.errors import Conflict
from sopauto.inventory.kept import tables
from sopauto.inventory.kept.history import BY_FORM, Reading
from sopauto.inventory.kept.sections import NAMES, join
from sopauto.inventory.kept.store import SqlHistory
from sopauto.inventory.reading.snapshot import parse
from sopauto.store.engine import make_engine
from sopauto.store.sqlstore import SqlStore
from sopauto.store.versions import _config, upgrade
from sopauto.tickets.storage import Mail
from sopauto.work import Artifact

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
MONTH = timedelta(days=30)
RECORDED = Path(__file__).parents[2] / "unit" / "inventory" / "reading" / "recorded" / "debian.txt"
SNAPSHOT = parse(RECORDED.read_bytes(), NOW)


def reading(server: str = "web-01", months: int = 0, **changes: Any) -> Reading:
    """Return a snapshot of a server with some fields of its server data changed."""
    snapshot = copy.deepcopy(SNAPSHOT)
    snapshot["taken_at"] = (NOW + months * MONTH).isoformat(timespec="seconds")
    snapshot["server"].update(changes)
    return Reading(server=server, taken_at=NOW + months * MONTH, snapshot=snapshot)


def unread(server: str, reason: str) -> Reading:
    return Reading(server=server, taken_at=NOW, reason=reason)


def scanned(store: SqlStore, *readings: Reading) -> int:
    scan = SqlHistory(store).begin(readings[0].taken_at, len(readings))
    SqlHistory(store).record(scan.id, readings)
    SqlHistory(store).end(scan.id, readings[0].taken_at)
    return scan.id


def sections(store: SqlStore) -> int:
    with store.connected(writes=False) as connection:
        return connection.scalar(select(func.count()).select_from(tables.sections)) or 0


def test_a_snapshot_comes_back_as_it_was_kept(store: SqlStore) -> None:
    scanned(store, reading())
    known = SqlHistory(store).known(NOW)["web-01"]
    parts = SqlHistory(store).sections(list(known.parts.values()))
    told = join({name: parts[number] for name, number in known.parts.items()}, known.taken_at.isoformat())
    assert told == SNAPSHOT


def test_sections_that_did_not_change_are_kept_once_for_all_months_and_servers(store: SqlStore) -> None:
    scanned(store, reading(), reading("web-02"))
    assert sections(store) == len(NAMES)
    scanned(store, reading(months=1, kernel="6.1.0-19-amd64"), reading("web-02", months=1))
    assert sections(store) == len(NAMES) + 1


def test_years_of_changes_are_read_back_each(store: SqlStore) -> None:
    for month in range(30):
        packages = [{"name": "nginx", "version": f"1.{month}"}, *({"name": f"p{i}", "version": "1"} for i in range(50))]
        scanned(store, reading(months=month, packages=packages, packages_count=51))
    for month in (0, 11, 12, 13, 29):
        known = SqlHistory(store).known(NOW + month * MONTH)["web-01"]
        number = known.parts["packages"]
        assert SqlHistory(store).sections([number])[number]["packages"][0]["version"] == f"1.{month}"
    assert SqlHistory(store).first()["web-01"].taken_at == NOW


def test_the_newest_snapshot_by_then_is_meant(store: SqlStore) -> None:
    scanned(store, reading(), reading("web-02"))
    scanned(store, reading(months=1, kernel="new"), Reading(server="web-02", taken_at=NOW + MONTH, reason="timeout"))
    assert SqlHistory(store).known(NOW - MONTH) == {}
    newest = SqlHistory(store).known(NOW + MONTH)
    assert [known.taken_at for known in newest.values()] == [NOW + MONTH, NOW]
    assert list(SqlHistory(store).known(NOW + MONTH, ["web-02", "nobody"])) == ["web-02"]


def test_of_two_snapshots_of_one_moment_the_later_scan_is_meant(store: SqlStore) -> None:
    corrected = replace(reading(), reason="by-form")
    scanned(store, reading())
    scanned(store, corrected)
    assert SqlHistory(store).known(NOW)["web-01"].by_form
    assert [known.by_form for known in SqlHistory(store).all_of("web-01")] == [False, True]


def test_a_server_is_kept_once_in_a_scan(store: SqlStore) -> None:
    scan = SqlHistory(store).begin(NOW, 3)
    SqlHistory(store).record(scan.id, [reading()])
    SqlHistory(store).record(scan.id, [reading(kernel="again"), Reading(server="db", taken_at=NOW, reason="refused")])
    assert SqlHistory(store).read_in(scan.id) == ["db", "web-01"]
    (unread,) = SqlHistory(store).unread(scan.id)
    assert (unread.server, unread.reason) == ("db", "refused")
    (kept,) = SqlHistory(store).scans(5)
    assert (kept.ended_at, kept.wanted) == (None, 3)


def test_a_reading_that_cannot_be_kept_takes_its_batch_with_it(store: SqlStore) -> None:
    scan = SqlHistory(store).begin(NOW, 2)
    with pytest.raises(Conflict):
        SqlHistory(store).record(scan.id, [reading(), reading("web-02"), reading("web-02")])
    assert SqlHistory(store).read_in(scan.id) == []
    assert sections(store) == 0


def test_a_host_key_of_the_first_contact_is_pinned_and_stays(store: SqlStore) -> None:
    for month, key in enumerate(("ssh-ed25519 AAAA", "ssh-ed25519 BBBB")):
        scanned(store, Reading(server="web-01", taken_at=NOW + month * MONTH, reason="login", pinned=key))
    with store.read() as reader:
        assert reader.pinned_host_key("web-01") == "ssh-ed25519 AAAA"


def test_a_month_has_one_scan_and_is_reported_once(store: SqlStore) -> None:
    scan = SqlHistory(store).begin(NOW, 2, month="2026-11")
    with pytest.raises(Conflict):
        SqlHistory(store).begin(NOW, 2, month="2026-11")
    assert [one.id for one in SqlHistory(store).scans(5)] == [scan.id]
    mail = Mail(ticket="inventaris-2026-11", to="kasi@example.go.id", subject="Rekapitulasi", body="Isi")
    SqlHistory(store).report_month("2026-11", [mail], NOW)
    with pytest.raises(Conflict, match="was reported meanwhile"):
        SqlHistory(store).report_month("2026-11", [mail], NOW)
    assert [one.ticket for one in store.outbox.rows(5)] == ["inventaris-2026-11"]
    (run,) = SqlHistory(store).month_runs(5)
    assert (run.month, run.scan, run.reported_at) == ("2026-11", scan, NOW)


def test_letters_carry_one_document_that_is_kept_once(store: SqlStore) -> None:
    scan = SqlHistory(store).begin(NOW, 1, month="2026-11")
    paper = Artifact(name="inventaris-2026-11.pdf", media_type="application/pdf", content=b"%PDF-1.7")
    texts = {"ticket": "inventaris-2026-11", "subject": "Rekapitulasi", "body": "Isi"}
    both = [Mail(**texts, to=f"{name}@example.go.id", attached=paper) for name in ("kasi", "kabid")]
    SqlHistory(store).report_month("2026-11", [*both, Mail(**texts, to="tu@example.go.id")], NOW)
    assert [one.attached for one in store.outbox.pending(NOW, 9)] == [paper, paper, None]
    assert store.outbox.due(NOW) == 3
    with store.read() as reader:
        assert reader.counts()["documents"] == 1
    assert scan.ended_at is None


def test_a_scan_goes_on_with_what_it_could_not_read(store: SqlStore) -> None:
    scan = scanned(store, reading("web-01"), unread("web-02", "timeout"), unread("win-01", "by-form"))
    assert SqlHistory(store).failed(NOW - MONTH, NOW) == {"web-02"}
    assert SqlHistory(store).failed(NOW, NOW + MONTH) == set()
    SqlHistory(store).reopen(scan)
    assert (SqlHistory(store).read_in(scan), SqlHistory(store).unread(scan)) == (["web-01"], [])
    assert [one.ended_at for one in SqlHistory(store).scans(5)] == [None]
    assert SqlHistory(store).scans(5, until=NOW - MONTH) == []


def test_scans_of_named_servers_are_told_apart(store: SqlStore) -> None:
    whole = SqlHistory(store).begin(NOW, 3)
    SqlHistory(store).begin(NOW, 1, ["web-01"])
    assert SqlHistory(store).scans(1)[0].only == ("web-01",)
    assert SqlHistory(store).scans(1, whole=True) == [whole]


def test_messages_that_wait_survive_the_upgrade(url: str) -> None:
    engine = make_engine(url)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        command.upgrade(_config(connection), "0003_reminders")
        connection.execute(text(TICKET), {"at": NOW.replace(tzinfo=None)})
        connection.execute(text(MESSAGE), {"at": NOW.replace(tzinfo=None), "refused": False})
    upgrade(engine)
    store = SqlStore(engine)
    (kept,) = store.outbox.rows(5)
    assert (kept.ticket, kept.subject) == ("PS-2026-0001", "Siap")
    engine.dispose()


TICKET = """\
INSERT INTO tickets (id, prefix, procedure, unit, state, step, since, title, entries, head, content)
VALUES ('PS-2026-0001', 'PS-2026', 'p', 'u', 'open', 's', :at, 't', 1, 'h', '{}')"""
MESSAGE = """\
INSERT INTO outbox (ticket, "to", subject, body, queued_at, attempts, refused)
VALUES ('PS-2026-0001', 'a@b', 'Siap', 'isi', :at, 0, :refused)"""


def test_of_two_scans_of_one_second_the_first_is_the_oldest_and_the_second_the_newest(store: SqlStore) -> None:
    first, second = (scanned(store, reading(kernel=kernel)) for kernel in ("6.1", "6.2"))
    assert SqlHistory(store).first()["web-01"].scan == first
    assert SqlHistory(store).known(NOW)["web-01"].scan == second
    assert [one.scan for one in SqlHistory(store).all_of("web-01")] == [first, second]


def test_a_form_that_is_recorded_anew_for_the_same_day_is_a_correction(store: SqlStore) -> None:
    _, second = (scanned(store, replace(reading(kernel=kernel), reason=BY_FORM)) for kernel in ("6.1", "6.2"))
    assert SqlHistory(store).first()["web-01"].scan == SqlHistory(store).known(NOW)["web-01"].scan == second
