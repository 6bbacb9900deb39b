"""Which servers a scan reads: those that stand in the room, each at its address, with its pinned host key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from sopauto.assets.model import Server, ServerState
from sopauto.assets.register import Register
from sopauto.errors import BadInput
from sopauto.inventory.kept.history import History, Scan
from sopauto.inventory.scanning.scan import Target

RECENT: Final = 100
"""Scans that are looked through for one that was broken off."""


def servers_in_the_room(register: Register, only: Sequence[str] = ()) -> Sequence[Server]:
    """Return the servers that have a place, by id; `only` names some of them.

    Raises: BadInput (one that is named is unknown, or has no place).
    """
    placed = {one.id: one for one in register.servers(ServerState.PLACED) if one.place is not None}
    for name in only:
        if name not in placed:
            known = "it has no place" if any(one.id == name for one in register.servers()) else "it is not known"
            raise BadInput(f"there is no server {name!r} to read: {known}", mend="see `inv assets.list servers`")
    return [placed[name] for name in (sorted(set(only)) or placed)]


def broken_off(history: History) -> Scan:
    """Return the newest scan that did not come to its end, unless all servers were scanned since; raises BadInput."""
    for scan in history.scans(RECENT):
        if scan.ended_at is None:
            return scan
        if not scan.only:
            break
    raise BadInput("no scan was broken off", where="--resume", mend="`inv inventory.scan` begins one")


def left_in(history: History, register: Register, scan: Scan) -> Sequence[Server]:
    """Return the servers that a scan has still to read; one that left the room meanwhile is not read any more."""
    done = set(history.read_in(scan.id))
    servers = servers_in_the_room(register)
    return [one for one in servers if one.id not in done and (not scan.only or one.id in scan.only)]


def targets(
    servers: Sequence[Server],
    pinned: Callable[[str], str | None],
    port: int,
    credentials: str,
    *,
    by_form: Collection[str] = (),
) -> Sequence[Target]:
    """Return where each of these servers answers, and as whom to log in."""
    return [
        Target(
            server=server.id,
            address=str(server.place.address),
            port=port,
            host_key=pinned(server.id),
            credentials=credentials,
            by_form=server.id in by_form,
        )
        for server in servers
        if server.place is not None
    ]
