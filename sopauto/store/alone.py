"""One scan at a time: a lock that ends with its process, however that ends. On PostgreSQL it holds for all machines."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sopauto.errors import Conflict

if TYPE_CHECKING:
    from sqlalchemy import Engine

NUMBER: Final = 7_001
"""Of PostgreSQL's advisory lock: row 7 of SOP 001."""


@contextmanager
def held(engine: Engine) -> Iterator[None]:
    """Hold the lock of a database; raises Conflict when another process has it."""
    with _on_server(engine) if engine.url.get_backend_name() == "postgresql" else _beside(engine):
        yield


@contextmanager
def _beside(engine: Engine) -> Iterator[None]:
    """Lock a file beside SQLite's."""
    with Path(f"{engine.url.database}.scan").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken() from None
        yield


@contextmanager
def _on_server(engine: Engine) -> Iterator[None]:
    """Lock on a connection of its own; the server frees it when the connection ends."""
    from sqlalchemy import text

    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": NUMBER}):
            raise _taken()
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": NUMBER})


def _taken() -> Conflict:
    return Conflict("another scan runs", mend="wait for its end; two would read each server twice")
