"""The lock of one piece of work, held by whoever carries it out, and gone with its process, however that ends.

On SQLite it is a byte of a file beside the database, kept by the kernel that has the file: a free one proves that
nobody works. On PostgreSQL it is the server's, kept for one connection: with the network gone it may be free though its
holder lives, so there the lease of the attempt decides.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sopauto.errors import StepFailed
from sopauto.store.private import touch
from sopauto.store.telling import told

if TYPE_CHECKING:
    from sqlalchemy import Engine

ENDING: Final = "attempts"
"""What ends the name of SQLite's lock file."""


class Hold:
    """A lock that is held. `still` is asked again and again while the work goes on."""

    def still(self) -> None:
        """Take the lock again where it got lost with a connection; raises StepFailed (the database is away)."""


@contextmanager
def hold(engine: Engine, what: str) -> Iterator[Hold | None]:
    """Hold the lock of a piece of work, named in words (None: somebody else has it).

    Raises: StepFailed (the lock file cannot be made, the database is away).
    """
    number = int.from_bytes(hashlib.sha256(f"sopauto {what}".encode()).digest()[:8]) >> 2
    with _on_server(engine, number) if engine.url.get_backend_name() == "postgresql" else _beside(engine, number) as it:
        yield it


@contextmanager
def _beside(engine: Engine, number: int) -> Iterator[Hold | None]:
    """Lock one byte, for this opening of the file: a lock of the whole process would go with any other opening."""
    path = Path(f"{engine.url.database}.{ENDING}")
    try:
        touch(path)
        opened = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        mend = "check rights and free space"
        raise StepFailed(f"cannot be written ({error.strerror})", where=str(path), mend=mend) from None
    try:
        yield Hold() if _locked(opened, number) else None
    finally:
        os.close(opened)


def _locked(opened: int, number: int) -> bool:
    wanted = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, number, 1, 0)
    try:
        fcntl.fcntl(opened, fcntl.F_OFD_SETLK, wanted)
    except (BlockingIOError, PermissionError):
        return False
    return True


class _OnServer(Hold):
    """A lock of PostgreSQL for one connection of its own."""

    def __init__(self, engine: Engine, number: int) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._number = number
        self._connection: Any = None
        self._mine = False

    def take(self) -> bool:
        """Tell whether the lock was free, and is ours now; raises StepFailed."""
        from sqlalchemy import text

        with told():
            self._connection = self._connection or self._engine.connect()
            asked = text("SELECT pg_try_advisory_lock(:number)")
            self._mine = bool(self._connection.scalar(asked, {"number": self._number}))
        return self._mine

    def still(self) -> None:
        """Look whether the connection lives; take the lock again where it does not."""
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            self.leave()
        if not self._mine:
            self.take()

    def leave(self) -> None:
        """End the connection, and the lock with it; it does not go back among those that are used again."""
        connection, self._connection, self._mine = self._connection, None, False
        if connection is not None:
            connection.invalidate()
            connection.close()


@contextmanager
def _on_server(engine: Engine, number: int) -> Iterator[Hold | None]:
    held = _OnServer(engine, number)
    try:
        yield held if held.take() else None
    finally:
        held.leave()
