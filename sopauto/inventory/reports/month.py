"""A month of the inventory: where it begins and ends, and what its recapitulation is counted over."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from sopauto.assets.model import Rack, Server
from sopauto.clock import MONTHS
from sopauto.errors import BadInput
from sopauto.inventory.comparing.difference import Comparison, compare
from sopauto.inventory.comparing.drift import Drift
from sopauto.inventory.kept.history import BY_FORM, History, Reading, Scan
from sopauto.inventory.kept.latest import snapshots
from sopauto.inventory.reports.recap import Bounds, Counting, Room, recap
from sopauto.inventory.reports.support import load_support
from sopauto.settings import Settings

WRITTEN: Final = re.compile(r"(19[7-9][0-9]|[2-8][0-9]{3})-(0[1-9]|1[0-2])", re.ASCII)
RECENT: Final = 100
"""Scans that are looked through for the month's."""


def month_of(text: str, today: date) -> date:
    """Return the first day of a month (`2026-11`; empty: the present one); raises BadInput (none, or it is to come)."""
    found = WRITTEN.fullmatch(text) if text else None
    if text and not found:
        raise BadInput(f"{text[:40]!r} is no month", mend="write e.g. 2026-11")
    first = date(int(found[1]), int(found[2]), 1) if found else today.replace(day=1)
    if first > today:
        raise BadInput(f"{text} is yet to come", mend="write a month that has begun")
    return first


def in_words(month: date) -> str:
    """Return a month as Indonesian papers write it: November 2026."""
    return f"{MONTHS[month.month - 1]} {month.year}"


def moments(month: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the last moments of the month before, and of the month."""
    last = month.replace(day=calendar.monthrange(month.year, month.month)[1])
    return datetime.combine(month - timedelta(days=1), time.max, zone), datetime.combine(last, time.max, zone)


def begin_counting(settings: Settings, at: datetime) -> Counting:
    """Return what counts as of a moment; raises BadInput (the agency's `end_of_life.yaml`)."""
    bounds = Bounds(full_at=settings.inventory.full_at, warn_days=settings.inventory.warn_days)
    return Counting(today=at.astimezone(settings.zone).date(), support=load_support(settings.root), bounds=bounds)


def recapitulate(
    comparison: Comparison,
    counting: Counting,
    servers: Sequence[Server],
    racks: Sequence[Rack],
    drift: Sequence[Drift],
    *,
    month: date,
    before: datetime,
    at: datetime,
) -> dict[str, Any]:
    """Return the recapitulation of a month, as of its end or, while it lasts, of now (shape: `recap.recap`).

    `before` is the last moment of the month before. Only places and racks are those of today.
    """
    history = comparison.history
    names = [server.id for server in servers]
    read: set[str] = set()
    if names:
        for server, snapshot in snapshots(history, at, names):
            counting.add(server, snapshot)
            if datetime.fromisoformat(snapshot["taken_at"]) > before:
                read.add(server)
    unread = _unread(history, before, at)
    read -= {one.server for one in unread}
    by_form = {name for name, one in history.known(at, sorted(read)).items() if one.by_form} if read else set()
    room = Room(
        servers=servers,
        racks=racks,
        read=len(read - by_form),
        by_form=len(by_form),
        unread=unread,
        differences=list(compare(comparison, before, at, names)) if names else [],
        drift=drift,
    )
    return recap(counting, room, month=in_words(month))


def nothing_read(history: History, scan: Scan) -> bool:
    """Tell whether a scan asked servers and none of them could be read."""
    unread = history.unread(scan.id)
    asked = [one for one in unread if one.reason != BY_FORM]
    return bool(asked) and len(unread) == len(history.read_in(scan.id))


def _unread(history: History, after: datetime, until: datetime) -> Sequence[Reading]:
    """Return what the month's newest scan of the whole room could not read, and no other scan has read since.

    A form may be filled at any time of the month, also before the scan.
    """
    # Each form is a scan of its own: a hundred of them must not hide the month's.
    for scan in history.scans(RECENT, until, whole=True):
        if after < scan.begun_at <= until:
            unread = history.unread(scan.id)
            known = history.known(until, [one.server for one in unread]) if unread else {}
            since = {one.server: after if one.reason == BY_FORM else scan.begun_at for one in unread}
            later = {name for name, one in known.items() if one.taken_at >= since[name]}
            return [one for one in unread if one.server not in later]
    return []
