"""The monthly inventory in the database. Fulfils `inventory.kept.history.History`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete, func, insert, select, update

from sopauto.errors import Conflict
from sopauto.inventory.kept import packing
from sopauto.inventory.kept import tables as inventory
from sopauto.inventory.kept.history import BY_FORM, Known, MonthRun, Reading, Scan
from sopauto.inventory.kept.sections import split
from sopauto.store import tables
from sopauto.store.alone import SCAN, held
from sopauto.store.tickets import SqlWriter

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sopauto.store.sqlstore import SqlStore
    from sopauto.tickets.storage import Mail

DEEPEST: Final = 11
"""How many predecessors a section may need to be read: one year of monthly changes, then it is kept whole."""
MANY: Final = 500
"""Values in one query; SQLite takes about 32,000."""


class SqlHistory:
    """The scans of a store, each method in a transaction of its own."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def alone(self) -> AbstractContextManager[None]:
        """Hold off any other scan of this store meanwhile; raises Conflict when one runs."""
        return held(self._store.engine, SCAN)

    def begin(self, at: datetime, wanted: int, only: Sequence[str] = (), month: str = "") -> Scan:
        """Begin a scan, as that of a month where one is named; raises Conflict when the month has one."""
        values = {"begun_at": at, "wanted": wanted, "only": json.dumps(list(only))}
        with self._store.connected(writes=True) as connection:
            made = connection.execute(insert(inventory.scans).values(values))
            (number,) = made.inserted_primary_key or (0,)
            if month:
                connection.execute(insert(inventory.months).values(month=month, scan=number))
        return Scan(id=int(number), begun_at=at, ended_at=None, wanted=wanted, only=tuple(only))

    def end(self, scan: int, at: datetime) -> None:
        """Write that a scan came to its end."""
        c = inventory.scans.c
        with self._store.connected(writes=True) as connection:
            connection.execute(update(inventory.scans).where(c.id == scan).values(ended_at=at))

    def reopen(self, scan: int) -> None:
        """Let a scan go on with the servers that it could not read."""
        c, readings = inventory.scans.c, inventory.readings
        with self._store.connected(writes=True) as connection:
            connection.execute(delete(readings).where(readings.c.scan == scan, readings.c.parts.is_(None)))
            connection.execute(update(inventory.scans).where(c.id == scan).values(ended_at=None))

    def scans(self, limit: int, until: datetime | None = None, *, whole: bool = False) -> Sequence[Scan]:
        """Return the newest scans, the newest first; those that were begun by then, where a moment is named.

        `whole`: only those of all servers.
        """
        query = select(inventory.scans).order_by(inventory.scans.c.id.desc()).limit(limit)
        if until is not None:
            query = query.where(inventory.scans.c.begun_at <= until)
        if whole:
            query = query.where(inventory.scans.c.only == json.dumps([]))
        with self._store.connected(writes=False) as connection:
            return [_scan(row) for row in connection.execute(query).mappings()]

    def month_runs(self, limit: int) -> Sequence[MonthRun]:
        """Return the newest monthly runs, the newest first."""
        months, scans = inventory.months.c, inventory.scans
        query = select(scans, months.month, months.reported_at).join(scans, scans.c.id == months.scan)
        with self._store.connected(writes=False) as connection:
            rows = connection.execute(query.order_by(months.month.desc()).limit(limit)).mappings()
            return [
                MonthRun(month=row["month"], scan=_scan(row), reported_at=row["reported_at"]) for row in map(dict, rows)
            ]

    def report_month(self, month: str, mails: Sequence[Mail], at: datetime) -> None:
        """Write that a month was reported, and its messages into the outbox; raises Conflict when it was already."""
        c = inventory.months.c
        still_open = and_(c.month == month, c.reported_at.is_(None))
        with self._store.connected(writes=True) as connection:
            changed = connection.execute(update(inventory.months).where(still_open).values(reported_at=at))
            if changed.rowcount != 1:
                raise Conflict(f"{month} was reported meanwhile; nothing was sent", mend="nothing is left to do")
            SqlWriter(connection, {}).post(mails, at)

    def record(self, scan: int, readings: Sequence[Reading]) -> None:
        """Keep what came of some servers, all of it or none; a server that was read in this scan before stays."""
        with self._store.connected(writes=True) as connection:
            done = set(connection.scalars(_in_scan(scan)))
            new = [reading for reading in readings if reading.server not in done]
            keeper = _Keeper(connection, new)
            for reading in new:
                connection.execute(insert(inventory.readings).values(scan=scan, **keeper.row(reading)))
                if reading.pinned is not None:
                    _pin(connection, reading)

    def read_in(self, scan: int) -> Sequence[str]:
        """Return the servers that were read in a scan, by id."""
        with self._store.connected(writes=False) as connection:
            return list(connection.scalars(_in_scan(scan).order_by(inventory.readings.c.server)))

    def unread(self, scan: int) -> Sequence[Reading]:
        """Return the servers of a scan that have no snapshot, with the reason, by id."""
        c = inventory.readings.c
        query = select(c.server, c.taken_at, c.reason, c.detail).where(c.scan == scan, c.parts.is_(None))
        with self._store.connected(writes=False) as connection:
            return [Reading(**row) for row in connection.execute(query.order_by(c.server)).mappings()]

    def failed(self, after: datetime, until: datetime) -> Collection[str]:
        """Return the servers that a scan between two moments asked and could not read."""
        c = inventory.readings.c
        tried = and_(c.parts.is_(None), c.reason != BY_FORM, c.taken_at > after, c.taken_at <= until)
        with self._store.connected(writes=False) as connection:
            return set(connection.scalars(select(c.server).where(tried).distinct()))

    def known(self, at: datetime, servers: Sequence[str] = ()) -> Mapping[str, Known]:
        """Return the newest snapshot of each server (or of some) that was taken by then; of two, the later scan's."""
        with self._store.connected(writes=False) as connection:
            return _known(connection, inventory.readings.c.taken_at <= at, servers)

    def first(self, servers: Sequence[str] = ()) -> Mapping[str, Known]:
        """Return the oldest snapshot of each server (or of some); a form that was recorded anew holds as corrected."""
        with self._store.connected(writes=False) as connection:
            return _known(connection, inventory.readings.c.parts.is_not(None), servers, oldest=True)

    def all_of(self, server: str) -> Sequence[Known]:
        """Return every snapshot of a server, the oldest first."""
        c = inventory.readings.c
        query = select(*_known_columns()).where(c.server == server, c.parts.is_not(None))
        with self._store.connected(writes=False) as connection:
            return [_read_known(row) for row in connection.execute(query.order_by(c.taken_at, c.scan))]

    def sections(self, numbers: Sequence[int]) -> Mapping[int, Any]:
        """Return the content of sections by their number."""
        with self._store.connected(writes=False) as connection:
            contents = _contents(connection, numbers)
        return {number: packing.read(contents[number]) for number in numbers}


