"""What is wrong with a people file that can be read: two persons who are one, dates that cross, names nobody defined.

Duties are separated by person: whoever stands in the file twice could approve the own request.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Final, TypeVar

from sopauto.email_address import is_email
from sopauto.people_model import Fault, Holding, Key, Person, Position
from sopauto.public_keys import material

T = TypeVar("T")
LOOK_ALIKE: Final = str.maketrans({"0": "o", "1": "l", ".": "-", "_": "-"})
"""What a reader cannot tell apart in an id."""
AS_DIGITS: Final = str.maketrans({"o": "0", "l": "1", "i": "1"})
"""Letters that read as digits in a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that the file says, each with its line. Holdings and keys know whose they are."""

    positions: Sequence[tuple[Position, int]]
    units: Sequence[tuple[str, int]]
    persons: Sequence[tuple[Person, int]]
    emails: Sequence[tuple[str, int]]
    keys: Sequence[tuple[str, Key, int]]
    holdings: Sequence[tuple[Holding, int]]


def faults_of(sheet: Sheet) -> tuple[Fault, ...]:
    """Return everything that is wrong, by line."""
    rules: tuple[Callable[[Sheet], Iterator[Fault]], ...] = (
        _ids,
        _numbers,
        _emails,
        _keys,
        _dates,
        _overlaps,
        _positions,
        _units,
        _superiors,
        _direct_superiors,
    )
    found = [fault for rule in rules for fault in rule(sheet)]
    return tuple(sorted(found, key=lambda fault: fault.line))


def remarks_of(sheet: Sheet) -> tuple[str, ...]:
    """Return what is odd and not wrong: an office may share an e-mail address."""
    shared = _alike([(person.email.casefold(), person.id) for person, _ in sheet.persons])
    return tuple(f"{' and '.join(persons)} share the e-mail {email}" for email, persons in shared.items())


def _alike(pairs: Sequence[tuple[str, str]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for value, owner in pairs:
        found[value].append(owner)
    return {value: owners for value, owners in found.items() if len(owners) > 1}


def _twice(rows: Sequence[tuple[Hashable, T, int]]) -> Iterator[tuple[T, T, int, int]]:
    """Yield the first and each later row with the same value, and their lines."""
    first: dict[Hashable, tuple[T, int]] = {}
    for value, row, line in rows:
        if value in first:
            yield first[value][0], row, first[value][1], line
        else:
            first[value] = (row, line)


def _ids(sheet: Sheet) -> Iterator[Fault]:
    kinds: Mapping[str, Sequence[tuple[str, int]]] = {
        "position": [(position.id, line) for position, line in sheet.positions],
        "unit": sheet.units,
        "person": [(person.id, line) for person, line in sheet.persons],
    }
    for kind, ids in kinds.items():
        for before, after, at, line in _twice([(name.translate(LOOK_ALIKE), name, line) for name, line in ids]):
            if before == after:
                yield Fault(line=line, what=f"the {kind} {after!r} is listed twice (line {at})", mend="keep one")
            else:
                what = f"the {kind} {after!r} looks like {before!r} (line {at})"
                yield Fault(line=line, what=what, mend="give one of them another id")


def number(text: str) -> str:
    """Return a NIP without what people write differently: `NIP` before it, blanks, dots, other digits for the same."""
    letters = "".join(
        str(unicodedata.digit(letter)) if letter.isdigit() else letter
        for letter in unicodedata.normalize("NFKC", text).casefold()
        if letter.isalnum()
    )
    return letters.removeprefix("nip").translate(AS_DIGITS)


def _numbers(sheet: Sheet) -> Iterator[Fault]:
    rows = [(value, person, line) for person, line in sheet.persons if (value := number(person.nip))]
    for before, after, at, line in _twice(rows):
        if before.id != after.id:
            what = f"{after.id} has the NIP of {before.id} (line {at}): duties are separated by person"
            yield Fault(line=line, what=what, mend="list each person once, or correct the NIP")


def _emails(sheet: Sheet) -> Iterator[Fault]:
    for email, line in sheet.emails:
        if not is_email(email):
            what = f"`email`: {email[:80]!r} is not an e-mail address"
            yield Fault(line=line, what=what, mend="write e.g. nama@contoh.go.id")


def _keys(sheet: Sheet) -> Iterator[Fault]:
    seen: dict[bytes, list[tuple[str, Key, int]]] = defaultdict(list)
    for person, key, line in sheet.keys:
        same = material(key.public)
        for owner, other, at in seen[same]:
            if owner != person:
                what = f"{person} has the key of {owner} (line {at}): a key is one person's"
                yield Fault(line=line, what=what, mend="let each person make their own with `ssh-keygen -t ed25519`")
                break
            if _meet(key, other):
                what = f"this key of {person} stands already on line {at}, for the same days"
                yield Fault(line=line, what=what, mend="keep one of them")
                break
        seen[same].append((person, key, line))


def _dates(sheet: Sheet) -> Iterator[Fault]:
    spans: list[tuple[Key | Holding, int]] = [(key, line) for _, key, line in sheet.keys]
    for span, line in [*spans, *sheet.holdings]:
        if span.until is not None and span.until < span.since:
            what = f"`sampai` {span.until.isoformat()} lies before `sejak` {span.since.isoformat()}"
            yield Fault(line=line, what=what, mend="`sampai` is the last day")


def _meet(one: Key | Holding, other: Key | Holding) -> bool:
    """Tell whether two spans share a day."""
    return one.since <= (other.until or date.max) and other.since <= (one.until or date.max)


def _overlaps(sheet: Sheet) -> Iterator[Fault]:
    """Find a position that one person holds twice in one unit at once (two positions at once are allowed)."""
    seen: dict[tuple[str, str, str], list[tuple[Holding, int]]] = defaultdict(list)
    for holding, line in sheet.holdings:
        same = seen[holding.person, holding.position, holding.unit]
        for other, at in same:
            if _meet(holding, other):
                what = f"{holding.person} holds {holding.position} in {holding.unit} on these days already (line {at})"
                yield Fault(line=line, what=what, mend="keep one, or end the earlier one with `sampai`")
                break
        same.append((holding, line))


def _positions(sheet: Sheet) -> Iterator[Fault]:
    known = [position.id for position, _ in sheet.positions]
    used = [(position.superior, line) for position, line in sheet.positions if position.superior is not None]
    used += [(holding.position, line) for holding, line in sheet.holdings]
    yield from _unknown("position", used, known, "jabatan")


def _units(sheet: Sheet) -> Iterator[Fault]:
    used = [(holding.unit, line) for holding, line in sheet.holdings]
    yield from _unknown("unit", used, [unit for unit, _ in sheet.units], "unit")


def _unknown(kind: str, used: Sequence[tuple[str, int]], known: Sequence[str], key: str) -> Iterator[Fault]:
    for name, line in used:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            mend = f"did you mean {near[0]!r}?" if near else f"add it under `{key}`"
            yield Fault(line=line, what=f"unknown {kind} {name!r}", mend=mend)


def _superiors(sheet: Sheet) -> Iterator[Fault]:
    above = {position.id: position.superior for position, _ in sheet.positions if position.superior is not None}
    lines = {position.id: line for position, line in sheet.positions}
    yield from _circles("position", above, lines, "`atasan` names the position above")


def _direct_superiors(sheet: Sheet) -> Iterator[Fault]:
    known = [person.id for person, _ in sheet.persons]
    used = [(person.superior, line) for person, line in sheet.persons if person.superior is not None]
    yield from _unknown("person", used, known, "orang")
    above = {person.id: person.superior for person, _ in sheet.persons if person.superior is not None}
    lines = {person.id: line for person, line in sheet.persons}
    yield from _circles("person", above, lines, "`atasan_langsung` names the person above")


def _circles(kind: str, above: Mapping[str, str], lines: Mapping[str, int], mend: str) -> Iterator[Fault]:
    """Find who is the own superior, directly or over others; each circle once."""
    told: set[str] = set()
    for start in above:
        way = [start]
        while way[-1] in above and above[way[-1]] not in way:
            way.append(above[way[-1]])
        if above.get(way[-1]) == start and not told & set(way):
            told |= set(way)
            what = f"the {kind} {start!r} is its own superior ({' → '.join([*way, start])})"
            yield Fault(line=lines[start], what=what, mend=mend)
