"""Files that only their owner may read, whatever the caller's umask: the database, its locks, its copies."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600
BESIDE: Final = ("", "-wal", "-shm", "-journal")
"""SQLite's files, by what ends their names."""


def touch(path: Path) -> None:
    """Make an empty file that only its owner may read, where there is none; raises OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; raises OSError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, OWNER_ONLY), "wb") as file:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
            os.fchmod(file.fileno(), OWNER_ONLY)
        file.write(content)


def close_to_others(path: Path) -> None:
    """Take the rights of everybody else away from a database, what SQLite wrote beside it, its copies and locks.

    What cannot be closed (another user's, a file system without rights) stays as it is: `open_to_others` tells of it.
    """
    for file in open_to_others(path):
        with suppress(OSError):
            file.chmod(OWNER_ONLY)


def open_to_others(path: Path) -> list[Path]:
    """Return which files of a database others may read or write."""
    beside = (path.with_name(path.name + end) for end in BESIDE)
    return sorted(file for file in {*beside, *path.parent.glob(f"{path.name}.*")} if _shared(file))


def _shared(file: Path) -> bool:
    """Tell whether others may read or write a file; one that another process just took away is none of theirs."""
    try:
        status = file.stat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and bool(stat.S_IMODE(status.st_mode) & ~OWNER_ONLY)
