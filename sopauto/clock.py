"""Time: the machine's clock, and office hours with holidays (design rule 6)."""

from __future__ import annotations

import time as time_
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

Period = tuple[time, time]
HORIZON: Final = 3660
"""Days after which a deadline is given up: the office never opens."""
DAYS: Final = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
MONTHS: Final = (
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
)


def day_in_words(day: date) -> str:
    """Return a day as Indonesian papers write it: 24 November 2026."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def moment_in_words(at: datetime) -> str:
    """Return a moment as Indonesian letters write it: Selasa, 24 November 2026 pukul 09.00."""
    return f"{DAYS[at.weekday()]}, {day_in_words(at.date())} pukul {at:%H.%M}"


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock in a time zone, to the second: nothing in an SOP is finer."""

    zone: ZoneInfo

    def now(self) -> datetime:
        """Return the present moment, aware."""
        return datetime.now(self.zone).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Steady:
    """A moment, and how long ago it is by a counter that nobody can set."""

    begun: datetime
    seconds: float

    @classmethod
    def begin(cls, clock: Clock) -> Steady:
        """Begin to count now."""
        return cls(clock.now(), _counter())

    def now(self) -> datetime:
        """Return the moment, and what has passed since, to the second."""
        return self.begun + timedelta(seconds=int(_counter() - self.seconds))


def _counter() -> float:
    """Return seconds that pass also while the machine sleeps."""
    return time_.clock_gettime(time_.CLOCK_BOOTTIME) if hasattr(time_, "CLOCK_BOOTTIME") else time_.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeHours:
    """When the office is open: periods by weekday (0 is Monday), the country's holidays, and further days off."""

    zone: ZoneInfo
    week: Mapping[int, Sequence[Period]]
    country: str | None = "ID"
    extra_holidays: frozenset[date] = field(default_factory=frozenset)

    def deadline(self, start: datetime, office_time: timedelta | None, office_days: int = 0) -> datetime | None:
        """Return when so much office time has passed since a moment (None: no time is set).

        A number of office days ends at the close of the n-th office day after the day on which it began; what begins
        on a day off begins on the next office day.
        """
        if office_days:
            return self._end_of_day(start, office_days)
        return self._after(start, office_time) if office_time else None

    def is_open_on(self, day: date) -> bool:
        """Tell whether a day is an office day."""
        return bool(self.week.get(day.weekday())) and not self._is_holiday(day)

    def _is_holiday(self, day: date) -> bool:
        return day in self.extra_holidays or (self.country is not None and day in _holidays(self.country, day.year))

    def _periods(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the office's periods from the day of a moment on."""
        first = start.astimezone(self.zone).date()
        for offset in range(HORIZON):
            day = first + timedelta(days=offset)
            if self.is_open_on(day):
                for begin, end in self.week[day.weekday()]:
                    yield self._at(day, begin), self._at(day, end)

    def _after(self, start: datetime, left: timedelta) -> datetime | None:
        for begin, end in self._periods(start):
            begin = max(begin, start)  # noqa: PLW2901 - what is past of the first day does not count
            if begin >= end:
                continue
            if end - begin >= left:
                return begin + left
            left -= end - begin
        return None

    def _end_of_day(self, start: datetime, days: int) -> datetime | None:
        ends = {begin.date(): end for begin, end in self._days(start, days)}
        return ends[max(ends)] if len(ends) > days else None

    def _days(self, start: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
        seen: set[date] = set()
        for begin, end in self._periods(start):
            seen.add(begin.date())
            if len(seen) > days + 1:
                return
            yield begin, end

    def _at(self, day: date, moment: time) -> datetime:
        return datetime.combine(day, moment, tzinfo=self.zone)


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    import holidays

    return frozenset(holidays.country_holidays(country, years=year))
