"""The store on SQLite and PostgreSQL: transactions, and what its errors mean. Fulfils `tickets.storage.Store`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sopauto.errors import Conflict
from sopauto.store.alone import OPENING, held
from sopauto.store.holding import Hold, hold
from sopauto.store.outbox import SqlOutbox
from sopauto.store.telling import told
from sopauto.store.tickets import Parts, SqlReader, SqlWriter

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

LOCK_SECONDS: Final = 10
"""How long a transaction waits for another writer on PostgreSQL (on SQLite: `engine.BUSY_MS`)."""
ONE_WRITER: Final = (
    f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'",
    "LOCK TABLE alembic_version IN SHARE ROW EXCLUSIVE MODE",
)
"""Said first by whoever writes on PostgreSQL, as SQLite's `BEGIN IMMEDIATE`: writers take turns, readers do not wait.

The view of a transaction begins with its first query, and a lock is none: whoever had to wait sees what the others
wrote, so that transactions that have nothing to do with each other never fail each other.
"""


class SqlStore:
    """Everything that is kept, in one database. `parts` makes each domain's own part of a transaction."""

    def __init__(self, engine: Engine, parts: Parts | None = None) -> None:
        self.engine = engine
        self._parts = parts or {}

    @cached_property
    def outbox(self) -> SqlOutbox:
        """The messages that wait or were sent."""
        return SqlOutbox(self)

    @contextmanager
    def read(self) -> Iterator[SqlReader]:
        """Open a consistent view; nothing that is done in it is kept."""
        with self.connected(writes=False) as connection:
            yield SqlReader(connection, self._parts)

    @contextmanager
    def write(self) -> Iterator[SqlWriter]:
        """Open a transaction; it is rolled back when the block raises.

        Raises: Conflict (somebody else wrote the same meanwhile), StepFailed (disk full, locked, connection lost).
        """
        with self.connected(writes=True) as connection:
            yield SqlWriter(connection, self._parts)

    @property
    def lock_tells(self) -> bool:
        """Whether a free lock of a piece of work proves that its holder, were it on this machine, has ended."""
        return self.engine.url.get_backend_name() == "sqlite"

    def hold(self, ticket: str, step: str) -> AbstractContextManager[Hold | None]:
        """Hold the lock of the machine work of a step, for as long as it goes on (None: somebody else has it).

        Raises: StepFailed (the database is away).
        """
        return hold(self.engine, f"{ticket} {step}")

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Let others who open a ticket wait meanwhile, so that they do not sign for the same number.

        A courtesy: who has waited for long goes on, and the chain of openings still refuses one of two.
        """
        with ExitStack() as turn:
            with suppress(Conflict):
                turn.enter_context(held(self.engine, OPENING))
            yield

    @contextmanager
    def connected(self, *, writes: bool) -> Iterator[Connection]:
        """Open a transaction on a connection; the database's errors become ours."""
        with told(), self.engine.connect().execution_options(writes=writes) as connection, connection.begin():
            if writes and connection.dialect.name == "postgresql":
                for statement in ONE_WRITER:
                    connection.exec_driver_sql(statement)
            yield connection

    def open_to_others(self) -> list[Path]:
        """Return which files of an SQLite database, its copies and locks others may read or write."""
        from sopauto.store.private import open_to_others

        url = self.engine.url
        return open_to_others(Path(url.database)) if url.get_backend_name() == "sqlite" and url.database else []

    def server(self) -> str:
        """Return product and version of the database server."""
        with self.connected(writes=False) as connection:
            number = ".".join(map(str, connection.dialect.server_version_info or ()))
        return f"{'SQLite' if self.engine.dialect.name == 'sqlite' else 'PostgreSQL'} {number}"

    def describe(self) -> str:
        """Return where the database is, without password."""
        return self.engine.url.render_as_string(hide_password=True)
