"""Whether a journal holds: the chain, each signature, whose key it is, and each document. Pure.

Whether the SOP allowed what was done is checked in `tickets/verifying.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sopauto.errors import SopautoError
from sopauto.journal.entry import Entry, read_body
from sopauto.journal.sshsig import BadSignatureError, verify

ZERO: Final = "0" * 64
MENDED: Final = "clock"
"""The verb of an entry that says which entries bear a time of a clock that was wrong."""
CLOCK: Final = "clock"
"""Under what it says so in its data."""
Older = tuple[int, str, str]
"""An entry's number, its time, and that of the entry before it, as both were signed."""

Keys = Callable[[str, date], Collection[str]]
"""The public keys of a person on a day."""
Holds = Callable[[str, str, date], bool]
"""Whether a person held a position on a day."""
Then = Callable[[Entry], "Staff | None"]
"""Who was who by the people file of an entry's own day; None when that file is not kept."""
Document = Callable[[str], bytes | None]
"""The content kept under a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Whose keys and positions were whose, by one people file."""

    keys: Keys
    holds: Holds


def findings_of(
    entries: Sequence[Entry], *, keys: Keys, holds: Holds, document: Document, then: Then | None = None
) -> list[str]:
    """Return what does not hold about one ticket's entries, each as a sentence; empty when all holds.

    `then` gives the people of each entry's own day; without it, `keys` and `holds` speak for all.
    """
    present = Staff(keys=keys, holds=holds)
    if not entries:
        return ["the ticket has no entries"]
    mended = _mended(entries)
    found: list[str] = []
    for expected, entry in enumerate(entries, start=1):
        where = f"{entry.ticket} entry {entry.number}"
        previous = entries[expected - 2] if expected > 1 else None
        if entry.number != expected:
            found.append(f"{where}: entry {expected} should stand here")
        found += [f"{where}: {what}" for what in _of_entry(entry, previous, document)]
        if (older := _older(entry, previous)) and older not in mended:
            found.append(f"{where}: is older than the entry before it (see `inv ticket.mend-clock`)")
        found += [f"{where}: {what}" for what in _of_person(entry, previous, then or (lambda _: present))]
    return found


def misordered(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return which entries are older than the one before them and not mended yet, as the mending entry says it."""
    mended = _mended(entries)
    pairs = ((entry, entries[place - 1] if place else None) for place, entry in enumerate(entries))
    found = [older for entry, previous in pairs if (older := _older(entry, previous)) and older not in mended]
    return [dict(zip(("entry", "at", "before"), older, strict=True)) for older in found]


def mending(entries: Sequence[Entry]) -> list[int]:
    """Return the numbers of the entries that mend times of others."""
    return [entry.number for entry in entries if read_body(entry.body)["verb"] == MENDED]


def findings_of_openings(openings: Sequence[Entry]) -> list[str]:
    """Return whether a ticket is missing, or stands in another order than tickets were opened."""
    found, prev = [], ZERO
    for entry in openings:
        if entry.prev != prev:
            found.append(f"{entry.ticket} entry 1: does not follow the ticket that stands before it; one is missing")
        prev = entry.digest
    return found


def _of_entry(entry: Entry, previous: Entry | None, document: Document) -> Iterator[str]:
    try:
        body = read_body(entry.body)
        at = datetime.fromisoformat(body["at"])
    except (SopautoError, ValueError):
        yield "its text cannot be read"
        return
    if at.tzinfo is None:
        yield "its time has no zone"
    if (body["ticket"], body["number"], body["prev"]) != (entry.ticket, entry.number, entry.prev):
        yield "is not the entry that its signed text says it is"
    if previous is not None and entry.prev != previous.digest:
        yield "does not follow the entry before it"
    yield from _of_documents(body, document)


def _older(entry: Entry, previous: Entry | None) -> Older | None:
    """Return number, time and the earlier time of an entry that is older than the one before it."""
    if previous is None:
        return None
    try:
        at, before = (read_body(each.body)["at"] for each in (entry, previous))
        return (entry.number, at, before) if datetime.fromisoformat(at) < datetime.fromisoformat(before) else None
    except (SopautoError, ValueError, TypeError):
        return None  # what cannot be read or has no zone is found as such


def _mended(entries: Sequence[Entry]) -> set[Older]:
    """Return what entries signed afterwards say of times that a wrong clock gave, exactly as they say it."""
    found: set[Older] = set()
    for entry in entries:
        with suppress(SopautoError, KeyError, TypeError, AttributeError):
            body = read_body(entry.body)
            if body["verb"] == MENDED:
                those = [(each["entry"], each["at"], each["before"]) for each in body["data"][CLOCK]]
                found |= {each for each in those if each[0] <= entry.number}
    return found


def _of_person(entry: Entry, previous: Entry | None, then: Then) -> Iterator[str]:
    """Yield whether it was signed by whom it names, with a key and in a position that were theirs on that day."""
    try:
        verify(entry.body, entry.signature, entry.key)
    except BadSignatureError as error:
        yield f"its signature does not hold: {error}"
    body = _readable(entry)
    if body is None:
        return
    if "people" not in body and previous is not None and "people" in (_readable(previous) or {}):
        yield "names no people file, though the entry before it does"
    person, position, on = body["person"], body["position"], datetime.fromisoformat(body["at"]).date()
    staff = then(entry)
    if staff is None:
        yield "the people file of its day is missing or not the one that was signed"
        return
    if entry.key not in staff.keys(person, on):
        yield f"it was signed with a key that was not {person}'s on {on.isoformat()}"
    if not staff.holds(person, position, on):
        yield f"{person} did not hold {position} on {on.isoformat()}"


def _readable(entry: Entry) -> dict[str, Any] | None:
    try:
        body = read_body(entry.body)
        datetime.fromisoformat(body["at"])
    except (SopautoError, ValueError):
        return None
    return body


def _of_documents(body: dict[str, Any], document: Document) -> Iterator[str]:
    for reference in body["documents"]:
        content = document(reference["sha256"])
        if content is None:
            yield f"its document {reference['name']} is missing"
        elif hashlib.sha256(content).hexdigest() != reference["sha256"]:
            yield f"its document {reference['name']} is not the one that was signed"
