"""Opening the database: SQLite embedded, PostgreSQL when shared."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sopauto.errors import BadInput, StepFailed
from sopauto.store.private import close_to_others, touch
from sopauto.store.sqlstore import SqlStore
from sopauto.store.tickets import Parts

if TYPE_CHECKING:
    from sqlalchemy import Engine

PASSWORD = "SOPAUTO_DATABASE_PASSWORD"  # noqa: S105 - the name of a variable
"""The variable that holds PostgreSQL's password, where the URL names a user without one."""
BUSY_MS = 10_000
"""How long a transaction waits for another writer."""

REACHABLE: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""By when a PostgreSQL server that no longer answers is called away: in a minute, where TCP would take a quarter of an
hour."""


def open_store(url: str, parts: Parts | None = None) -> SqlStore:
    """Return the store at a URL (`sqlite:///file`, `postgresql://…`), brought up to date when it is new.

    `parts` makes each domain's own part of a transaction from its connection.

    Raises: BadInput (unusable URL, a database of another version), StepFailed (it cannot be reached).
    """
    from sopauto.store.versions import current, known, newest, upgrade

    engine = make_engine(url)
    revision = current(engine)
    if revision is None:
        upgrade(engine)
    elif revision != newest():
        raise BadInput(
            f"the database has version {revision}, this program needs {newest()}",
            where=engine.url.render_as_string(hide_password=True),
            mend="run `inv store.upgrade`" if revision in known() else "use a sopauto of its version: it is newer",
        )
    return SqlStore(engine, parts)


def make_engine(url: str) -> Engine:
    """Return SQLAlchemy's engine for a URL; raises BadInput, StepFailed."""
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.exc import ArgumentError, DatabaseError

    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadInput("this is no database URL", where="database", mend="write e.g. sqlite:///sopauto.db") from None
    if parsed.get_backend_name() == "postgresql":
        secret = parsed.password or os.environ.get(PASSWORD)
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg", password=secret),
            isolation_level="SERIALIZABLE",
            pool_size=2,
            pool_pre_ping=True,  # a playbook may take hours: by then a firewall has forgotten what was idle
            connect_args=REACHABLE,
        )
    elif parsed.get_backend_name() == "sqlite":
        _keep_private(parsed.database)
        engine = create_engine(parsed, connect_args={"timeout": BUSY_MS / 1000})
        _prepare_sqlite(engine)
    else:
        raise BadInput(
            f"no database of the kind {parsed.drivername}", where="database", mend="use SQLite or PostgreSQL"
        )
    try:
        engine.connect().close()
    except DatabaseError as error:
        shown = parsed.render_as_string(hide_password=True)
        raise StepFailed(f"the database cannot be opened ({error.orig})", where=shown, mend="is it running?") from None
    return engine


def _keep_private(database: str | None) -> None:
    """Let nobody else read an SQLite file, whatever the caller's umask; what SQLite writes beside it follows it.

    Raises: StepFailed (it cannot be made or opened).
    """
    if not database or database == ":memory:" or database.startswith("file:"):
        return
    path = Path(database)
    try:
        if path.exists():
            close_to_others(path)
        else:
            touch(path)
    except OSError as error:
        mend = "check the folder, its rights and free space"
        raise StepFailed(f"the database cannot be opened ({error.strerror})", where=database, mend=mend) from None


def _prepare_sqlite(engine: Engine) -> None:
    from sqlalchemy import event

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's `begin` event says BEGIN, not the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        # Two writers that both began by reading would deadlock; a writer says so at once.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
