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


def between(history: History, before: Known, after: Known) -> list[Change]:
    """Return the differences of two snapshots of a server."""
    told = difference(before, after, history.sections(sorted(differing(before, after))))
    return list(told.changes) if told else []


def all_facts(history: History, known: Known) -> tuple[dict[Fact, str], set[Fact]]:
    """Return every fact of a snapshot, and those of which nothing can be said."""
    read = history.sections([known.parts[name] for name in (*READERS, "missing")])
    facts = {fact: value for name in READERS for fact, value in facts_of(name, read[known.parts[name]]).items()}
    return facts, unknown_facts(read[known.parts["missing"]])


def compare(
    history: History, before: datetime, after: datetime, servers: Sequence[str] = ()
) -> Iterator[ServerDifference]:
    """Yield, by id, each server of which something differs between two moments, or that could not be read since."""
    old, new = history.known(before, servers), history.known(after, servers)
    failed = history.failed(before, after)
    rest = iter(new.values())
    while some := list(islice(rest, MANY)):
        both = [(old[one.server], one) for one in some if one.server in old]
        read = history.sections(sorted({number for pair in both for number in differing(*pair)}))
        for one in some:
            told = difference(old.get(one.server), one, read)
            if told is not None and (told.state != UNREAD or one.server in failed):
                yield told


def difference(before: Known | None, after: Known, read: Mapping[int, Any]) -> ServerDifference | None:
    """Return how two snapshots of a server differ (None: not at all); `read` holds what `differing` names."""
    if before is None:
        return ServerDifference(server=after.server, state=NEW, before_at=None, after_at=after.taken_at)
    if before.taken_at == after.taken_at:
        return ServerDifference(server=after.server, state=UNREAD, before_at=before.taken_at, after_at=after.taken_at)
    names = [name for name in READERS if before.parts.get(name) != after.parts.get(name)]
    found = _changes(before, after, names, read) if names else []
    if not found:
        return None
    return ServerDifference(
        server=after.server,
        state=CHANGED,
        before_at=before.taken_at,
        after_at=after.taken_at,
        changes=tuple(found),
    )


def differing(before: Known, after: Known) -> set[int]:
    """Return the sections that have to be read to tell what differs; those that are the same are not."""
    names = [name for name in READERS if before.parts.get(name) != after.parts.get(name)]
    return {known.parts[name] for known in (before, after) for name in (*names, "missing")} if names else set()


def _changes(before: Known, after: Known, names: Sequence[str], read: Mapping[int, Any]) -> list[Change]:
    facts: list[dict[Fact, str]] = []
    for known in (before, after):
        told: dict[Fact, str] = {}
        for name in names:
            told |= facts_of(name, read[known.parts[name]])
        facts.append(told)
    lines = [line for known in (before, after) for line in read[known.parts["missing"]]]
    return changes(facts[0], facts[1], unknown_facts(lines))


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
