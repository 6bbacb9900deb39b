"""What `ticket.verify` says of people files: who was who on an entry's day, what was backdated, what changed since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sopauto.errors import BadInput, SopautoError
from sopauto.journal.entry import Entry, read_body
from sopauto.journal.verify import Staff
from sopauto.people import People
from sopauto.people_changes import changes
from sopauto.tickets.one_person import earlier_id
from sopauto.tickets.people_then import NAME, PeopleThen, backdated
from sopauto.tickets.storage import Seen

FEW: Final = 4
"""Changes of a file that a note names; `inv people.history` names all."""


def staff_of(people: People) -> Staff:
    """Return whose keys and positions were whose, by one people file."""

    def keys(person: str, on: date) -> frozenset[str]:
        try:
            return frozenset(key.public for key in people.keys(person, on))
        except BadInput:
            return frozenset()

    return Staff(keys=keys, holds=people.holds)


def findings_of_people(then: PeopleThen, entries: Sequence[Entry]) -> list[str]:
    """Return what does not hold about the people files of a ticket's entries, each as a sentence."""
    found: list[str] = []
    wanted: list[Seen] = []
    for place, entry in enumerate(entries):
        body = read_body(entry.body)
        if "people" not in body:
            continue
        at = datetime.fromisoformat(body["at"])
        wanted.append(Seen(ticket=entry.ticket, number=entry.number, people=body["people"], at=at))
        people = then.kept(body["people"])
        if people is not None:
            where = f"{entry.ticket} entry {entry.number}"
            found += [f"{where}: {what}" for what in _of_entry(then, people, body, entry.key)]
            told = earlier_id(then, people, entries[:place], body, entry.key)
            found += [f"{where}: {told}"] if told else []
    if list(then.shelf.people.of(entries[0].ticket)) != wanted:
        found.append(f"{entries[0].ticket}: the database names other people files than its entries do")
    return found


def _of_entry(then: PeopleThen, people: People, body: dict[str, str], key: str) -> Iterator[str]:
    for fault in people.faults[:1]:
        # Nobody can sign under such a file: it was written around this program.
        yield f"the people file of its day is not sound: line {fault.line}: {fault.what}"
    yield from backdated(then, people, body, key)


@dataclass(slots=True)
class PeopleNotes:
    """Gathers what is no fault and worth knowing, each thing once, over one ticket or all."""

    _gone: Counter[str] = field(default_factory=Counter)
    _by_today: int = 0
    _changed: dict[tuple[str, str], str] = field(default_factory=dict)
    _faults: tuple[str, ...] = ()

    def look(self, then: PeopleThen, entries: Sequence[Entry]) -> None:
        """Look at a ticket's entries; those that cannot be read are told elsewhere."""
        before: str | None = None
        self._faults = tuple(f"line {fault.line}: {fault.what}" for fault in then.today.faults)
        for entry in entries:
            try:
                body = read_body(entry.body)
            except SopautoError:
                continue
            now = body.get("people")
            if now and before and now != before:
                self._note(then, before, now, f"{entry.ticket} entry {entry.number}")
            before = now or before
            known = then.today.persons.get(body["person"])
            if known is None or entry.key not in {key.public for key in known.keys}:
                self._gone[body["person"]] += 1
            if now is None and then.first() is not None and then.of(entry) is not then.first():
                self._by_today += 1

    def look_at_versions(self, then: PeopleThen) -> None:
        """Look at all people files, also those that changed between two tickets."""
        for before, now in zip(then.spans, then.spans[1:], strict=False):
            self._note(then, before.people, now.people, f"{now.since.ticket} entry {now.since.number}")

    def told(self) -> Iterator[str]:
        """Yield the notes."""
        yield from self._changed.values()
        for person, count in sorted(self._gone.items()):
            what = f"{person} signed {count} entries with a key that today's {NAME} does not have"
            yield f"{what}: they are held against the file of their day"
        if self._by_today:
            yield f"{self._by_today} entries of before people files were kept hold by today's {NAME} alone"
        yield from (f"today's {NAME} is not sound: {fault}; see `inv doctor`" for fault in self._faults)

    def _note(self, then: PeopleThen, before: str, now: str, where: str) -> None:
        old, new = then.kept(before), then.kept(now)
        if (before, now) in self._changed or old is None or new is None:
            return
        told = changes(old, new)
        more = f" (and {len(told) - FEW} more: `inv people.history`)" if len(told) > FEW else ""
        what = "; ".join(told[:FEW]) or "in its words only"
        self._changed[before, now] = f"{NAME} changed before {where}: {what}{more}"
