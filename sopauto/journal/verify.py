"""Whether a journal holds: the chain, each signature, whose key it is, and each document. Pure.

Whether the SOP allowed what was done is checked in `tickets/verifying.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from sopauto.errors import SopautoError
from sopauto.journal.entry import Entry, read_body
from sopauto.journal.sshsig import BadSignatureError, verify

ZERO: Final = "0" * 64

Keys = Callable[[str, date], Collection[str]]
"""The public keys of a person on a day."""
Holds = Callable[[str, str, date], bool]
"""Whether a person held a position on a day."""
Document = Callable[[str], bytes | None]
"""The content kept under a digest."""


def findings_of(entries: Sequence[Entry], *, keys: Keys, holds: Holds, document: Document) -> list[str]:
    """Return what does not hold about one ticket's entries, each as a sentence; empty when all holds."""
    if not entries:
        return ["the ticket has no entries"]
    found: list[str] = []
    for expected, entry in enumerate(entries, start=1):
        where = f"{entry.ticket} entry {entry.number}"
        previous = entries[expected - 2] if expected > 1 else None
        if entry.number != expected:
            found.append(f"{where}: entry {expected} should stand here")
        found += [f"{where}: {what}" for what in _of_entry(entry, previous, keys, holds, document)]
    return found


def findings_of_openings(openings: Sequence[Entry]) -> list[str]:
    """Return whether a ticket is missing, or stands in another order than tickets were opened."""
    found, prev = [], ZERO
    for entry in openings:
        if entry.prev != prev:
            found.append(f"{entry.ticket} entry 1: does not follow the ticket that stands before it; one is missing")
        prev = entry.digest
    return found


def _of_entry(entry: Entry, previous: Entry | None, keys: Keys, holds: Holds, document: Document) -> Iterator[str]:
    try:
        body = read_body(entry.body)
        at = datetime.fromisoformat(body["at"])
    except (SopautoError, ValueError):
        yield "its text cannot be read"
        return
    if (body["ticket"], body["number"], body["prev"]) != (entry.ticket, entry.number, entry.prev):
        yield "is not the entry that its signed text says it is"
    if previous is not None and entry.prev != previous.digest:
        yield "does not follow the entry before it"
    if previous is not None and at < datetime.fromisoformat(read_body(previous.body)["at"]):
        yield "is older than the entry before it"
    yield from _of_signature(entry, body, at.date(), keys, holds)
    yield from _of_documents(body, document)


def _of_signature(entry: Entry, body: dict[str, Any], on: date, keys: Keys, holds: Holds) -> Iterator[str]:
    person, position = body["person"], body["position"]
    try:
        verify(entry.body, entry.signature, entry.key)
    except BadSignatureError as error:
        yield f"its signature does not hold: {error}"
    if entry.key not in keys(person, on):
        yield f"it was signed with a key that was not {person}'s on {on.isoformat()}"
    if not holds(person, position, on):
        yield f"{person} did not hold {position} on {on.isoformat()}"


def _of_documents(body: dict[str, Any], document: Document) -> Iterator[str]:
    for reference in body["documents"]:
        content = document(reference["sha256"])
        if content is None:
            yield f"its document {reference['name']} is missing"
        elif hashlib.sha256(content).hexdigest() != reference["sha256"]:
            yield f"its document {reference['name']} is not the one that was signed"
