"""What is different between two people files, and whether a file knew of a key or a tenure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sopauto.people_model import Holding, Key, People, Person

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """That a key or a position was somebody's from a day on. `thing` is the key, or position and unit."""

    person: str
    thing: tuple[str, ...]
    since: date
    until: date | None

    def __str__(self) -> str:
        """Return the fact in words."""
        what = f"the key {fingerprint(self.thing[0])}" if len(self.thing) == 1 else " in ".join(self.thing)
        return f"{self.person}: {what} {_days(self.since, self.until)}"


def facts_of(people: People) -> set[Fact]:
    """Return everything that a file says about keys and tenures."""
    keys = {key_fact(person.id, key) for person in people.persons.values() for key in person.keys}
    return keys | {holding_fact(holding) for holding in people.holdings}


def key_fact(person: str, key: Key) -> Fact:
    """Return a key as a fact."""
    return Fact(person=person, thing=(key.public,), since=key.since, until=key.until)


def holding_fact(holding: Holding) -> Fact:
    """Return a tenure as a fact."""
    thing = (holding.position, holding.unit)
    return Fact(person=holding.person, thing=thing, since=holding.since, until=holding.until)


def knew(people: People, fact: Fact) -> bool:
    """Tell whether a file said the same of the day on which the fact begins; how long it lasts may have changed since.

    Prolonging and ending are no backdating: who signed on a day could do so by the file of that day.
    """
    return any(
        (other.person, other.thing) == (fact.person, fact.thing)
        and other.since <= fact.since
        and (other.until is None or other.until >= fact.since)
        for other in facts_of(people)
    )


def fingerprint(public: str) -> str:
    """Return a key's fingerprint as `ssh-keygen -l` shows it."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def changes(before: People, after: People) -> list[str]:
    """Return what was added, taken away or changed between two files, each as a line."""
    return [
        *_listed("person", before.persons, after.persons, _of_person),
        *_facts(before, after),
        *_listed("position", before.positions, after.positions, lambda p: f"{p.title}, below {p.superior or 'nobody'}"),
        *_listed("unit", before.units, after.units, str),
    ]


def _facts(before: People, after: People) -> Iterator[str]:
    """Yield keys and tenures; one whose days alone differ is a change."""
    old, new = facts_of(before), facts_of(after)
    gone, come = sorted(old - new, key=str), sorted(new - old, key=str)
    for fact in gone:
        later = [other for other in come if (other.person, other.thing) == (fact.person, fact.thing)]
        if later:
            come.remove(later[0])
            yield f"changed: {fact} → {_days(later[0].since, later[0].until)}"
        else:
            yield f"taken out: {fact}"
    yield from (f"added: {fact}" for fact in come)


def _listed(kind: str, before: Mapping[str, T], after: Mapping[str, T], words: Callable[[T], str]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if name not in after:
            yield f"taken out: {kind} {name}"
        elif name not in before:
            yield f"added: {kind} {name}"
        elif words(before[name]) != words(after[name]):
            yield f"changed: {kind} {name}: {words(before[name])} → {words(after[name])}"


def _of_person(person: Person) -> str:
    above = f", below {person.superior}" if person.superior else ""
    return f"{person.name}, NIP {person.nip}, {person.email}{above}"


def _days(since: date, until: date | None) -> str:
    return f"from {since.isoformat()}" + (f" to {until.isoformat()}" if until else "")
