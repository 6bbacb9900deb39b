"""States of a workspace to which the way is long: walked to once, and put back for each test that begins there.

All that a test can change lies in one folder, which stays where it is: plans that were approved hold its path.
"""

from __future__ import annotations

import gc
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

BEGIN = "begin"


@dataclass(slots=True, kw_only=True)
class Walked:
    """The folder of a workspace, its server and its mail; beside it, what was kept of it.

    A way begins only at a state from which it was walked before: `_ways` is by the digest of all files at its
    beginning the rows at which tickets were kept, in the order of the walk, and each ticket.
    """

    folder: Path
    kept: Path
    _ways: dict[str, dict[int, str]] = field(default_factory=dict)

    def keep(self, name: str) -> None:
        """Keep the folder as it is now."""
        close_databases()
        shutil.copytree(self.folder, self.kept / name, symlinks=True)

    def put_back(self, name: str) -> None:
        """Let the folder be as it was."""
        close_databases()
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.kept / name, self.folder, symlinks=True, dirs_exist_ok=True)

    def ticket_at(self, row: int, walk: Callable[[str | None], str]) -> str:
        """Return a ticket that stands at a row; `walk` goes there, from the letter or with the ticket that it gets."""
        begin = self._digest()
        ways = self._ways.setdefault(begin, {})
        nearest = max((passed for passed in ways if passed <= row), default=None)
        if nearest is not None:
            self.put_back(f"{begin}-{nearest}")
        if nearest == row:
            return ways[row]
        ways[row] = walk(None if nearest is None else ways[nearest])
        self.keep(f"{begin}-{row}")
        return ways[row]

    def _digest(self) -> str:
        close_databases()
        found = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            content = path.read_bytes() if path.is_file() else b""
            name = str(path.relative_to(self.folder)).encode()
            found.update(b"%d %o %d %s" % (len(name), path.lstat().st_mode, len(content), name + content))
        return found.hexdigest()[:16]


def close_databases() -> None:
    """Close what this process has open of any database.

    SQLite's locks end when anybody of the process closes the file, as a copy does; and a connection that is closed
    later than its file was replaced would remove the log of the new one.
    """
    for found in gc.get_objects():
        if isinstance(found, Engine):
            found.dispose()
