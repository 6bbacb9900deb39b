"""What changed between two snapshots of a server, and between two dates of all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sopauto.inventory.comparing.facts import READERS, Fact, Facts, facts_of
from sopauto.inventory.comparing.words import SENTENCES, sentence
from sopauto.inventory.kept.history import History, Known
from sopauto.inventory.model import FORMED

MANY: Final = 100
"""Servers whose sections are held in memory at once."""
UNREADABLE: Final[Mapping[str, tuple[Fact, ...]]] = {
    "server.serial": (("perangkat", "nomor seri"),),
    "server.cpu": (("perangkat", "prosesor"), ("perangkat", "jumlah inti")),
    "server.virtualisation": (("perangkat", "virtualisasi"),),
    "server.memory_modules": (("modul memori", ""),),
    "server.disks:": (("disk", ""), ("kesehatan disk", "")),
    "server.disks.health": (("kesehatan disk", ""),),
    "server.arrays": (("larik disk", ""),),
    "server.filesystems": (("sistem berkas", ""),),
    "server.volumes": (("grup volume", ""), ("volume", "")),
    "server.volume_groups": (("grup volume", ""), ("volume", "")),
    "server.packages": (("paket", ""),),
    "server.certificates": (("sertifikat", ""),),
    "server.hardening": (("pengamanan", ""),),
    "server.services": (("layanan", ""),),
    "server.listening_ports:": (("port", ""),),
    "server.users": (("pengguna", ""),),
    "network.interfaces:": (("antarmuka", ""), ("alamat MAC", ""), ("alamat IP", "")),
    "network.interfaces.addresses": (("alamat IP", ""),),
    "network.addresses": (("alamat IP", ""),),
    "network.routes": (("rute", ""), ("jaringan", "gateway")),
    "network.neighbours": (("port switch", ""),),
    "certificates": (("sertifikat", ""),),
    "hardening": (("pengamanan", ""),),
}
"""What a line of `missing` begins with, and the facts of which nothing can be said then (`""`: all of the topic).

A colon at the end means the field itself: `server.listening_ports.process` says nothing of the ports.
"""
UNSAID: Final[Mapping[str, tuple[Fact, ...]]] = {
    "server.vendor": (("perangkat", "merek dan model"),),
    "server.serial": (("perangkat", "nomor seri"),),
    "server.cpu.model": (("perangkat", "prosesor"),),
    "server.cpu.cores": (("perangkat", "jumlah inti"),),
    "server.memory_bytes": (("perangkat", "memori"),),
    "server.memory_modules": (("modul memori", ""),),
    "server.disks": (("disk", ""),),
    "server.disks.health": (("kesehatan disk", ""),),
    "server.arrays": (("larik disk", ""),),
    "server.filesystems": (("sistem berkas", ""),),
    "server.volumes": (("grup volume", ""), ("volume", "")),
    "server.architecture": (("perangkat", "arsitektur"),),
    "server.virtualisation": (("perangkat", "virtualisasi"),),
    "server.os": (("perangkat", "sistem operasi"),),
    "server.kernel": (("perangkat", "kernel"),),
    "server.packages": (("paket", ""),),
    "server.updates": (),
    "server.certificates": (("sertifikat", ""),),
    "server.hardening": (("pengamanan", ""),),
    "server.services": (("layanan", ""),),
    "server.listening_ports": (("port", ""),),
    "server.users": (("pengguna", ""),),
    "network.host_name": (("jaringan", "nama host"),),
    "network.gateway": (("jaringan", "gateway"),),
    "network.dns": (("jaringan", "DNS"),),
    "network.interfaces.state": (("antarmuka", ""),),
    "network.interfaces.mac": (("alamat MAC", ""),),
    "network.routes": (("rute", ""),),
    "network.neighbours": (("port switch", ""),),
}
"""What a form may leave unsaid, or has no key for (`missing`: `server.users: recorded by form`), and its facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference: None in `before` means that it came, in `after` that it went."""

    topic: str
    item: str
    before: str | None
    after: str | None

    @property
    def words(self) -> str:
        """The difference in Indonesian."""
        return sentence(self.topic, self.item, self.before, self.after)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        fields = {"topic": self.topic, "item": self.item, "before": self.before, "after": self.after}
        return {**fields, "words": self.words}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDifference:
    """What became of a server between two dates: `new`, `unread` (tried, and no newer snapshot) or `changed`."""

    server: str
    state: str
    before_at: datetime | None
    after_at: datetime
    changes: tuple[Change, ...] = ()


def changes(before: Facts, after: Facts, unknown: Collection[Fact] = ()) -> list[Change]:
    """Return the differences of facts in the order of their topics.

    What came or went is left out where it is unknown; what was read both times differs all the same.
    """
    found = [
        Change(topic=topic, item=item, before=before.get((topic, item)), after=after.get((topic, item)))
        for topic, item in {**before, **after}
        if {(topic, item), (topic, "")}.isdisjoint(unknown) or ((topic, item) in before and (topic, item) in after)
    ]
    return sorted((one for one in found if _differs(one)), key=lambda one: (ORDER[one.topic], one.item))


def _differs(change: Change) -> bool:
    """Tell whether both are known and differ: who holds a port may be told at one time and not at another."""
    unknown = "" in {change.before, change.after} and None not in {change.before, change.after}
    return change.before != change.after and not unknown


Pair = tuple[Known, Known]
"""Two snapshots of a server, the earlier one first."""


class Comparison:
    """Compares snapshots of servers: each pair once, however often it is asked for."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._found: dict[tuple[str, int, int], tuple[Change, ...]] = {}

    def changes(self, pairs: Sequence[Pair]) -> list[tuple[Change, ...]]:
        """Return the differences of each pair; what has to be read of all of them is held in memory together."""
        new = [pair for pair in pairs if _name(pair) not in self._found]
        wanted = sorted({number for pair in new for number in _differing(*pair)})
        read = self.history.sections(wanted) if wanted else {}
        self._found |= {_name(pair): _changes(*pair, read) for pair in new}
        return [self._found[_name(pair)] for pair in pairs]

    def between(self, before: Known, after: Known) -> tuple[Change, ...]:
        """Return the differences of two snapshots of a server."""
        return self.changes([(before, after)])[0]


