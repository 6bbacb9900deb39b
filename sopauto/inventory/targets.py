"""Which servers a scan reads: those that stand in the room, each at its address, with its pinned host key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sopauto.assets.model import Server, ServerState
from sopauto.assets.register import Register
from sopauto.errors import BadInput
from sopauto.inventory.history import History, Scan
from sopauto.inventory.scan import Target


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


def begin_or_resume(
    history: History, register: Register, only: Sequence[str], *, resume: bool, now: datetime
) -> tuple[Scan, Sequence[Server]]:
    """Begin a scan, or take up the last one where it broke off; return it, and the servers that are left to read.

    Raises: BadInput (a server is not in the room, there is none, or no scan was broken off).
    """
    if not resume:
        servers = servers_in_the_room(register, only)
        if not servers:
            raise BadInput("no server stands in the room", mend="see `inv assets.list servers`")
        return history.begin(now, len(servers), only), servers
    last = next(iter(history.scans(1)), None)
    if last is None or last.ended_at is not None or only:
        what = "a scan is taken up with the servers that it began with" if only else "no scan was broken off"
        raise BadInput(what, where="--resume", mend="`inv inventory.scan` begins one")
    done = set(history.read_in(last.id))
    # A server that left the room meanwhile is not read any more.
    placed = {one.id for one in servers_in_the_room(register)}
    named = [name for name in last.only if name in placed]
    return last, [one for one in servers_in_the_room(register, named) if one.id not in done]


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
