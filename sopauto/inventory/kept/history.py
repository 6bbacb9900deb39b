"""What the monthly inventory keeps, as Protocols; `inventory/kept/store.py` keeps these promises."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

BY_FORM: Final = "by-form"
"""The reason of a reading that a scan leaves to a person, and of the one that the person's form makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came of one server in a scan: its snapshot, or why there is none.

    `reason` is one of the reasons of `scan.REASONS`; beside a snapshot it is BY_FORM (a person recorded it) or empty.
    `detail` says more for a person. `pinned` is the host key that the
    server showed at this first contact (None: its key was pinned before).
    """

    server: str
    taken_at: datetime
    snapshot: Mapping[str, Any] | None = None
    reason: str = ""
    detail: str = ""
    pinned: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A run over servers: when it began and ended (None: broken off, or it still runs), and how many it wants.

    `only` are the servers that were named (empty: all).
    """

    id: int
    begun_at: datetime
    ended_at: datetime | None
    wanted: int
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRun:
    """The monthly run of one month (`2026-11`): its scan, and when its report was sent (None: not yet)."""

    month: str
    scan: Scan
    reported_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A server's newest snapshot before some moment: in which scan, when, and which content each section has.

    Two snapshots with the same number for a section have the same content there. `by_form`: a person recorded it.
    """

    server: str
    scan: int
    taken_at: datetime
    parts: Mapping[str, int]
    by_form: bool = False

    @property
    def moment(self) -> tuple[datetime, int]:
        """What readings of a server are ordered by: the clock tells seconds, and two scans may share one."""
        return self.taken_at, self.scan


class History(Protocol):
    """All scans."""

    def alone(self) -> AbstractContextManager[None]:
        """Hold off any other scan of this store meanwhile; raises Conflict when one runs."""

    def begin(self, at: datetime, wanted: int, only: Sequence[str] = (), month: str = "") -> Scan:
        """Begin a scan, as that of a month where one is named; raises Conflict when the month has one."""

    def end(self, scan: int, at: datetime) -> None:
        """Write that a scan came to its end."""

    def reopen(self, scan: int) -> None:
        """Let a scan go on with the servers that it could not read."""

    def month_runs(self, limit: int) -> Sequence[MonthRun]:
        """Return the newest monthly runs, the newest first."""

    def scans(self, limit: int, until: datetime | None = None, *, whole: bool = False) -> Sequence[Scan]:
        """Return the newest scans, the newest first; those that were begun by then, where a moment is named.

        `whole`: only those of all servers.
        """

    def record(self, scan: int, readings: Sequence[Reading]) -> None:
        """Keep what came of some servers, all of it or none; a server that was read in this scan before stays."""

    def read_in(self, scan: int) -> Sequence[str]:
        """Return the servers that were read in a scan, by id."""

    def unread(self, scan: int) -> Sequence[Reading]:
        """Return the servers of a scan that have no snapshot, with the reason, by id."""

    def failed(self, after: datetime, until: datetime) -> Collection[str]:
        """Return the servers that a scan between two moments asked and could not read."""

    def known(self, at: datetime, servers: Sequence[str] = ()) -> Mapping[str, Known]:
        """Return the newest snapshot of each server (or of some) that was taken by then; of two, the later scan's."""

    def first(self, servers: Sequence[str] = ()) -> Mapping[str, Known]:
        """Return the oldest snapshot of each server (or of some); a form that was recorded anew holds as corrected."""

    def all_of(self, server: str) -> Sequence[Known]:
        """Return every snapshot of a server, the oldest first."""

    def sections(self, numbers: Sequence[int]) -> Mapping[int, Any]:
        """Return the content of sections by their number."""
