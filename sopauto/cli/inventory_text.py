"""How differences and drift are asked for and told."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, tzinfo
from typing import TYPE_CHECKING

from sopauto.cli.console import print_json, say
from sopauto.errors import BadInput

if TYPE_CHECKING:
    from sopauto.inventory.comparing.difference import Change, ServerDifference
    from sopauto.inventory.comparing.drift import Drift
    from sopauto.inventory.kept.history import History

MONTH = len("2026-11")
EPOCH, LAST = 1970, 9000
"""The years of dates that can be meant."""


def end_of(text: str, zone: tzinfo, now: datetime) -> datetime:
    """Return the last moment of a day (`2026-11-21`) or month (`2026-11`) of the agency's calendar that has begun.

    A time of the day may follow: `2026-11-21T14:30`. Raises: BadInput.
    """
    begin, end = _period(text, zone)
    if not EPOCH <= begin.year < LAST:
        raise _no_date(text)
    if begin > now:
        raise BadInput(f"{text} is yet to come", mend="write a date that has begun")
    return end


def _period(text: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first and the last moment of a month, a day or a moment; raises BadInput (none of them)."""
    try:
        if "T" in text:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            return moment, moment
        first = date.fromisoformat(f"{text}-01" if len(text) == MONTH else text)
    except ValueError:
        raise _no_date(text) from None
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1]) if len(text) == MONTH else first
    return datetime.combine(first, time.min, zone), datetime.combine(last, time.max, zone)


def _no_date(text: str) -> BadInput:
    mend = "write a day as 2026-11-21, a month as 2026-11, a moment as 2026-11-21T14:30"
    return BadInput(f"{text[:40]!r} is no date", mend=mend)


def tell_difference(found: Iterable[ServerDifference], *, before: str, after: str, zone: tzinfo, json: bool) -> None:
    """Print what changed between two dates, server by server."""
    if json:
        print_json([{**_plain(one), "state": one.state, "changes": _changes(one.changes)} for one in found])
        return
    count = 0
    for one in found:
        count += 1
        say(f"{one.server}: {_told(one, zone)}")
        for change in one.changes:
            say(f"  - {change.words}")
    say(f"{count} server berbeda antara {before} dan {after}" if count else f"tidak ada perubahan sejak {before}")


def _told(one: ServerDifference, zone: tzinfo) -> str:
    if one.state == "new":
        return f"baru didata pada {_day(one.after_at, zone)}"
    if one.state == "unread":
        return f"tidak terbaca lagi sejak {_day(one.after_at, zone)}"
    return f"{len(one.changes)} perubahan, {_day(one.before_at, zone)} sampai {_day(one.after_at, zone)}"


def _plain(one: ServerDifference) -> dict[str, str | None]:
    before = one.before_at.isoformat() if one.before_at else None
    return {"server": one.server, "before": before, "after": one.after_at.isoformat()}


def refuse_unread(history: History, until: datetime) -> None:
    """Raise BadInput where no server was read by then: nothing differs from nothing."""
    if not history.known(until):
        raise BadInput("no server was read until then", mend="`inv inventory.scan` reads them")


def tell_drift(found: Sequence[Drift], *, zone: tzinfo, json: bool) -> None:
    """Print what differs from what was approved and has no ticket."""
    if json:
        rows = [(one.server, one.since.isoformat(), one.taken_at.isoformat(), _changes(one.changes)) for one in found]
        print_json([dict(zip(("server", "approved", "read", "changes"), row, strict=True)) for row in rows])
        return
    for one in found:
        say(f"{one.server}: {len(one.changes)} perbedaan tanpa tiket sejak {_day(one.since, zone)}")
        for change in one.changes:
            say(f"  - {change.words}")
    say(f"{len(found)} server berbeda dari yang disetujui" if found else "semua server sesuai dengan yang disetujui")


def _changes(changes: Iterable[Change]) -> list[dict[str, str | None]]:
    return [change.as_json() for change in changes]


def _day(moment: datetime | None, zone: tzinfo) -> str:
    from sopauto.clock import day_in_words

    return day_in_words(moment.astimezone(zone).date()) if moment else "-"
