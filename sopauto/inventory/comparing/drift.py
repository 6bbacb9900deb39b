"""Drift: how a server differs from what was last approved, and no ticket explains it.

Approved are the place in the assets (address, switch port), and the server as it was first read, or read at a given
day. Machine work of a ticket moves this on: what changed between the readings before and after it, in what that work
is about, is approved from then on. Of a software's packages, services, users and ports only those are approved that its
own evidence names; what somebody installed in the same month is drift.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sopauto.assets.model import Server
from sopauto.inventory.comparing.difference import (
    Change,
    Comparison,
    all_facts,
    changes,
    unknown_facts,
)
from sopauto.inventory.comparing.facts import Fact
from sopauto.inventory.kept.history import Known
from sopauto.tickets.domain import EVERYTHING

AT_ONCE: Final = 100
"""Servers whose sections are held in memory at once."""
About = Mapping[str, Collection[str]]
"""What the work of each module is about: topics (`EVERYTHING`: all of them)."""
NAMED: Final = {"package": "paket", "service": "layanan", "account user": "pengguna", "port": "port"}
"""What lines of evidence begin with, and the topic of what they name."""
ADDRESSES: Final[Fact] = ("alamat IP", "")
"""What is unknown where a server could not tell its addresses."""
LINE: Final = re.compile(r"(package|service|account user|port) (\S+): ")
PORT: Final = re.compile(r"([A-Za-z]{2})[A-Za-z-]*\s*([0-9/.:]+)")
"""`GigabitEthernet1/0/7`, as a switch may also say it: `Gi1/0/7`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Machine work that a ticket's approval let happen on a server.

    `told`: the lines of its evidence, `package nginx: 1.22.1-9 ii, before: nothing` (None: all that it is about).
    """

    server: str
    module: str
    ticket: str
    at: datetime
    told: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The differences of one server that no ticket explains. `since` is when the approved state was read."""

    server: str
    since: datetime
    taken_at: datetime
    changes: tuple[Change, ...]


def drift(
    comparison: Comparison,
    servers: Sequence[Server],
    works: Sequence[Work],
    about: About,
    *,
    now: datetime,
    since: datetime | None = None,
) -> Iterator[Drift]:
    """Yield, by id, each server that differs from what was last approved."""
    history = comparison.history
    names = [server.id for server in servers]
    newest = history.known(now, names) if names else {}
    base = {**history.first(names), **(history.known(since, names) if since else {})} if names else {}
    rest = iter([server for server in servers if server.id in newest])
    while some := list(islice(rest, AT_ONCE)):
        pairs = [(base[server.id], newest[server.id]) for server in some]
        own = {number for _, current in pairs for number in (current.parts["network"], current.parts["missing"])}
        read = history.sections(sorted(own))
        done = [[work for work in works if _is_later(work, approved)] for approved, _ in pairs]
        comparison.changes([pair for pair, moved_by in zip(pairs, done, strict=True) if not moved_by])
        for server, (approved, current), moved_by in zip(some, pairs, done, strict=True):
            missing = unknown_facts(read[current.parts["missing"]])
            found = _misplaced(server, read[current.parts["network"]]) if ADDRESSES not in missing else []
            if moved_by:
                found += _moved_on(comparison, approved, current, moved_by, about)
            else:
                found += comparison.between(approved, current)
            if found:
                yield Drift(server=server.id, since=approved.taken_at, taken_at=current.taken_at, changes=tuple(found))


def _is_later(work: Work, approved: Known) -> bool:
    return work.server == approved.server and work.at > approved.taken_at


def _moved_on(
    comparison: Comparison, approved: Known, current: Known, works: Sequence[Work], about: About
) -> list[Change]:
    """Return how the newest snapshot differs from the approved one, after work of tickets moved that on."""
    wanted, missing = all_facts(comparison.history, approved)
    found, missing_now = all_facts(comparison.history, current)
    for work, change in _made(comparison, approved, current, works):
        if _is_about(work, change, about.get(work.module, ())):
            wanted.pop((change.topic, change.item), None)
            wanted |= {(change.topic, change.item): change.after} if change.after is not None else {}
    return changes(wanted, found, missing | missing_now)


def _made(
    comparison: Comparison, approved: Known, current: Known, works: Sequence[Work]
) -> Iterator[tuple[Work, Change]]:
    """Yield what changed between the readings before and after each work, in the order of the works."""
    readings = [known for known in comparison.history.all_of(current.server) if known.moment >= approved.moment]
    for work in sorted(works, key=lambda one: one.at):
        before = [known for known in readings if known.taken_at <= work.at]
        after = [known for known in readings if known.taken_at > work.at]
        if before and after:
            for change in comparison.between(before[-1], after[0]):
                yield work, change


def _is_about(work: Work, change: Change, topics: Collection[str]) -> bool:
    if topics != EVERYTHING and change.topic not in topics:
        return False
    return work.told is None or change.topic not in NAMED.values() or _as_named(change) in _named(work)


def _named(work: Work) -> set[Fact]:
    """Return the packages, services, users and ports that the evidence of a work names."""
    lines = (LINE.match(line) for line in work.told or ())
    return {(NAMED[found[1]], _unit(found[2].removesuffix(".service"))) for found in lines if found}


def _as_named(change: Change) -> Fact:
    """Return what a change is about as evidence names it: `80/tcp` for `tcp 80 pada *`."""
    if change.topic == "port":
        protocol, number, *_ = change.item.split()
        return change.topic, f"{number}/{protocol}"
    return change.topic, _unit(change.item)


def _unit(name: str) -> str:
    """Return a name without its instance: `postgresql@15-main` is one of `postgresql@`."""
    return name.partition("@")[0]


def _misplaced(server: Server, network: Mapping[str, Any]) -> list[Change]:
    """Return how address and switch port differ from the place that a ticket gave the server."""
    place = server.place
    if place is None:
        return []
    wanted: dict[Fact, str] = {("tempat", "alamat IP"): str(place.address)}
    found: dict[Fact, str] = {("tempat", "alamat IP"): _address(network, str(place.address))}
    heard = [one for one in network["neighbours"] if one["port"]]
    if heard:
        wanted["tempat", "port switch"] = f"{place.switch} {place.port}"
        ports = [f"{one['switch']} {one['port']}" for one in heard]
        same = any(_same_port(place.switch, place.port, one) for one in heard)
        found["tempat", "port switch"] = wanted["tempat", "port switch"] if same else ", ".join(ports)
    return changes(wanted, found)


def _address(network: Mapping[str, Any], approved: str) -> str:
    """Return the approved address where an interface has it, else the addresses that there are."""
    held = [address.partition("/")[0] for one in network["interfaces"] for address in one["addresses"]]
    if approved in held:
        return approved
    return ", ".join(one for one in held if not one.startswith(("127.", "::1", "fe80:"))) or "tidak ada"


def _same_port(switch: str, port: str, heard: Mapping[str, Any]) -> bool:
    """Compare as switches write it: names with or without domain, ports in full or short."""
    return switch.lower() == heard["switch"].partition(".")[0].lower() and _short(port) == _short(heard["port"])


def _short(port: str) -> str:
    found = PORT.fullmatch(port.strip())
    return f"{found[1]}{found[2]}".lower() if found else port.strip().lower()
