"""Between which days a date or moment has to lie, as an SOP states it (`paling_awal`, `paling_lambat`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from sopauto.procedures.model import Field

NOW: Final = "sekarang"
TODAY: Final = re.compile(r"hari-ini(?P<days>[+-]\d{1,4})?", re.ASCII)
DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
DATED: Final = frozenset({"tanggal", "tanggal-jam"})
"""The kinds of field that have such bounds."""
MINUTE: Final = timedelta(seconds=59)
"""What a moment that is written to the minute leaves open."""

Span = tuple[datetime, datetime]
"""The first and the last moment of what a value says: a day is all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """When, for whom and beside what something is stated.

    `now` is the moment at the office, `unit` the id and the name of the requesting unit, `stated` what the letter and
    earlier rows say.
    """

    now: datetime
    unit: tuple[str, str]
    stated: Mapping[str, Any] = field(default_factory=dict)


def is_bound(text: str) -> bool:
    """Tell whether a text is a bound: `sekarang`, `hari-ini`, `hari-ini+30`, a day, or the name of another field."""
    if DAY.fullmatch(text):
        return _day(text) is not None
    return text == NOW or bool(TODAY.fullmatch(text)) or bool(NAME.fullmatch(text))


def named(text: str) -> str | None:
    """Return the field that a bound names (None: it names none)."""
    return text if text != NOW and NAME.fullmatch(text) and not TODAY.fullmatch(text) else None


def fault(asked: Asked, values: Mapping[str, Any], of: Field) -> tuple[str, str] | None:
    """Return what is wrong with the day of a checked value, and how to mend it (None: nothing)."""
    zone = asked.now.tzinfo
    first, last = _span(str(values[of.name]), zone)
    for bound, word, before in ((of.earliest, "before", True), (of.latest, "after", False)):
        span = _bound(bound, asked, values)
        if span is None or not (last < span[0] if before else first > span[1]):
            continue
        edge = span[0] if before else span[1]
        shown = edge.date().isoformat() if of.kind == "tanggal" else f"{edge:%Y-%m-%d %H:%M}"
        told = f"lies {word} {bound} ({shown}): {values[of.name]}"
        return told, f"write {shown} or {'later' if before else 'earlier'}"
    return None


def _bound(text: str | None, asked: Asked, values: Mapping[str, Any]) -> Span | None:
    """Return what a bound stands for (None: there is none, or the field that it names was left blank)."""
    if text is None:
        return None
    if text == NOW:
        return asked.now, asked.now
    if match := TODAY.fullmatch(text):
        day = asked.now.date() + timedelta(days=int(match["days"] or 0))
        return _span(day.isoformat(), asked.now.tzinfo)
    other = text if DAY.fullmatch(text) else {**asked.stated, **values}.get(text)
    return None if other is None else _span(str(other), asked.now.tzinfo)


def _span(text: str, zone: tzinfo | None) -> Span:
    day = _day(text)
    if day is not None:
        return datetime.combine(day, time.min, zone), datetime.combine(day, time.max, zone)
    at = datetime.fromisoformat(text)
    at = at if at.tzinfo else at.replace(tzinfo=zone)
    return at, at + MINUTE


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None
