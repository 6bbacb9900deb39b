"""Ends of attempts in a folder of the workspace, until their entries are written. Fulfils `ended.KeptResults`.

The folder is the owner's only. A file counts when it is the owner's, and names the attempt exactly as the database has
it: ticket, row, number, worker, person, order and moment. Who then signs the entry answers for it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sopauto.errors import StepFailed
from sopauto.tickets.ended import Ended
from sopauto.tickets.model import Attempt
from sopauto.work import Report

FOLDER: Final = "unrecorded"
ROOM: Final = 4 << 20
"""Bytes that are reserved for an end before the work begins."""
MOST: Final = 64 << 20
"""Bytes of a file that is still read."""
KEPT, RESERVED = ".json", ".reserved"


class KeptFiles:
    """The ends kept in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def reserve(self, attempt: Attempt) -> None:
        """Take the room for an end before the work begins; raises StepFailed (there is none)."""
        path = self._path(attempt, RESERVED)
        try:
            self._make_folder()
            opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                os.posix_fallocate(opened, 0, ROOM)
            finally:
                os.close(opened)
        except OSError as error:
            with suppress(OSError):
                path.unlink()
            raise self._told("there is no room to keep the result of this work", error) from None

    def keep(self, ended: Ended) -> str:
        """Write an end into the room that was reserved, and let it outlast a power cut; raises StepFailed."""
        reserved, kept = (self._path(ended.attempt, ending) for ending in (RESERVED, KEPT))
        content = ended.to_bytes()
        try:
            self._make_folder()
            opened = os.open(reserved, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(opened, "wb") as file:
                file.write(content)
                file.flush()
                os.ftruncate(file.fileno(), len(content))
                os.fsync(file.fileno())
            reserved.replace(kept)
            self._sync_folder()
        except OSError as error:
            raise self._told("the result cannot be kept", error) from None
        return str(kept)

    def of_step(self, ticket: str, step: str, report: Report) -> Sequence[Ended]:
        """Return the ends that are kept of a step's attempts; what cannot be believed is reported and left out."""
        return [ended for ended in self._of_step(ticket, step, report) if ended is not None]

    def forget(self, attempt: Attempt) -> None:
        """Remove what is kept or reserved for an attempt."""
        for ending in (KEPT, RESERVED):
            with suppress(OSError):
                self._path(attempt, ending).unlink()

    def waiting(self) -> Sequence[Path]:
        """Return the files of ends whose entries were not written."""
        return sorted(self._folder.glob(f"*{KEPT}"))

    def unwritten(self) -> Iterator[tuple[Path, Attempt | None]]:
        """Yield each of these files with the attempt whose end it is (None: it cannot be believed)."""
        for path in self.waiting():
            try:
                yield path, Ended.from_bytes(self._read(path)).attempt
            except (OSError, ValueError):
                yield path, None

    def _of_step(self, ticket: str, step: str, report: Report) -> Iterator[Ended | None]:
        for path in self.waiting():
            if path.name.startswith(_stem(ticket, step)):
                try:
                    ended = Ended.from_bytes(self._read(path))
                    if path != self._path(ended.attempt, KEPT):
                        raise ValueError("it names another attempt")
                    yield ended
                except (OSError, ValueError) as error:
                    report(f"{path} is not believed: {error}")

    def _read(self, path: Path) -> bytes:
        """Return a file's content; raises OSError, ValueError (somebody else may have written it)."""
        for status in (self._folder.lstat(), path.lstat()):
            if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
                raise ValueError("others may write there")
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > MOST:
                raise ValueError("it is no file of ours")
            return file.read(MOST)

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if not stat.S_ISDIR(self._folder.lstat().st_mode):
            raise NotADirectoryError(0, "is no folder")
        self._folder.chmod(0o700)

    def _sync_folder(self) -> None:
        opened = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

    def _path(self, attempt: Attempt, ending: str) -> Path:
        worker = hashlib.sha256(attempt.worker.encode()).hexdigest()[:12]
        return self._folder / f"{_stem(attempt.ticket, attempt.step)}{attempt.number}.{worker}{ending}"

    def _told(self, what: str, error: OSError) -> StepFailed:
        return StepFailed(
            f"{what} ({error.strerror})", where=str(self._folder), mend="check rights and free space, then repeat"
        )


def _stem(ticket: str, step: str) -> str:
    return f"{quote(ticket, safe='')}.{quote(step, safe='')}."[:200]
