"""The people of an entry's own day: each entry names the people file under which it was signed, and that file is kept.

So history holds by the file of its day, whatever becomes of today's. Whoever can write the file can still add a key;
what he cannot do is add one for the time before: a file that an earlier entry was signed under did not have it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from sopauto.errors import BadInput, Refused
from sopauto.journal.entry import Entry, read_body
from sopauto.people import People, Person, Position, people_from
from sopauto.people_changes import Fact, changes, facts_of, holding_fact, key_fact, knew
from sopauto.tickets.storage import PeopleBook, Seen, Span
from sopauto.work import Artifact, Json, sha256

NAME = "people.yaml"

T = TypeVar("T")


class Shelf(Protocol):
    """What is asked of a store."""

    @property
    def people(self) -> PeopleBook:
        """Which entry was signed under which people file."""

    def document(self, digest: str) -> bytes:
        """Return a document; raises BadInput (unknown)."""

    def entries(self, ticket_id: str) -> Sequence[Entry]:
        """Return a ticket's entries in order of their number."""


class Remembered(Mapping[str, T]):
    """What today's file says by id; of what left it, what the newest file says that had it, or else just the id.

    A paper names everybody who acted on a ticket, also those who have left since.
    """

    def __init__(self, today: Mapping[str, T], earlier: Callable[[str], T]) -> None:
        self._today = today
        self._earlier = earlier

    def __getitem__(self, name: str) -> T:
        """Return what is known of an id; it never fails."""
        return self._today[name] if name in self._today else self._earlier(name)

    def __contains__(self, name: object) -> bool:
        """Tell that something can be said of any id."""
        return isinstance(name, str)

    def get(self, name: str, default: Any = None) -> Any:
        """Return what today's file says; who names a default has something better to say than an id."""
        return self._today.get(name, default)

    def __iter__(self) -> Iterator[str]:
        """Yield the ids of today."""
        return iter(self._today)

    def __len__(self) -> int:
        """Count the ids of today."""
        return len(self._today)


def remembered(people: People, shelf: Shelf) -> People:
    """Return people by whom the papers of a ticket can be filled: today's, and those who have left."""
    then = PeopleThen(people, shelf)

    def person(name: str) -> Person:
        found = next((kept.persons[name] for kept in then.backwards() if name in kept.persons), None)
        return replace(found, keys=()) if found else Person(id=name, name=name, nip="-", email="")

    def position(name: str) -> Position:
        found = next((kept.positions[name] for kept in then.backwards() if name in kept.positions), None)
        return found or Position(id=name, title=name)

    def unit(name: str) -> str:
        return next((kept.units[name] for kept in then.backwards() if name in kept.units), name)

    return replace(
        people,
        persons=Remembered(people.persons, person),
        positions=Remembered(people.positions, position),
        units=Remembered(people.units, unit),
    )


def kept_with(people: People) -> tuple[Artifact, ...]:
    """Return the people file as the document that is kept with an entry."""
    if not people.content:
        return ()
    return (Artifact(name=NAME, media_type="application/yaml", content=people.content),)


@lru_cache(maxsize=64)
def _read(content: bytes, where: str) -> People | None:
    try:
        return people_from(content, where)
    except BadInput:
        return None


