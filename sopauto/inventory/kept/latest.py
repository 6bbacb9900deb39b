"""The newest snapshot of each server, read back a hundred at a time, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sopauto.inventory.kept.history import History
from sopauto.inventory.kept.sections import NAMES, join

AT_ONCE: Final = 100


def snapshots(history: History, at: datetime, servers: Sequence[str] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield, by id, each server (or some) with its newest snapshot of that time (shape: `model.Snapshot.as_json`)."""
    rest = iter(history.known(at, servers).values())
    while some := list(islice(rest, AT_ONCE)):
        read = history.sections(sorted({number for known in some for number in known.parts.values()}))
        for known in some:
            parts = {name: read[known.parts[name]] for name in NAMES}
            yield known.server, join(parts, known.taken_at.isoformat(timespec="seconds"))