class _Keeper:
    """Keeps sections inside one transaction: each content once, packed against the server's former one.

    What a bundle of readings needs of the database is asked for at once; a question for each section would take longer
    than all the rest.
    """

    def __init__(self, connection: Connection, readings: Sequence[Reading]) -> None:
        self._connection = connection
        taken = {reading.server: reading.snapshot for reading in readings if reading.snapshot is not None}
        former = _known(connection, inventory.readings.c.parts.is_not(None), list(taken)) if taken else {}
        self._former = {server: known.parts for server, known in former.items()}
        self._parts = {
            server: {name: packing.write(part) for name, part in split(snapshot).items()}
            for server, snapshot in taken.items()
        }
        digests = {sha256(content).digest() for parts in self._parts.values() for content in parts.values()}
        self._numbers = _numbers(connection, sorted(digests))
        self._bases = self._read_bases()

    def row(self, reading: Reading) -> dict[str, Any]:
        """Return a reading as a row of its table, its sections kept."""
        parts = None
        if reading.snapshot is not None:
            former = self._former.get(reading.server, {})
            contents = self._parts[reading.server]
            kept = {name: self._keep(content, former.get(name)) for name, content in contents.items()}
            parts = json.dumps(kept, separators=(",", ":"))
        return {
            "server": reading.server,
            "taken_at": reading.taken_at,
            "parts": parts,
            "reason": reading.reason,
            "detail": reading.detail,
        }

    def _read_bases(self) -> dict[int, tuple[bytes, int]]:
        """Return content and depth of the former sections that new ones are packed against."""
        changed = {
            self._former[server][name]
            for server, parts in self._parts.items()
            for name, content in parts.items()
            if name in self._former.get(server, {}) and sha256(content).digest() not in self._numbers
        }
        c = inventory.sections.c
        depths: dict[int, int] = {}
        for some in _pieces(sorted(changed)):
            query = select(c.id, c.depth).where(c.id.in_(some), c.depth < DEEPEST)
            depths |= {row.id: row.depth for row in self._connection.execute(query)}
        contents = _contents(self._connection, list(depths))
        return {number: (contents[number], depth) for number, depth in depths.items()}

    def _keep(self, content: bytes, former: int | None) -> int:
        """Return the number of a section, which is inserted when its content is new."""
        digest = sha256(content).digest()
        if digest not in self._numbers:
            base, depth = self._bases.get(former or 0, (None, -1))
            values = {
                "digest": digest,
                "base": former if base is not None else None,
                "depth": depth + 1,
                "content": packing.pack(content, base),
            }
            made = self._connection.execute(insert(inventory.sections).values(values))
            (number,) = made.inserted_primary_key or (0,)
            self._numbers[digest] = int(number)
        return self._numbers[digest]