@dataclass(slots=True)
class PeopleThen:
    """Reads the people files that entries name; `today` is the present one."""

    today: People
    shelf: Shelf
    _known: dict[Fact, Seen | None] = field(default_factory=dict)
    _spans: Sequence[Span] | None = None
    _kept: dict[str, People | None] = field(default_factory=dict)

    @property
    def spans(self) -> Sequence[Span]:
        """The people files that entries name, the first one first (read once)."""
        if self._spans is None:
            self._spans = self.shelf.people.spans()
        return self._spans

    def kept(self, digest: str) -> People | None:
        """Return the people of a kept file, read once (None: it is missing, changed, or cannot be read)."""
        if digest not in self._kept:
            self._kept[digest] = self._look_up(digest)
        return self._kept[digest]

    def _look_up(self, digest: str) -> People | None:
        try:
            content = self.shelf.document(digest)
        except BadInput:
            return None
        if sha256(content) != digest:
            return None
        where = f"{NAME} {digest[:12]}"
        return _read(content, where) or _read(content, f"{where}.json")

    def first(self) -> People | None:
        """Return the people of the first file that was kept (None: none was yet)."""
        return self.kept(self.spans[0].people) if self.spans else None

    def backwards(self) -> Iterator[People]:
        """Yield the people of the kept files, the newest first."""
        for span in reversed(self.spans):
            if (people := self.kept(span.people)) is not None:
                yield people

    def of(self, entry: Entry) -> People | None:
        """Return the people of an entry's day (None: its file is not kept).

        Entries of before people files were kept hold by the first one that was, or by today's.
        """
        body = read_body(entry.body)
        if "people" in body:
            return self.kept(body["people"])
        first = self.first()
        return first if first is not None and _knew_signer(first, body, entry.key) else self.today

    def late(self, fact: Fact, *, by: datetime) -> Seen | None:
        """Return the entry that was signed, after a fact is said to have begun, under a file that did not know of it.

        None: nothing speaks against the fact. `by` is when somebody relied on it.
        """
        if fact not in self._known:
            self._known[fact] = self._late(fact, by)
        return self._known[fact]

    def _late(self, fact: Fact, by: datetime) -> Seen | None:
        book = self.shelf.people
        files = [(span, people) for span in self.spans if (people := self.kept(span.people)) is not None]
        known_since = min([(by, sys.maxsize), *(span.since.place for span, people in files if knew(people, fact))])
        lacking = [span.people for span, people in files if span.since.place < known_since and not knew(people, fact)]
        last = book.last_under(lacking, known_since) if lacking else None
        return last if last and fact.since < last.at.astimezone(by.tzinfo).date() else None


def _knew_signer(people: People, body: Json, key: str) -> bool:
    on = datetime.fromisoformat(body["at"]).date()
    person = body["person"]
    if person not in people.persons or not people.holds(person, body["position"], on):
        return False
    return any(known.public == key for known in people.keys(person, on))


def backdated(then: PeopleThen, people: People, body: Json, key: str | None) -> list[str]:
    """Return how the signer of a body relied on a key or a tenure that was backdated (`key` None: the tenure only)."""
    at = datetime.fromisoformat(body["at"])
    person, on = body["person"], at.date()
    tenures = [h for h in people.holdings if (h.person, h.position) == (person, body["position"]) and h.holds(on)]
    used: list[list[Fact]] = [[holding_fact(holding) for holding in tenures]]
    if key is not None and person in people.persons:
        used.append([key_fact(person, known) for known in people.keys(person, on) if known.public == key])
    return [told for facts in used if (told := _told(then, facts, at))]


def _told(then: PeopleThen, facts: Iterable[Fact], at: datetime) -> str | None:
    """Return the sentence about facts that are all backdated; None when one of them is not, or there are none."""
    told = None
    for fact in facts:
        last = then.late(fact, by=at)
        if last is None:
            return None
        day = last.at.astimezone(at.tzinfo).date().isoformat()
        told = f"{fact} is backdated: the people file of {last.ticket} entry {last.number} ({day}) did not have it"
    return told


def refuse_backdated(then: PeopleThen, body: Json, key: str | None) -> None:
    """Refuse to sign by a key or a tenure of today's file that `ticket.verify` would call backdated."""
    for told in backdated(then, then.today, body, key):
        day = body["at"][:10]
        raise Refused(told, where=then.today.source, mend=f"state `sejak: {day}`: since when it stands in the file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A people file that entries were signed under: since which entry, until when, and what it changed.

    `changed` is empty for the first one. `readable` is False when its document is missing or another.
    """

    people: str
    since: Seen
    until: datetime
    entries: int
    changed: tuple[str, ...]
    readable: bool = True


def versions(then: PeopleThen) -> Sequence[Version]:
    """Return the people files under which entries were signed, the first one first."""
    found: list[Version] = []
    before: People | None = None
    for span in then.spans:
        people, since = then.kept(span.people), span.since
        changed = changes(before, people) if before and people else []
        found.append(
            Version(
                people=span.people,
                since=since,
                until=span.last,
                entries=span.entries,
                changed=tuple(_marked(then, before, people, changed, since.at)) if before and people else (),
                readable=people is not None,
            )
        )
        before = people or before
    return found


def _marked(then: PeopleThen, before: People, after: People, changed: Sequence[str], at: datetime) -> Iterable[str]:
    """Yield the changes, with a word at what was backdated."""
    late = {str(fact) for fact in facts_of(after) - facts_of(before) if then.late(fact, by=at)}
    for line in changed:
        yield f"{line}  BACKDATED" if line.removeprefix("added: ") in late else line
