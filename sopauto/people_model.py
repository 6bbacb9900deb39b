"""The words of the people file in code: persons, keys, positions, and who held what on which day."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import TypeVar

from sopauto.errors import BadInput

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A public key (`ssh-ed25519 AAAA…`, without comment) and the days on which it is its owner's, both included."""

    public: str
    since: date
    until: date | None = None

    def holds(self, on: date) -> bool:
        """Tell whether the key was its owner's on that day."""
        return self.since <= on and (self.until is None or on <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person who acts on tickets. `superior` is the id of the direct superior, where the file names one."""

    id: str
    name: str
    nip: str
    email: str
    keys: tuple[Key, ...] = ()
    superior: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A position (jabatan). `superior` is the id of the position above it."""

    id: str
    title: str
    superior: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A person's tenure of a position in a unit, both days included."""

    person: str
    position: str
    unit: str
    since: date
    until: date | None = None

    def holds(self, on: date) -> bool:
        """Tell whether the position was held on that day."""
        return self.since <= on and (self.until is None or on <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something in the file that can be read and cannot be meant."""

    line: int
    what: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Persons, positions and units by id, and who held what when.

    `content` are the bytes of the file, `faults` what is wrong with it (`load_people` refuses a file that has any),
    `remarks` what is odd and not wrong.
    """

    persons: Mapping[str, Person]
    positions: Mapping[str, Position]
    units: Mapping[str, str]
    holdings: tuple[Holding, ...]
    source: str = field(default="people.yaml", compare=False)
    content: bytes = field(default=b"", compare=False, repr=False)
    faults: tuple[Fault, ...] = field(default=(), compare=False)
    remarks: tuple[str, ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str | None:
        """SHA-256 of the file's bytes, which each entry carries (None: these people come from no file)."""
        return hashlib.sha256(self.content).hexdigest() if self.content else None

    def person(self, person_id: str) -> Person:
        """Return a person; raises BadInput (unknown)."""
        return _found(self.persons, person_id, "person", self.source)

    def position(self, position_id: str) -> Position:
        """Return a position; raises BadInput (unknown)."""
        return _found(self.positions, position_id, "position", self.source)

    def unit(self, unit_id: str) -> str:
        """Return a unit's name; raises BadInput (unknown)."""
        return _found(self.units, unit_id, "unit", self.source)

    def title(self, position_id: str) -> str:
        """Return a position's title; its id, where the file does not know it."""
        known = self.positions.get(position_id)
        return known.title if known else position_id

    def holds(self, person: str, position: str, on: date, unit: str | None = None) -> bool:
        """Tell whether a person held a position on that day (in that unit, when one is named)."""
        return any(
            holding.person == person and holding.position == position and unit in {None, holding.unit}
            for holding in self.holdings
            if holding.holds(on)
        )

    def holders(self, position: str, on: date, unit: str | None = None) -> Sequence[Person]:
        """Return who held a position on that day, in the order of the file."""
        ids = {
            holding.person: None
            for holding in self.holdings
            if holding.position == position and unit in {None, holding.unit} and holding.holds(on)
        }
        return [self.persons[person] for person in ids]

    def keys(self, person: str, on: date) -> Sequence[Key]:
        """Return a person's keys of that day; raises BadInput (unknown person)."""
        return [key for key in self.person(person).keys if key.holds(on)]

    def direct_superiors(self, person: str, on: date, unit: str) -> frozenset[str]:
        """Return who was a person's direct superior in a unit on that day; raises BadInput (unknown person).

        The file's own word (`atasan_langsung`) goes first; without it, who held in that unit the position above one of
        the person's own.
        """
        stated = self.person(person).superior
        if stated is not None:
            return frozenset({stated})
        held = [h for h in self.holdings if h.person == person and h.unit == unit and h.holds(on)]
        above = {self.positions[h.position].superior for h in held if h.position in self.positions}
        found = {other.id for position in above if position for other in self.holders(position, on, unit)}
        return frozenset(found - {person})


def refuse_faults(people: People) -> People:
    """Return people whose file is sound; raises BadInput: the first fault, and on which lines there are more."""
    if not people.faults:
        return people
    first, *others = sorted(people.faults, key=lambda fault: fault.line)
    lines = ", ".join(str(fault.line) for fault in others[:5]) + (", …" if len(others) > 5 else "")  # noqa: PLR2004
    mend = f"{first.mend} (and {len(others)} more: line {lines})" if others else first.mend
    raise BadInput(first.what, where=f"{people.source}:{first.line}", mend=mend)


def _found(things: Mapping[str, T], wanted: str, kind: str, source: str) -> T:
    if wanted in things:
        return things[wanted]
    near = get_close_matches(wanted, things, n=1)
    mend = f"did you mean {near[0]!r}?" if near else f"add it to {source}"
    raise BadInput(f"unknown {kind} {wanted!r}", mend=mend)
