"""Which version a database has, and how it gets the newest (Alembic; the steps stand in `migrations/versions/`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sopauto.errors import BadInput, StepFailed

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

FOLDER: Final = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """From which version a database came (None: it was empty), and the copy of what it was before, if one was made."""

    before: str | None
    copy: Path | None


def current(engine: Engine) -> str | None:
    """Return the version of a database (None: it is empty)."""
    from sqlalchemy import inspect, text

    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return version


def newest() -> str:
    """Return the version that this program needs: the last file's name. Alembic itself takes long to import."""
    return known()[-1]


def upgrade(engine: Engine, *, copied: bool = False) -> Upgraded:
    """Bring a database to the newest version in one transaction, one process at a time.

    `copied`: an SQLite file that holds something is copied first.

    Raises: BadInput (a version that this program does not know), Conflict (another upgrade runs and goes on),
    StepFailed (it failed: the database is as before).
    """
    from sqlalchemy.exc import SQLAlchemyError

    from sopauto.store.alone import UPGRADE, held

    with held(engine, UPGRADE):
        before = current(engine)
        if before is not None and before not in known():
            where = engine.url.render_as_string(hide_password=True)
            raise BadInput(f"the database has version {before}", where=where, mend="use a sopauto of its version")
        copy = _copy(engine, before) if copied and before not in {None, newest()} else None
        try:
            _migrate(engine)
        except SQLAlchemyError as error:
            told = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            what = f"the upgrade failed ({told}); the database is as before, at {before or 'nothing'}"
            raise StepFailed(what, mend="keep a copy, and ask whoever looks after the program") from None
    return Upgraded(before=before, copy=copy)


def known() -> list[str]:
    """Return the versions that this program knows, the oldest first."""
    return sorted(path.stem for path in (FOLDER / "versions").glob("[0-9]*.py"))


def _migrate(engine: Engine) -> None:
    from alembic import command

    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        command.upgrade(_config(connection), "head")


def _copy(engine: Engine, before: str | None) -> Path | None:
    """Copy an SQLite database, with what still stands in its write-ahead log; return where to (None: no file)."""
    from sopauto.store.private import touch

    if engine.url.get_backend_name() != "sqlite" or not engine.url.database:
        return None
    file = Path(engine.url.database)
    copy = _free(file.with_name(f"{file.name}.{before}"))
    try:
        touch(copy)
        _back_up(engine, copy)
    except OSError as error:
        mend = "free some space, then repeat"
        raise StepFailed(f"the copy cannot be written ({error.strerror})", where=str(copy), mend=mend) from None
    return copy


def _back_up(engine: Engine, to: Path) -> None:
    """Let SQLite copy a database page by page; raises OSError."""
    import sqlite3
    from contextlib import closing

    source = engine.raw_connection()
    try:
        with closing(sqlite3.connect(to)) as target:
            source.driver_connection.backup(target)  # type: ignore[union-attr]  # it is SQLite's
    except sqlite3.Error as error:
        to.unlink(missing_ok=True)
        raise OSError(0, str(error)) from None
    finally:
        source.close()


def _free(path: Path) -> Path:
    """Return this name, or the first with a number behind it: a copy is never written over."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config
