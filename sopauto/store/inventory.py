"""The monthly inventory in the database. Fulfils `inventory.history.History`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, insert, select, update

from sopauto.inventory import packing
from sopauto.inventory.history import Known, Reading, Scan
from sopauto.inventory.sections import split
from sopauto.store import tables
from sopauto.store import tables_inventory as inventory
from sopauto.store.alone import held

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sopauto.store.sqlstore import SqlStore

DEEPEST: Final = 11
"""How many predecessors a section may need to be read: one year of monthly changes, then it is kept whole."""
MANY: Final = 500
"""Values in one query; SQLite takes about 32,000."""


class SqlHistory:
    """The scans of a store, each method in a transaction of its own."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold off any other scan of this store meanwhile; raises Conflict when one runs.

        The lock ends with its process, however that ends.
        """
        with held(self._store.engine):
            yield

    def begin(self, at: datetime, wanted: int, only: Sequence[str] = ()) -> Scan:
        """Begin a scan."""
        values = {"begun_at": at, "wanted": wanted, "only": json.dumps(list(only))}
        with self._store.connected(writes=True) as connection:
            made = connection.execute(insert(inventory.scans).values(values))
            (number,) = made.inserted_primary_key or (0,)
        return Scan(id=int(number), begun_at=at, ended_at=None, wanted=wanted, only=tuple(only))

    def end(self, scan: int, at: datetime) -> None:
        """Write that a scan came to its end."""
        c = inventory.scans.c
        with self._store.connected(writes=True) as connection:
            connection.execute(update(inventory.scans).where(c.id == scan).values(ended_at=at))

    def scans(self, limit: int) -> Sequence[Scan]:
        """Return the newest scans, the newest first."""
        query = select(inventory.scans).order_by(inventory.scans.c.id.desc()).limit(limit)
        with self._store.connected(writes=False) as connection:
            rows = connection.execute(query).mappings()
            return [Scan(**{**row, "only": tuple(json.loads(row["only"]))}) for row in rows]

    def record(self, scan: int, readings: Sequence[Reading]) -> None:
        """Keep what came of some servers, all of it or none; a server that was read in this scan before stays."""
        with self._store.connected(writes=True) as connection:
            done = set(connection.scalars(_in_scan(scan)))
            new = [reading for reading in readings if reading.server not in done]
            keeper = _Keeper(connection, [reading.server for reading in new])
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

    def known(self, at: datetime, servers: Sequence[str] = ()) -> Mapping[str, Known]:
        """Return the newest snapshot of each server (or of some) that was taken by then."""
        with self._store.connected(writes=False) as connection:
            return _known(connection, inventory.readings.c.taken_at <= at, func.max, servers)

    def first(self, servers: Sequence[str] = ()) -> Mapping[str, Known]:
        """Return the oldest snapshot of each server (or of some)."""
        with self._store.connected(writes=False) as connection:
            return _known(connection, inventory.readings.c.parts.is_not(None), func.min, servers)

    def all_of(self, server: str) -> Sequence[Known]:
        """Return every snapshot of a server, the oldest first."""
        c = inventory.readings.c
        query = select(c.server, c.taken_at, c.parts).where(c.server == server, c.parts.is_not(None))
        with self._store.connected(writes=False) as connection:
            rows = connection.execute(query.order_by(c.taken_at))
            return [Known(server=row.server, taken_at=row.taken_at, parts=json.loads(row.parts)) for row in rows]

    def sections(self, numbers: Sequence[int]) -> Mapping[int, Any]:
        """Return the content of sections by their number."""
        with self._store.connected(writes=False) as connection:
            contents = _contents(connection, numbers)
        return {number: packing.read(contents[number]) for number in numbers}


class _Keeper:
    """Keeps sections inside one transaction: each content once, packed against the server's former one."""

    def __init__(self, connection: Connection, servers: Sequence[str]) -> None:
        self._connection = connection
        former = _known(connection, inventory.readings.c.parts.is_not(None), func.max, servers)
        self._former = {server: known.parts for server, known in former.items()}

    def row(self, reading: Reading) -> dict[str, Any]:
        """Return a reading as a row of its table, its sections kept."""
        parts = None
        if reading.snapshot is not None:
            former = self._former.get(reading.server, {})
            kept = {name: self._keep(part, former.get(name)) for name, part in split(reading.snapshot).items()}
            parts = json.dumps(kept, separators=(",", ":"))
        return {
            "server": reading.server,
            "taken_at": reading.taken_at,
            "parts": parts,
            "reason": reading.reason,
            "detail": reading.detail,
        }

    def _keep(self, part: Any, former: int | None) -> int:
        """Return the number of a section, which is inserted when its content is new."""
        content = packing.write(part)
        digest = sha256(content).digest()
        c = inventory.sections.c
        number: int | None = self._connection.scalar(select(c.id).where(c.digest == digest))
        if number is not None:
            return number
        base, depth = self._base(former)
        values = {
            "digest": digest,
            "base": former if base is not None else None,
            "depth": depth,
            "content": packing.pack(content, base),
        }
        made = self._connection.execute(insert(inventory.sections).values(values))
        (new,) = made.inserted_primary_key or (0,)
        return int(new)

    def _base(self, former: int | None) -> tuple[bytes | None, int]:
        """Return the predecessor's content, unless too many stand before it, and how many then do."""
        if former is None:
            return None, 0
        c = inventory.sections.c
        depth = self._connection.scalar(select(c.depth).where(c.id == former)) or 0
        if depth >= DEEPEST:
            return None, 0
        return _contents(self._connection, [former])[former], depth + 1


def _pin(connection: Connection, reading: Reading) -> None:
    """Pin a host key shown at first contact; one that was pinned meanwhile stays."""
    c = tables.host_keys.c
    if connection.scalar(select(c.key).where(c.server == reading.server)) is None:
        values = {"server": reading.server, "key": reading.pinned, "pinned_at": reading.taken_at}
        connection.execute(insert(tables.host_keys).values(values))


def _in_scan(scan: int) -> Any:
    c = inventory.readings.c
    return select(c.server).where(c.scan == scan)


def _known(connection: Connection, when: Any, choose: Any, servers: Sequence[str]) -> dict[str, Known]:
    """Return one snapshot of each server: the newest or the oldest of those that fulfil a condition."""
    c = inventory.readings.c
    found: dict[str, Known] = {}
    for some in _pieces(servers) if servers else [()]:
        wanted = and_(when, c.parts.is_not(None), *([c.server.in_(some)] if some else []))
        chosen = select(c.server, choose(c.taken_at).label("at")).where(wanted).group_by(c.server).subquery()
        same = and_(c.server == chosen.c.server, c.taken_at == chosen.c.at, c.parts.is_not(None))
        query = select(c.server, c.taken_at, c.parts).join(chosen, same).order_by(c.server)
        for row in connection.execute(query):
            found[row.server] = Known(server=row.server, taken_at=row.taken_at, parts=json.loads(row.parts))
    return found


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
