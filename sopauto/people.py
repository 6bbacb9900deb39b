"""Who holds which position, and which keys are theirs, on which day: read from the people file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

from sopauto.data_file import LineOf, Place, parse_document, read_bounded
from sopauto.errors import BadInput
from sopauto.people_model import Holding, Key, People, Person, Position, refuse_faults
from sopauto.people_sound import Sheet, faults_of, remarks_of
from sopauto.public_keys import KEY_TYPES, public_key

__all__ = [
    "KEY_TYPES",
    "Holding",
    "Key",
    "People",
    "Person",
    "Position",
    "load_people",
    "people_from",
    "public_key",
    "read_people",
    "refuse_faults",
]

MAX_TEXT: Final = 2000
ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
"""Ids go into signed texts, file names and commands: nothing in them needs quoting."""

R = TypeVar("R")


def load_people(path: Path) -> People:
    """Return the people that a YAML file lists (`jabatan`, `unit`, `orang`), to act with them.

    Raises: BadInput, with file and line: it cannot be read, or something in it cannot be meant (`people_sound.py`).
    """
    return refuse_faults(read_people(path))


def read_people(path: Path) -> People:
    """Return the people of a file with its faults, to look at what was done; raises BadInput (it cannot be read)."""
    return people_from(read_bounded(path), str(path))


def people_from(content: bytes, where: str) -> People:
    """Return the people that the bytes of a file list, with its faults; raises BadInput (they cannot be read)."""
    data, line_of = parse_document(content, where)
    return _Reading(data=data, line_of=line_of, file=where).people(content)


def _first(pairs: Iterable[tuple[str, R]]) -> dict[str, R]:
    """Return the pairs by id, in the order of the file; of two with one id the first counts (the other is a fault)."""
    found: dict[str, R] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """The file's data, and where each part of it stands."""

    data: Any
    line_of: LineOf
    file: str

    def people(self, content: bytes) -> People:
        self._known(self.data, {"jabatan", "unit", "orang"}, ())
        positions = list(self._each("jabatan", self._position))
        units = list(self._each("unit", self._unit))
        rows = list(self._each("orang", self._person))
        sheet = Sheet(
            positions=self._with_lines("jabatan", positions),
            units=self._with_lines("unit", [name for name, _ in units]),
            persons=self._with_lines("orang", [person for person, _ in rows]),
            emails=[(person.email, self.line_of("orang", i, "email")) for i, (person, _) in enumerate(rows)],
            keys=[
                (person.id, key, self.line_of("orang", i, "kunci", j))
                for i, (person, _) in enumerate(rows)
                for j, key in enumerate(person.keys)
            ],
            holdings=[
                (holding, self.line_of("orang", i, "memegang", j))
                for i, (_, held) in enumerate(rows)
                for j, holding in enumerate(held)
            ],
        )
        return People(
            persons=_first((person.id, person) for person, _ in rows),
            positions=_first((position.id, position) for position in positions),
            units=_first(units),
            holdings=tuple(holding for _, held in rows for holding in held),
            source=self.file,
            content=content,
            faults=faults_of(sheet),
            remarks=remarks_of(sheet),
        )

    def _with_lines(self, key: str, rows: list[R]) -> list[tuple[R, int]]:
        return [(row, self.line_of(key, i)) for i, row in enumerate(rows)]

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
        self._known(row, {"id", "nama", "nip", "email", "atasan_langsung", "kunci", "memegang"}, place)
        superior = row.get("atasan_langsung")
        person = Person(
            id=self._id(row, place),
            name=self._text(row, "nama", place),
            nip=self._text(row, "nip", place),
            email=self._text(row, "email", place),
            keys=tuple(self._key(key, (*place, "kunci", i)) for i, key in enumerate(self._list(row, "kunci", place))),
            superior=None if superior is None else self._text(row, "atasan_langsung", place),
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
