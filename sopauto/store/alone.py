"""Work that only one process does at a time: a lock that ends with its process, however that ends.

On PostgreSQL it holds for all machines.
"""

from __future__ import annotations

import fcntl
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sopauto.errors import Conflict, StepFailed
from sopauto.store.private import touch
from sopauto.store.telling import told

if TYPE_CHECKING:
    from sqlalchemy import Engine

PAUSE: Final = 0.05
"""Seconds between two looks at a lock, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is done by one at a time. `number` is that of PostgreSQL's advisory lock, `name` ends SQLite's lock file.

    `seconds`: how long to wait for whoever has it; `what` and `mend` are told after that.
    """

    number: int
    name: str
    seconds: float
    what: str
    mend: str


SCAN: Final = Turn(
    number=7_001,  # row 7 of SOP 001
    name="scan",
    seconds=0,
    what="another scan runs",
    mend="wait for its end; two would read each server twice",
)
DELIVERY: Final = Turn(
    number=7_002,
    name="mail",
    seconds=10,
    what="another delivery runs",
    mend="it sends what waits; look with `inv mail.list`",
)
UPGRADE: Final = Turn(
    number=7_003,
    name="upgrade",
    seconds=60,
    what="another upgrade runs",
    mend="wait for its end, then look with `inv store.status`",
)

OPENING: Final = Turn(
    number=7_004,
    name="opening",
    seconds=30,
    what="others open tickets",
    mend="repeat the command",
)


@contextmanager
def held(engine: Engine, turn: Turn) -> Iterator[None]:
    """Hold the lock of a database; raises Conflict when another process has it and keeps it."""
    with _on_server(engine, turn) if engine.url.get_backend_name() == "postgresql" else _beside(engine, turn):
        yield


@contextmanager
def _beside(engine: Engine, turn: Turn) -> Iterator[None]:
    """Lock a file beside SQLite's; raises StepFailed (it cannot be made)."""
    if engine.url.database in {None, "", ":memory:"}:  # nobody else can open it
        yield
        return
    path = Path(f"{engine.url.database}.{turn.name}")
    try:
        touch(path)
        opened = path.open("r+b")
    except OSError as error:
        mend = "check rights and free space"
        raise StepFailed(f"cannot be written ({error.strerror})", where=str(path), mend=mend) from None
    with opened as file:

        def try_it() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _take(turn, try_it)
        yield


@contextmanager
def _on_server(engine: Engine, turn: Turn) -> Iterator[None]:
    """Lock on a connection of its own; the server frees it when the connection ends."""
    from sqlalchemy import text

    named = {"number": turn.number}
    with told(), engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        _take(turn, lambda: bool(connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), named)))
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), named)


def _take(turn: Turn, try_it: Callable[[], bool]) -> None:
    """Take a lock, trying for as long as its turn says; raises Conflict."""
    until = time.monotonic() + turn.seconds
    while not try_it():
        if time.monotonic() >= until:
            raise Conflict(turn.what, mend=turn.mend)
        time.sleep(random.uniform(PAUSE / 5, PAUSE))  # noqa: S311 - so that not all look at once
