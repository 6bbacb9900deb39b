"""Who holds which position, and which keys are theirs, on which day."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

from sopauto.data_file import LineOf, Place, read_document
from sopauto.errors import BadInput

KEY_TYPES: Final = frozenset(
    {
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "ssh-rsa",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    }
)
SHORTEST_RSA: Final = 372
"""Bytes of the public blob of a 2,900-bit RSA key; shorter keys are refused (3,072 bits have 407)."""
MAX_TEXT: Final = 2000
ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
"""Ids go into signed texts, file names and commands: nothing in them needs quoting."""

T = TypeVar("T")
R = TypeVar("R")


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
    """A person who acts on tickets."""

    id: str
    name: str
    nip: str
    email: str
    keys: tuple[Key, ...] = ()


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
class People:
    """Persons, positions and units by id, and who held what when."""

    persons: Mapping[str, Person]
    positions: Mapping[str, Position]
    units: Mapping[str, str]
    holdings: tuple[Holding, ...]
    source: str = field(default="people.yaml", compare=False)

    def person(self, person_id: str) -> Person:
        """Return a person; raises BadInput (unknown)."""
        return _found(self.persons, person_id, "person", self.source)

    def position(self, position_id: str) -> Position:
        """Return a position; raises BadInput (unknown)."""
        return _found(self.positions, position_id, "position", self.source)

    def unit(self, unit_id: str) -> str:
        """Return a unit's name; raises BadInput (unknown)."""
        return _found(self.units, unit_id, "unit", self.source)

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


def load_people(path: Path) -> People:
    """Return the people that a YAML file lists (`jabatan`, `unit`, `orang`).

    Raises: BadInput, with file and line.
    """
    data, line_of = read_document(path)
    return _Reading(data=data, line_of=line_of, file=str(path)).people()


def public_key(text: str) -> str:
    """Return a public key as type and blob, without comment; raises ValueError (not a key, or a weak one)."""
    parts = text.split()
    if len(parts) < 2 or parts[0] not in KEY_TYPES:  # noqa: PLR2004 - type and blob
        raise ValueError(f"is no public key of a known type ({', '.join(sorted(KEY_TYPES))})")
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except binascii.Error:
        raise ValueError("is no public key: its second word is not base64") from None
    name = parts[0].encode()
    if not blob.startswith(len(name).to_bytes(4, "big") + name):
        raise ValueError("is no public key: its two words do not belong together")
    if parts[0] == "ssh-rsa" and len(blob) < SHORTEST_RSA:
        raise ValueError("is an RSA key of less than 3072 bits")
    return f"{parts[0]} {parts[1]}"


def _found(things: Mapping[str, T], wanted: str, kind: str, source: str) -> T:
    if wanted in things:
        return things[wanted]
    near = get_close_matches(wanted, things, n=1)
    mend = f"did you mean {near[0]!r}?" if near else f"add it to {source}"
    raise BadInput(f"unknown {kind} {wanted!r}", mend=mend)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """The file's data, and where each part of it stands."""

    data: Any
    line_of: LineOf
    file: str

    def people(self) -> People:
        self._known(self.data, {"jabatan", "unit", "orang"}, ())
        positions = {p.id: p for p in self._each("jabatan", self._position)}
        units = dict(self._each("unit", self._unit))
        persons: dict[str, Person] = {}
        holdings: list[Holding] = []
        for person, held in self._each("orang", self._person):
            if person.id in persons:
                raise BadInput(f"the person {person.id!r} is listed twice", where=self.file, mend="keep one")
            persons[person.id] = person
            holdings += held
        people = People(persons=persons, positions=positions, units=units, holdings=tuple(holdings), source=self.file)
        self._check_names(people)
        return people

    def _position(self, row: Any, place: Place) -> Position:
        self._known(row, {"id", "nama", "atasan"}, place)
        superior = row.get("atasan")
        return Position(
            id=self._id(row, place),
            title=self._text(row, "nama", place),
            superior=None if superior is None else self._text(row, "atasan", place),
        )

    def _unit(self, row: Any, place: Place) -> tuple[str, str]:
        self._known(row, {"id", "nama"}, place)
        return self._id(row, place), self._text(row, "nama", place)

    def _person(self, row: Any, place: Place) -> tuple[Person, list[Holding]]:
        self._known(row, {"id", "nama", "nip", "email", "kunci", "memegang"}, place)
        person = Person(
            id=self._id(row, place),
            name=self._text(row, "nama", place),
            nip=self._text(row, "nip", place),
            email=self._text(row, "email", place),
            keys=tuple(self._key(key, (*place, "kunci", i)) for i, key in enumerate(self._list(row, "kunci", place))),
        )
        held = [
            self._holding(person.id, holding, (*place, "memegang", i))
            for i, holding in enumerate(self._list(row, "memegang", place))
        ]
        return person, held

    def _key(self, row: Any, place: Place) -> Key:
        self._known(row, {"publik", "sejak", "sampai"}, place)
        try:
            public = public_key(self._text(row, "publik", place))
        except ValueError as error:
            raise self._fault(str(error), place, "paste the line of the .pub file") from None
        return Key(public=public, since=self._date(row, "sejak", place), until=self._date_or_none(row, place))

    def _holding(self, person: str, row: Any, place: Place) -> Holding:
        self._known(row, {"jabatan", "unit", "sejak", "sampai"}, place)
        return Holding(
            person=person,
            position=self._text(row, "jabatan", place),
            unit=self._text(row, "unit", place),
            since=self._date(row, "sejak", place),
            until=self._date_or_none(row, place),
        )

    def _check_names(self, people: People) -> None:
        for position in people.positions.values():
            if position.superior is not None:
                people.position(position.superior)
        for holding in people.holdings:
            people.position(holding.position)
            people.unit(holding.unit)

    def _each(self, key: str, read: Callable[[Any, Place], R]) -> Iterable[R]:
        return [read(row, (key, i)) for i, row in enumerate(self._list(self.data, key, ()))]

    def _list(self, row: Any, key: str, place: Place) -> list[Any]:
        value = row.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._fault(f"{key!r} is not a list", (*place, key), "begin each entry with `- `")
        return value

    def _known(self, row: Any, known: set[str], place: Place) -> None:
        if not isinstance(row, dict):
            raise self._fault("is not a mapping", place, "write `name: value` pairs")
        for key in row:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                mend = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
                raise self._fault(f"unknown key {key!r}", (*place, key), mend)

    def _id(self, row: Any, place: Place) -> str:
        value = self._text(row, "id", place)
        if not ID.fullmatch(value):
            raise self._fault(f"{value!r} is no id", (*place, "id"), "use lower-case letters, digits, dots and hyphens")
        return value

    def _text(self, row: Any, key: str, place: Place) -> str:
        value = row.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > MAX_TEXT:
            raise self._fault(f"{key!r} is missing or not a line of text", (*place, key), f"state `{key}`")
        return value.strip()

    def _date(self, row: Any, key: str, place: Place) -> date:
        try:
            return date.fromisoformat(self._text(row, key, place))
        except ValueError:
            raise self._fault(f"{key!r} is not a date", (*place, key), "write year-month-day") from None

    def _date_or_none(self, row: Any, place: Place) -> date | None:
        return None if row.get("sampai") is None else self._date(row, "sampai", place)

    def _fault(self, what: str, place: Place, mend: str) -> BadInput:
        return BadInput(what, where=f"{self.file}:{self.line_of(*place)}", mend=mend)
