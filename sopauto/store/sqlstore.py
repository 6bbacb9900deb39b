"""The store on SQLite and PostgreSQL: transactions, and what its errors mean. Fulfils `tickets.storage.Store`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import exc

from sopauto.errors import BadInput, Conflict, SopautoError, StepFailed
from sopauto.store.inventory import SqlHistory
from sopauto.store.outbox import SqlOutbox
from sopauto.store.tickets import SqlReader, SqlWriter

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


class SqlStore:
    """Everything that is kept, in one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @cached_property
    def outbox(self) -> SqlOutbox:
        """The messages that wait or were sent."""
        return SqlOutbox(self)

    @cached_property
    def history(self) -> SqlHistory:
        """The monthly inventory."""
        return SqlHistory(self)

    @contextmanager
    def read(self) -> Iterator[SqlReader]:
        """Open a consistent view; nothing that is done in it is kept."""
        with self.connected(writes=False) as connection:
            yield SqlReader(connection)

    @contextmanager
    def write(self) -> Iterator[SqlWriter]:
        """Open a transaction; it is rolled back when the block raises.

        Raises: Conflict (somebody else wrote the same meanwhile), StepFailed (disk full, locked, connection lost).
        """
        with self.connected(writes=True) as connection:
            yield SqlWriter(connection)

    @contextmanager
    def connected(self, *, writes: bool) -> Iterator[Connection]:
        """Open a transaction on a connection; the database's errors become ours."""
        try:
            with self.engine.connect().execution_options(writes=writes) as connection, connection.begin():
                yield connection
        except exc.SQLAlchemyError as error:
            raise _told(error) from None

    def open_to_others(self) -> list[Path]:
        """Return which files of an SQLite database, its copies and locks others may read or write."""
        from sopauto.store.private import open_to_others

        url = self.engine.url
        return open_to_others(Path(url.database)) if url.get_backend_name() == "sqlite" and url.database else []

    def describe(self) -> str:
        """Return where the database is, without password."""
        return self.engine.url.render_as_string(hide_password=True)


def _told(error: exc.SQLAlchemyError) -> SopautoError:
    """Return what a database error means to whoever typed the command."""
    cause = getattr(error, "orig", None)
    text = str(cause or error).strip().splitlines()[0]
    if isinstance(error, exc.IntegrityError):
        return Conflict("somebody else wrote the same meanwhile; nothing was written", mend="look again, then repeat")
    if getattr(cause, "sqlstate", "") in {"40001", "40P01"}:  # serialization failure, deadlock
        return Conflict("somebody else wrote at the same moment; nothing was written", mend="repeat the command")
    if "locked" in text:
        return StepFailed("the database is locked by another program; nothing was written", mend="repeat later")
    if "full" in text:
        return StepFailed("the disk of the database is full; nothing was written", mend="free some space, then repeat")
    if isinstance(error, exc.DataError):
        return BadInput(f"the database refuses a value ({text})", mend="shorten it")
    return StepFailed(f"the database failed ({text}); nothing was written", mend="see `inv store.status`")
