"""Anchors of the journal: making one of what the store has, and holding the store against those kept elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

from sopauto.errors import BadInput, StepFailed
from sopauto.journal.anchor import NAMESPACE, Anchor, Mark, findings_of_anchor, newer_than, of_ticket
from sopauto.journal.entry import read_body
from sopauto.journal.sshsig import BadSignatureError, parse, verify
from sopauto.journal.verify import ZERO
from sopauto.people import People
from sopauto.tickets.people_then import PeopleThen
from sopauto.tickets.storage import Reader, Stand

UNSIGNED = "is not signed: it proves as much as the place where it was kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An anchor that was kept: the file's name, its bytes, what it says, and the signature beside it (None: none)."""

    name: str
    content: bytes
    anchor: Anchor
    signature: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What anchors say of the journal: what does not hold, and what a reader should know besides."""

    findings: tuple[str, ...]
    notes: tuple[str, ...]


class Office(Protocol):
    """What checking takes: whose key is whose."""

    @property
    def people(self) -> People:
        """The people, dated."""


def refuse_broken(stand: Stand) -> None:
    """Refuse a journal that is not as long, or does not end, as the ticket's row says; raises StepFailed."""
    if stand.opening is None or stand.end is None or stand.kept != stand.entries or stand.end.digest != stand.head:
        raise StepFailed(
            f"the journal of {stand.ticket} has {stand.kept} entries, and its row speaks of {stand.entries} "
            f"that end in {stand.head[:12]}; nothing was written",
            mend="`inv ticket.verify all` says what is wrong; keep a copy, call the auditor",
        )


def take_anchor(reader: Reader, *, at: datetime, person: str | None) -> Anchor:
    """Return where every ticket stands; raises StepFailed when a journal is not as long as its row says."""
    stands = reader.stands()
    for stand in stands:
        refuse_broken(stand)
    openings = [stand.opening.digest for stand in stands if stand.opening]
    return Anchor(
        at=at,
        person=person,
        openings=openings[-1] if openings else ZERO,
        people=_people_of(stands),
        marks=tuple(map(mark_of, stands)),
    )


def anchor_of(stand: Stand, *, at: datetime, person: str | None) -> Anchor:
    """Return an anchor of one ticket alone: what its archive says of its end."""
    assert stand.opening is not None
    return Anchor(
        at=at, person=person, openings=stand.opening.digest, people=_people_of([stand]), marks=(mark_of(stand),)
    )


def mark_of(stand: Stand) -> Mark:
    """Return the mark of a ticket whose journal is whole."""
    assert stand.opening is not None
    return Mark(
        ticket=stand.ticket, opening=stand.opening.digest, entries=stand.entries, head=stand.head, row=stand.row
    )


def hold_against(office: Office, reader: Reader, given: Sequence[Given], ticket: str | None = None) -> Held:
    """Hold the journal (or one ticket's) against anchors that were kept elsewhere."""
    openings = reader.openings()
    found: list[str] = []
    notes: list[str] = []
    for one in given:
        anchor, wrong = one.anchor, _of_signature(PeopleThen(office.people, reader), one)
        found += wrong
        if not wrong and anchor.person is None:
            notes.append(f"{one.name} {UNSIGNED}")
        asked = replace(anchor, marks=tuple(mark for mark in anchor.marks if ticket in {None, mark.ticket}))
        ends = [entry for mark in asked.marks if (entry := reader.entry(mark.ticket, mark.entries))]
        found += findings_of_anchor(asked, one.name, openings, ends)
        found += _of_people(reader, one)
        notes += _newer(reader, one, newer_than(anchor, openings), ticket)
    return Held(findings=tuple(found), notes=tuple(notes))


def _newer(reader: Reader, given: Given, tickets: Sequence[str], only: str | None) -> list[str]:
    """Return what is newer than an anchor, in one line."""
    day = given.anchor.at.isoformat(timespec="minutes")
    if only is not None:
        mark = of_ticket(given.anchor, only)
        grown = len(reader.entries(only)) - (mark.entries if mark else 0)
        what = f"{only}: {'' if mark else 'the ticket and '}{grown} entries are newer than {given.name} ({day})"
        return [what] if grown > 0 else []
    total = sum(stand.kept for stand in reader.stands()) - sum(mark.entries for mark in given.anchor.marks)
    if not tickets and total <= 0:
        return []
    named = f": {', '.join(tickets[:5])}{', …' if len(tickets) > 5 else ''}" if tickets else ""  # noqa: PLR2004
    return [f"{len(tickets)} tickets and {total} entries are newer than {given.name} ({day}){named}"]


def _of_signature(then: PeopleThen, given: Given) -> list[str]:
    """Return whether an anchor is signed by whom it names, with a key that was theirs then."""
    person, name = given.anchor.person, given.name
    if person is None:
        return [f"{name}: a signature lies beside it, though it names nobody"] if given.signature else []
    if given.signature is None:
        return [f"{name}: names {person}, but there is no {name}.sig beside it"]
    try:
        key = parse(given.signature).public_key
        verify(given.content, given.signature, key, namespace=NAMESPACE)
    except BadSignatureError as error:
        return [f"{name}: its signature does not hold: {error}"]
    on = given.anchor.at.date()
    # The people file of the newest entry, or a later one: a key may be newer than any entry.
    kept = then.kept(given.anchor.people) if given.anchor.people else None
    if not any(key in _keys(people, person, on) for people in (kept, then.today) if people):
        return [f"{name}: it was signed with a key that was not {person}'s on {on.isoformat()}"]
    return []


def _keys(people: People, person: str, on: date) -> frozenset[str]:
    try:
        return frozenset(key.public for key in people.keys(person, on))
    except BadInput:
        return frozenset()


def _of_people(reader: Reader, given: Given) -> list[str]:
    """Return whether the people file that an anchor names is still kept."""
    digest = given.anchor.people
    try:
        if digest is not None:
            reader.document(digest)
    except BadInput:
        return [f"{given.name}: the people file that it names is missing"]
    return []


def _people_of(stands: Sequence[Stand]) -> str | None:
    """Return the people file that the newest entry names (None: it names none)."""
    bodies = [read_body(stand.end.body) for stand in stands if stand.end]
    newest = max(bodies, key=lambda body: datetime.fromisoformat(body["at"]), default=None)
    return newest.get("people") if newest else None
