"""The kept databases of landed versions: put back as they were, and how a database looks from outside."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sopauto.access.model import Event
from sopauto.access.register import BOOK
from sopauto.app import App, build
from sopauto.inventory.kept.history import Reading
from sopauto.tickets.verifying import verify_all

if TYPE_CHECKING:
    from sqlalchemy import Engine

FOLDER = Path(__file__).parent
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SETTINGS = '[agency]\nname = "Dinas Komunikasi dan Informatika"\n'


def kept(kind: str) -> list[str]:
    """Return the commits of which a database of this kind is kept."""
    return sorted(path.name.partition(".")[0] for path in FOLDER.glob(f"*.{kind}.sql.gz"))


def dump(commit: str, kind: str) -> str:
    return gzip.decompress((FOLDER / f"{commit}.{kind}.sql.gz").read_bytes()).decode()


def put_back(commit: str, path: Path) -> None:
    """Make an SQLite file as it was."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump(commit, "sqlite"))


def put_back_on_server(commit: str, url: str) -> None:
    """Fill an empty PostgreSQL database as it was."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(dump(commit, "postgresql"))  # type: ignore[call-overload]


def workspace(home: Path, database: str = "") -> App:
    """Return the application of a workspace around a database (default: `sopauto.db` in it)."""
    home.mkdir(exist_ok=True)
    shutil.copy(FOLDER / "people.yaml", home)
    (home / "sopauto.toml").write_text((f'database = "{database}"\n' if database else "") + SETTINGS)
    return build(home)


def shape(engine: Engine) -> dict[str, Any]:
    """Return tables, columns in order, keys, indexes and triggers."""
    from sqlalchemy import inspect

    there = inspect(engine)
    told: dict[str, Any] = {}
    for table in sorted(there.get_table_names()):
        told[table] = {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], column.get("default"))
                for column in there.get_columns(table)
            ],
            "primary": there.get_pk_constraint(table)["constrained_columns"],
            "foreign": _told(there.get_foreign_keys(table), "constrained_columns", "referred_table"),
            "unique": _told(there.get_unique_constraints(table), "name", "column_names"),
            "indexes": sorted(
                (
                    str(i["name"]),
                    str(i["column_names"]),
                    bool(i["unique"]),
                    [str(o) for o in i["dialect_options"].values()],
                )
                for i in there.get_indexes(table)
                if not i.get("duplicates_constraint")
            ),
        }
    told["triggers"] = _triggers(engine)
    return told


def _told(found: Sequence[Any], *names: str) -> list[list[str]]:
    return sorted([str(one[name]) for name in names] for one in found)


def _triggers(engine: Engine) -> list[tuple[str, ...]]:
    sqlite = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
    server = "SELECT trigger_name, event_object_table, action_statement FROM information_schema.triggers"
    query = sqlite if engine.dialect.name == "sqlite" else server
    with engine.connect() as connection:
        return sorted({tuple(map(str, row)) for row in connection.exec_driver_sql(query)})


def use(app: App) -> None:
    """Use each part of an upgraded database: journal, list, assets, inventory, access, outbox, reminders."""
    with app.store.read() as reader:
        verdict = verify_all(app, reader)
        assert verdict.findings == ()
        assert len(reader.rows(limit=50)) == verdict.tickets >= 1
        reader.assets.servers()
        reader.reminders.overdue(app.clock.now())
        assert list(reader.part(BOOK).held(NOW, NOW, NOW.date())) == []
    before = len(app.history.scans(10))
    scan = app.history.begin(NOW, 1, month="2026-10")
    app.history.record(scan.id, [Reading(server="simpus-01", taken_at=NOW, reason="unreachable")])
    app.history.end(scan.id, NOW)
    assert [run.month for run in app.history.month_runs(10)] == ["2026-10"]
    assert len(app.history.scans(10)) == before + 1
    app.history.known(NOW)
    app.outbox.rows(10)
    with app.store.write() as writer:
        event = Event(at=NOW.replace(hour=11), day=date(2026, 11, 21), card="CK-0002", zone="ruang-server")
        assert writer.part(BOOK).add_events([event]) == (1, 0)
