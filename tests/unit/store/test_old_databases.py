"""A database of each landed version comes to the newest with all that it holds, or stays as it was."""

from __future__ import annotations

import json
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lab.walking import Walk
from lab.workspace import make_key, public_half
from sopauto.errors import BadInput, StepFailed
from sopauto.store.engine import make_engine, open_store
from sopauto.store.versions import current, newest, upgrade
from sopauto.tickets.anchoring import take_anchor
from sopauto.tickets.verifying import verify_all
from tests.migration.databases import kept, put_back, shape, use, workspace

UPGRADE = """
import sys
from sopauto.store.engine import make_engine
from sopauto.store.versions import upgrade
sys.stdin.readline()
upgrade(make_engine(sys.argv[1]), copied=True)
"""


@pytest.fixture(params=kept("sqlite"))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "sopauto.db"
    put_back(request.param, path)
    return path


@pytest.fixture
def oldest(tmp_path: Path) -> Path:
    path = tmp_path / "sopauto.db"
    put_back("d2d3a98", path)
    return path


def upgraded(path: Path) -> None:
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_it_has_the_tables_of_a_new_database_and_all_its_commands_work(old: Path, tmp_path: Path) -> None:
    upgraded(old)
    new = make_engine(f"sqlite:///{tmp_path / 'new.db'}")
    upgrade(new)
    app = workspace(tmp_path)
    assert shape(app.store.engine) == shape(new)
    use(app)
    app.store.engine.dispose()
    new.dispose()


def test_its_open_ticket_goes_on(tmp_path: Path) -> None:
    put_back("7793365", tmp_path / "sopauto.db")
    upgraded(tmp_path / "sopauto.db")
    key = make_key(tmp_path / "keys" / "ratna")
    app = workspace(tmp_path)
    today = app.clock.now().date().isoformat()
    people = json.loads((tmp_path / "people.yaml").read_text())
    ratna = next(person for person in people["orang"] if person["id"] == "ratna")
    ratna["kunci"].append({"publik": public_half(key), "sejak": today})
    (tmp_path / "people.yaml").write_text(json.dumps(people))
    walk = Walk(app=app, keys={"ratna": key}, statements={})
    with app.store.read() as reader:
        ticket = reader.ticket("PS-2026-0001")
    assert walk.row(ticket).step == "penitipan.4"
    with app.store.read() as reader:
        assert verify_all(app, reader).findings == ()
        assert take_anchor(reader, at=app.clock.now(), person=None).marks[0].entries == 3
    app.store.engine.dispose()


def test_nothing_that_was_signed_is_changed(old: Path) -> None:
    def signed() -> list[object]:
        with closing(sqlite3.connect(old)) as connection:
            entries = connection.execute("SELECT * FROM entries ORDER BY ticket, number").fetchall()
            return entries + connection.execute("SELECT * FROM documents ORDER BY sha256").fetchall()

    before = signed()
    upgraded(old)
    assert signed() == before


@pytest.mark.parametrize("table", ["entries", "documents"])
def test_it_still_refuses_to_change_what_was_signed(oldest: Path, table: str) -> None:
    upgraded(oldest)
    with closing(sqlite3.connect(oldest)) as connection:
        for change in (f"DELETE FROM {table}", f"UPDATE {table} SET rowid = rowid + 100"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(change)


@pytest.mark.parametrize(
    "after", ["CREATE TABLE reminders", "DROP TABLE outbox", "DROP TABLE entries", "UPDATE alembic"]
)
def test_a_fault_in_the_middle_leaves_it_as_before(oldest: Path, after: str) -> None:
    from sqlalchemy import event

    before = content(oldest)
    engine = make_engine(f"sqlite:///{oldest}")

    @event.listens_for(engine, "before_cursor_execute")
    def fails(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if after in statement:
            raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StepFailed, match=r"disk I.O error.*as before"):
        upgrade(engine)
    engine.dispose()
    assert content(oldest) == before


KILLED = """
import os, signal, sys
from sqlalchemy import event
from sopauto.store.engine import make_engine
from sopauto.store.versions import upgrade
engine = make_engine(sys.argv[1])
@event.listens_for(engine, "before_cursor_execute")
def dies(connection, cursor, statement, *rest):
    if "DROP TABLE entries" in statement:
        os.kill(os.getpid(), signal.SIGKILL)
upgrade(engine)
"""


def test_a_killed_upgrade_leaves_it_as_before_and_the_next_one_does_it(oldest: Path) -> None:
    before = content(oldest)
    killed = subprocess.run([sys.executable, "-c", KILLED, f"sqlite:///{oldest}"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert content(oldest) == before
    upgraded(oldest)
    assert current(make_engine(f"sqlite:///{oldest}")) == newest()


def test_two_upgrades_at_once_do_it_once(oldest: Path) -> None:
    url = f"sqlite:///{oldest}"
    both = [
        subprocess.Popen([sys.executable, "-c", UPGRADE, url], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in both:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in both] == [b"", b""]
    assert [process.returncode for process in both] == [0, 0]
    assert len(list(oldest.parent.glob("*.0002_assets*"))) == 1
    assert current(make_engine(url)) == newest()


def test_the_copy_has_what_stood_in_the_write_ahead_log_and_is_never_written_over(oldest: Path) -> None:
    engine = make_engine(f"sqlite:///{oldest}")
    with engine.begin() as connection:  # stays in the log while the engine is open
        connection.exec_driver_sql("INSERT INTO racks VALUES ('R9', '', 42, '')")
    first = upgrade(engine, copied=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002_assets'")
        for table in ("reminders", "access_events", "access_reviews", "access_spans", "access_grants"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    with pytest.raises(StepFailed, match="as before"):
        upgrade(engine, copied=True)
    engine.dispose()
    assert first.copy is not None
    with closing(sqlite3.connect(first.copy)) as connection:
        assert connection.execute("SELECT id FROM racks").fetchall()[-1] == ("R9",)
    copies = sorted(oldest.parent.glob("*.0002_assets*"))
    assert [stat.S_IMODE(copy.stat().st_mode) for copy in copies] == [0o600, 0o600]


def test_a_version_of_tomorrow_is_refused(oldest: Path) -> None:
    with closing(sqlite3.connect(oldest)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_future'")
        connection.commit()
    before = content(oldest)
    with pytest.raises(BadInput, match="9999_future"):
        upgraded(oldest)
    with pytest.raises(BadInput, match="it is newer"):
        open_store(f"sqlite:///{oldest}")
    assert content(oldest) == before


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sopauto.db"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StepFailed, match="cannot be opened"):
        open_store(f"sqlite:///{path}")
