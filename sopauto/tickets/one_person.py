"""One person under two ids: whoever gets another id in the people file stays the same person in a ticket.

Duties are separated by id (`duties.py`), and one file cannot list a person twice (`people_sound.py`). Two files can:
who planned as one id could approve as the next. Keys and NIP tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sopauto.errors import Refused
from sopauto.journal.entry import Entry, read_body
from sopauto.people import People
from sopauto.people_sound import number
from sopauto.public_keys import material
from sopauto.tickets.model import Verb
from sopauto.tickets.people_then import PeopleThen
from sopauto.work import Json

SHORTEST: Final = 8
"""Digits of a NIP that is one: `-` and `tidak ada` say nothing of who is who."""


def earlier_id(then: PeopleThen, people: People, entries: Sequence[Entry], body: Json, key: str) -> str | None:
    """Return the sentence about a signer who asked for a ticket, or signed an entry, under another id (None: nobody).

    Who wakes a ticket does nothing at it.
    """
    person = body["person"]
    if body["verb"] == Verb.WAKE:
        return None
    keys, nip = _marks(people, person)
    for other, entry, signed in _others(entries, person):
        earlier = then.of(entry)
        other_keys, other_nip = _marks(earlier, other) if earlier else (frozenset[bytes](), "")
        other_keys |= _key(entry.key) if signed else frozenset()
        for what, same in (("a key", (keys | _key(key)) & other_keys), ("the NIP", nip and nip == other_nip)):
            if same:
                did = "signed" if signed else "asks by"
                return f"{person} has {what} of {other}, who {did} {entry.ticket} entry {entry.number}"
    return None


def _others(entries: Sequence[Entry], person: str) -> Iterator[tuple[str, Entry, bool]]:
    """Yield each other person of a ticket: the last entry that they signed, or the opening that names the applicant."""
    bodies = [(read_body(entry.body), entry) for entry in entries]
    signers = {body["person"]: entry for body, entry in bodies if body["verb"] != Verb.WAKE}
    yield from ((other, entry, True) for other, entry in signers.items() if other != person)
    for body, entry in bodies[:1]:
        applicant = body["data"].get("applicant", person)
        if applicant not in {person, *signers}:
            yield str(applicant), entry, False


def refuse_other_id(then: PeopleThen, entries: Sequence[Entry], body: Json, key: str) -> None:
    """Refuse to sign what somebody would do at a ticket as a second person; raises Refused."""
    told = earlier_id(then, then.today, entries, body, key)
    if told:
        mend = "a person keeps one id: go on under that one, or let another person act"
        raise Refused(told, where=then.today.source, mend=mend)


def _key(public: str) -> frozenset[bytes]:
    """Return what tells a key from others; nothing of what is no key: its signature does not hold, and that is told."""
    try:
        return frozenset({material(public)})
    except ValueError:
        return frozenset()


def _marks(people: People, person: str) -> tuple[frozenset[bytes], str]:
    """Return the keys and the NIP by which a person is known, whatever the id (none, where the file has no such id)."""
    if person not in people.persons:
        return frozenset(), ""
    known = people.persons[person]
    nip = number(known.nip)
    stated = sum(letter.isdigit() for letter in nip) >= SHORTEST
    return frozenset(material(key.public) for key in known.keys), nip if stated else ""