def _numbers(connection: Connection, digests: Sequence[bytes]) -> dict[bytes, int]:
    """Return the numbers of the sections that are kept already."""
    c = inventory.sections.c
    return {
        bytes(row.digest): row.id
        for some in _pieces(digests)
        for row in connection.execute(select(c.id, c.digest).where(c.digest.in_(some)))
    }


def _pin(connection: Connection, reading: Reading) -> None:
    """Pin a host key shown at first contact; one that was pinned meanwhile stays."""
    c = tables.host_keys.c
    if connection.scalar(select(c.key).where(c.server == reading.server)) is None:
        values = {"server": reading.server, "key": reading.pinned, "pinned_at": reading.taken_at}
        connection.execute(insert(tables.host_keys).values(values))


def _scan(row: Mapping[Any, Any]) -> Scan:
    names = ("id", "begun_at", "ended_at", "wanted")
    return Scan(**{name: row[name] for name in names}, only=tuple(json.loads(row["only"])))


def _in_scan(scan: int) -> Any:
    c = inventory.readings.c
    return select(c.server).where(c.scan == scan)


def _known(connection: Connection, when: Any, servers: Sequence[str], *, oldest: bool = False) -> dict[str, Known]:
    """Return one snapshot of each server: the newest or the oldest of those that fulfil a condition."""
    c = inventory.readings.c
    choose = func.min if oldest else func.max
    found: dict[str, Known] = {}
    for some in _pieces(servers) if servers else [()]:
        wanted = and_(when, c.parts.is_not(None), *([c.server.in_(some)] if some else []))
        chosen = select(c.server, choose(c.taken_at).label("at")).where(wanted).group_by(c.server).subquery()
        same = and_(c.server == chosen.c.server, c.taken_at == chosen.c.at, c.parts.is_not(None))
        query = select(*_known_columns()).join(chosen, same).order_by(c.server, c.scan)
        for one in map(_read_known, connection.execute(query)):
            # Two scans may share a second. A form that is recorded anew for the same day is a correction.
            if not oldest or one.by_form or one.server not in found:
                found[one.server] = one
    return found


def _known_columns() -> Any:
    c = inventory.readings.c
    return c.server, c.scan, c.taken_at, c.parts, c.reason


def _read_known(row: Any) -> Known:
    parts = json.loads(row.parts)
    by_form = row.reason == BY_FORM
    return Known(server=row.server, scan=row.scan, taken_at=row.taken_at, parts=parts, by_form=by_form)


def _contents(connection: Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return sections unpacked, reading first what they are packed against."""
    c = inventory.sections.c
    rows: dict[int, tuple[int | None, bytes]] = {}
    wanted = sorted(set(numbers))
    while wanted:
        for some in _pieces(wanted):
            for row in connection.execute(select(c.id, c.base, c.content).where(c.id.in_(some))):
                rows[row.id] = (row.base, bytes(row.content))
        wanted = sorted({base for base, _ in rows.values() if base is not None and base not in rows})
    contents: dict[int, bytes] = {}
    for number in sorted(rows):  # a base is always older, so its number is lower
        base, packed = rows[number]
        contents[number] = packing.unpack(packed, None if base is None else contents[base])
    return contents


def _pieces(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    rest = iter(items)
    while some := list(islice(rest, MANY)):
        yield some