def _name(pair: Pair) -> tuple[str, int, int]:
    before, after = pair
    return after.server, before.scan, after.scan


def all_facts(history: History, known: Known) -> tuple[dict[Fact, str], set[Fact]]:
    """Return every fact of a snapshot, and those of which nothing can be said."""
    read = history.sections([known.parts[name] for name in (*READERS, "missing")])
    facts = {fact: value for name in READERS for fact, value in facts_of(name, read[known.parts[name]]).items()}
    return facts, unknown_facts(read[known.parts["missing"]])


def compare(
    comparison: Comparison, before: datetime, after: datetime, servers: Sequence[str] = ()
) -> Iterator[ServerDifference]:
    """Yield, by id, each server of which something differs between two moments, or that could not be read since."""
    history = comparison.history
    old, new = history.known(before, servers), history.known(after, servers)
    failed = history.failed(before, after)
    rest = iter(new.values())
    while some := list(islice(rest, MANY)):
        both = [one for one in some if one.server in old]
        found = comparison.changes([(old[one.server], one) for one in both])
        changed = {one.server: differences for one, differences in zip(both, found, strict=True)}
        for one in some:
            told = _difference(old.get(one.server), one, changed.get(one.server, ()))
            if told is not None and (told.state != UNREAD or one.server in failed):
                yield told


def _difference(before: Known | None, after: Known, found: tuple[Change, ...]) -> ServerDifference | None:
    """Return what became of a server (None: nothing), of whose snapshots these are the differences."""
    if before is None:
        return ServerDifference(server=after.server, state=NEW, before_at=None, after_at=after.taken_at)
    if before.scan == after.scan:
        return ServerDifference(server=after.server, state=UNREAD, before_at=before.taken_at, after_at=after.taken_at)
    if not found:
        return None
    return ServerDifference(
        server=after.server,
        state=CHANGED,
        before_at=before.taken_at,
        after_at=after.taken_at,
        changes=found,
    )


def _other(before: Known, after: Known) -> list[str]:
    """Return the names of the sections whose contents are not the same."""
    return [name for name in READERS if before.parts.get(name) != after.parts.get(name)]


def _differing(before: Known, after: Known) -> set[int]:
    """Return the sections that have to be read to tell what differs; those that are the same are not."""
    names = _other(before, after)
    return {known.parts[name] for known in (before, after) for name in (*names, "missing")} if names else set()


def _changes(before: Known, after: Known, read: Mapping[int, Any]) -> tuple[Change, ...]:
    names = _other(before, after)
    if not names:
        return ()
    facts: list[dict[Fact, str]] = []
    for known in (before, after):
        told: dict[Fact, str] = {}
        for name in names:
            told |= facts_of(name, read[known.parts[name]])
        facts.append(told)
    lines = [line for known in (before, after) for line in read[known.parts["missing"]]]
    return tuple(changes(facts[0], facts[1], unknown_facts(lines)))


def unknown_facts(missing: Sequence[str]) -> set[Fact]:
    """Return the facts of which nothing can be said, from the lines of `missing`."""
    return {fact for line in missing for fact in _unknown(line)}


def _unknown(line: str) -> Iterable[Fact]:
    name, _, why = line.partition(": ")
    if why == FORMED:
        return UNSAID.get(name, ())
    return [fact for start, facts in UNREADABLE.items() if line.startswith(start) for fact in facts]


NEW: Final = "new"
UNREAD: Final = "unread"
CHANGED: Final = "changed"
ORDER: Final = {topic: i for i, topic in enumerate(SENTENCES)}
