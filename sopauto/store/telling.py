"""What a database's error means to whoever typed the command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc

from sopauto.errors import BadInput, Contended, SopautoError, StepFailed

AT_ONCE: Final = frozenset({"40001", "40P01"})
"""PostgreSQL's codes of two transactions that got into each other's way: serialization failure, deadlock."""
LOCKED: Final = "55P03"
"""PostgreSQL's code of a lock that was not got in time."""


@contextmanager
def told() -> Iterator[None]:
    """Turn the database's errors into ours."""
    try:
        yield
    except exc.SQLAlchemyError as error:
        raise meaning(error) from None


def meaning(error: exc.SQLAlchemyError) -> SopautoError:
    """Return our error for one of the database's."""
    cause = getattr(error, "orig", None)
    text = str(cause or error).strip().splitlines()[0]
    code = getattr(cause, "sqlstate", "")
    if isinstance(error, exc.IntegrityError):
        return Contended("somebody else wrote the same meanwhile; nothing was written", mend="look again, then repeat")
    if code in AT_ONCE:
        return Contended("somebody else wrote at the same moment; nothing was written", mend="repeat the command")
    if code == LOCKED or "locked" in text:
        return StepFailed("the database is locked by another program; nothing was written", mend="repeat later")
    if "full" in text:
        return StepFailed("the disk of the database is full; nothing was written", mend="free some space, then repeat")
    if isinstance(error, exc.DataError):
        return BadInput(f"the database refuses a value ({text})", mend="shorten it")
    return StepFailed(f"the database failed ({text}); nothing was written", mend="see `inv store.status`")
