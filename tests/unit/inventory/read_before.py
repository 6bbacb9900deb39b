"""What scans read, kept in memory: the part of `History` that comparing, exports and reports ask."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sopauto.inventory.kept.history import History, Known
from sopauto.inventory.kept.sections import split


class ReadBefore:
    """Readings in the order in which they were kept, each of a scan of its own."""

    def __init__(self) -> None:
        self._read: list[Known] = []
        self._sections: dict[str, int] = {}
        self.asked: list[Sequence[int]] = []
        """The sections that were asked for, each time."""

    @property
    def history(self) -> History:
        """The readings as what is tried takes them."""
        return cast("History", self)

    def add(self, server: str, at: datetime, snapshot: Mapping[str, Any]) -> None:
        """Keep a snapshot."""
        parts = {name: self._number(content) for name, content in split(snapshot).items()}
        self._read.append(Known(server=server, scan=len(self._read) + 1, taken_at=at, parts=parts))

    def known(self, at: datetime, servers: Sequence[str] = ()) -> Mapping[str, Known]:
        read = [one for one in self._read if one.taken_at <= at and (not servers or one.server in servers)]
        return {one.server: one for one in sorted(read, key=lambda one: (one.server, one.moment))}

    def first(self, servers: Sequence[str] = ()) -> Mapping[str, Known]:
        read = [one for one in self._read if not servers or one.server in servers]
        return {one.server: one for one in sorted(read, key=lambda one: one.moment, reverse=True)}

    def all_of(self, server: str) -> Sequence[Known]:
        return sorted((one for one in self._read if one.server == server), key=lambda one: one.moment)

    def failed(self, after: datetime, until: datetime) -> Collection[str]:
        return ()

    def sections(self, numbers: Sequence[int]) -> Mapping[int, Any]:
        self.asked.append(numbers)
        contents = {number: json.loads(text) for text, number in self._sections.items()}
        return {number: contents[number] for number in numbers}

    def _number(self, content: object) -> int:
        return self._sections.setdefault(json.dumps(content, sort_keys=True), len(self._sections) + 1)
