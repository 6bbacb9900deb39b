"""Time limits are counted in office hours."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopauto.clock import OfficeHours, SystemClock, day_in_words, moment_in_words

ZONE = ZoneInfo("Asia/Jakarta")
WEEK = {
    **dict.fromkeys(range(4), ((time(7, 30), time(12)), (time(13), time(16)))),
    4: ((time(7, 30), time(11, 30)), (time(13), time(16, 30))),
}
HOURS = OfficeHours(zone=ZONE, week=WEEK, extra_holidays=frozenset({date(2026, 11, 25)}))


def at(day: int, hour: int, minute: int = 0, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        (at(23, 9), 15, at(23, 9, 15)),
        (at(23, 11, 50), 15, at(23, 13, 5)),  # over lunch
        (at(23, 15, 30), 60, at(24, 8)),  # over night
        (at(27, 16, 15), 60, at(30, 8, 15)),  # Friday to Monday
        (at(21, 10), 60, at(23, 8, 30)),  # begun on a Saturday
        (at(24, 15, 30), 60, at(26, 8)),  # over a day off of the agency
        (at(23, 5), 30, at(23, 8)),  # before the office opens
    ],
)
def test_minutes_count_only_while_the_office_is_open(start: datetime, minutes: int, due: datetime) -> None:
    assert HOURS.deadline(start, timedelta(minutes=minutes)) == due


def test_national_holidays_do_not_count() -> None:
    assert not HOURS.is_open_on(date(2026, 8, 17))
    assert HOURS.deadline(at(14, 16, 15, month=8), timedelta(minutes=30)) == at(18, 7, 45, month=8)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        (at(23, 9), 1, at(24, 16)),
        (at(24, 9), 1, at(26, 16)),  # over a day off
        (at(27, 9), 1, at(30, 16)),
        (at(21, 9), 1, at(24, 16)),  # begun on a Saturday: the day counts from Monday
    ],
)
def test_an_office_day_ends_with_the_next_office_day(start: datetime, days: int, due: datetime) -> None:
    assert HOURS.deadline(start, None, days) == due


def test_without_a_limit_there_is_no_deadline() -> None:
    assert HOURS.deadline(at(23, 9), None) is None
    assert HOURS.deadline(at(23, 9), timedelta()) is None


def test_an_office_that_never_opens_has_no_deadline() -> None:
    assert OfficeHours(zone=ZONE, week={}).deadline(at(23, 9), timedelta(minutes=1)) is None


FIRST, LAST = datetime(2026, 1, 1), datetime(2026, 12, 1)  # noqa: DTZ001 - hypothesis wants naive bounds


@given(
    start=st.datetimes(min_value=FIRST, max_value=LAST, timezones=st.just(ZONE)),
    minutes=st.integers(min_value=1, max_value=3000),
)
def test_a_deadline_is_later_lies_in_office_hours_and_grows_with_the_limit(start: datetime, minutes: int) -> None:
    due = HOURS.deadline(start, timedelta(minutes=minutes))
    later = HOURS.deadline(start, timedelta(minutes=minutes + 1))
    assert due is not None
    assert later is not None
    assert due >= start + timedelta(minutes=minutes)
    assert later > due
    assert HOURS.is_open_on(due.date())
    assert any(begin <= due.time() <= end for begin, end in WEEK[due.weekday()])


def test_the_clock_is_aware_and_whole_seconds() -> None:
    now = SystemClock(ZONE).now()
    assert now.tzinfo is ZONE
    assert now.microsecond == 0


def test_days_and_moments_in_words() -> None:
    assert day_in_words(date(2026, 11, 24)) == "24 November 2026"
    assert moment_in_words(at(24, 9)) == "Selasa, 24 November 2026 pukul 09.00"
