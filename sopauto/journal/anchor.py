"""Anchors: where every ticket's journal stood at one moment, kept outside, so that a fork or a cut end shows. Pure.

An anchor is plain text, one JSON object a line: first the moment, then each ticket in the order of opening. No chain
can show by itself that its newest links were taken away, or that two copies of it both went on; held against an anchor
that lies elsewhere, it does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sopauto.errors import BadInput
from sopauto.journal.entry import Entry

NAMESPACE: Final = "sopauto-anchor"
"""What signatures of anchors are for: one of an entry does not count here, nor the other way round."""
VERSION: Final = 1
HEAD: Final = {"anchor", "at", "openings", "people", "person", "tickets"}
MARK: Final = {"ticket", "opening", "entries", "head", "row"}
DIGEST: Final = re.compile("[0-9a-f]{64}")
MEND: Final = "give an anchor as `inv ticket.anchor` writes it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where one ticket stood: digests of its first and its last entry, how many there were, and its row or state."""

    ticket: str
    opening: str
    entries: int
    head: str
    row: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """Where all tickets stood (or one, in its archive), in the order of opening.

    `openings` is the digest of the last opening among them (64 zeros: none), `people` that of the people file that the
    newest entry names, `person` who signed the anchor (None: nobody).
    """

    at: datetime
    person: str | None
    openings: str
    people: str | None
    marks: tuple[Mark, ...]


def write_anchor(anchor: Anchor) -> bytes:
    """Return the text of an anchor: the same anchor, the same bytes."""
    head = {
        "anchor": VERSION,
        "at": anchor.at.isoformat(timespec="seconds"),
        "openings": anchor.openings,
        "people": anchor.people,
        "person": anchor.person,
        "tickets": len(anchor.marks),
    }
    marks = ({name: getattr(mark, name) for name in MARK} for mark in anchor.marks)
    return "".join(f"{_line(line)}\n" for line in (head, *marks)).encode()


def read_anchor(content: bytes, where: str) -> Anchor:
    """Return what an anchor says; raises BadInput, with file and line."""
    lines = [_object(line, f"{where} line {number}") for number, line in enumerate(content.splitlines(), start=1)]
    if not lines:
        raise BadInput("the anchor is empty", where=where, mend=MEND)
    head, marks = lines[0], lines[1:]
    if head.keys() != HEAD or head["anchor"] != VERSION:
        raise BadInput("this is no anchor", where=f"{where} line 1", mend=MEND)
    if head["tickets"] != len(marks):
        what = f"the anchor names {head['tickets']} tickets and has {len(marks)}: it was cut or added to"
        raise BadInput(what, where=where, mend="get it anew from where it is kept")
    try:
        return Anchor(
            at=_moment(head["at"]),
            person=_text(head["person"]) if head["person"] is not None else None,
            openings=_digest(head["openings"]),
            people=_digest(head["people"]) if head["people"] is not None else None,
            marks=tuple(_mark(mark) for mark in marks),
        )
    except (ValueError, KeyError) as error:
        raise BadInput(f"the anchor is malformed ({error})", where=where, mend=MEND) from None


def findings_of_anchor(anchor: Anchor, name: str, openings: Sequence[Entry], ends: Iterable[Entry]) -> list[str]:
    """Return where a journal is not the one that an anchor was made of, each as a sentence; empty when it is.

    `openings` are all first entries in order, `ends` the entries that the marks name, as far as they are there.
    """
    there = {entry.ticket: entry for entry in openings}
    last = {(entry.ticket, entry.number): entry for entry in ends}
    found = []
    for mark in anchor.marks:
        found += [f"{mark.ticket}: {what} ({name})" for what in _of_mark(mark, there, last)]
    return found


def newer_than(anchor: Anchor, openings: Sequence[Entry]) -> list[str]:
    """Return the tickets that were opened after an anchor was made."""
    known = {mark.ticket for mark in anchor.marks}
    return [entry.ticket for entry in openings if entry.ticket not in known]


def of_ticket(anchor: Anchor, ticket: str) -> Mark | None:
    """Return the mark of a ticket (None: it is newer than the anchor)."""
    return next((mark for mark in anchor.marks if mark.ticket == ticket), None)


def _of_mark(mark: Mark, there: Mapping[str, Entry], last: Mapping[tuple[str, int], Entry]) -> Iterator[str]:
    if mark.ticket not in there:
        yield f"is missing; the anchor has it with {mark.entries} entries"
        return
    if there[mark.ticket].digest != mark.opening:  # an opening names the one before it: so the order is the same, too
        yield "was opened by another entry than the anchor has: this is another ticket, or a forked journal"
        return
    entry = last.get((mark.ticket, mark.entries))
    if entry is None:
        yield f"entry {mark.entries} is missing; the anchor has it: the end was cut off"
    elif entry.digest != mark.head:
        yield f"entry {mark.entries} is another than the anchor has: the journal was forked or replaced"


def _line(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise BadInput("this is no line of an anchor", where=where, mend=MEND)
    return data


def _mark(data: dict[str, Any]) -> Mark:
    if data.keys() != MARK or not isinstance(data["entries"], int) or data["entries"] < 1:
        raise ValueError(f"{str(data)[:60]} is no ticket's line")
    texts = {"ticket": _text(data["ticket"]), "row": _text(data["row"])}
    return Mark(**texts, opening=_digest(data["opening"]), entries=data["entries"], head=_digest(data["head"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{str(value)[:60]} is no text")
    return value


def _digest(value: Any) -> str:
    if not DIGEST.fullmatch(_text(value)):
        raise ValueError(f"{value[:60]} is no SHA-256")
    return str(value)


def _moment(value: Any) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError(f"{value[:60]} has no time zone")
    return at
