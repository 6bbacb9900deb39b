"""Reading a controller's event file: which card was at which door when. Bounded, line by line; the file is hostile."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from sopauto.access.model import Event
from sopauto.access_settings import Access
from sopauto.errors import BadInput

MAX_BYTES: Final = 256 * 1024 * 1024
LONGEST_CARD: Final = 40


def read_events(path: Path, access: Access, zone: ZoneInfo) -> Iterator[Event]:
    """Yield the events of a CSV file, one line in memory at a time; moments without a zone are the office's.

    Raises: BadInput, with file and line.
    """
    try:
        if not path.is_file():
            raise BadInput("not a regular file", where=str(path), mend="name the controller's event file")
        if path.stat().st_size > MAX_BYTES:
            raise BadInput("larger than 256 MiB", where=str(path), mend="export fewer days")
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _events(csv.DictReader(file, delimiter=access.events.delimiter), access, zone, str(path))
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", where=str(path), mend="check name and rights") from None
    except UnicodeDecodeError:
        raise BadInput("not UTF-8 text", where=str(path), mend="export it as UTF-8") from None


def _events(rows: csv.DictReader[str], access: Access, zone: ZoneInfo, file: str) -> Iterator[Event]:
    names = access.events
    missing = {names.at, names.card, names.zone} - set(rows.fieldnames or ())
    if missing:
        what = f"there is no column {min(missing)!r}"
        raise BadInput(what, where=f"{file}:1", mend="name the file's columns in [access.events]")
    try:
        for row in rows:
            yield _event(row, access, zone, f"{file}:{rows.line_num}")
    except csv.Error as error:
        raise BadInput(f"malformed CSV ({error})", where=f"{file}:{rows.line_num}", mend="export it anew") from None


def _event(row: Mapping[str, str | None], access: Access, zone: ZoneInfo, where: str) -> Event:
    names = access.events
    at = _moment((row[names.at] or "").strip(), names.time_format, zone, where)
    card = (row[names.card] or "").strip()
    if not card or len(card) > LONGEST_CARD or not card.isprintable():
        raise BadInput("this is no card number", where=where, mend=f"1 to {LONGEST_CARD} visible characters")
    reader = (row[names.zone] or "").strip()
    known = names.zones.get(reader, reader)
    if known not in access.zones:
        mend = "say which zone it guards in [access.events.zones]"
        raise BadInput(f"there is no zone {reader[:60]!r}", where=where, mend=mend)
    return Event(at=at, day=at.astimezone(zone).date(), card=card, zone=known)


def _moment(text: str, form: str, zone: ZoneInfo, where: str) -> datetime:
    try:
        at = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 - see below
        return at if at.tzinfo else at.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        mend = "see `time_format` of [access.events]"
        raise BadInput(f"{text[:40]!r} is no moment", where=where, mend=mend) from None
