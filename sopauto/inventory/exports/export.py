"""What an export is: one file of this room, and one line in `formats.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sopauto.assets.model import Rack, Server
from sopauto.assets.register import Register
from sopauto.inventory.kept.history import History
from sopauto.inventory.kept.latest import snapshots
from sopauto.inventory.scanning.targets import servers_in_the_room
from sopauto.settings import Settings

Files = Iterator[tuple[str, object]]
"""Name and content of each file: a text as it is, anything else is written as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What an export is written from: the servers in the room by id, their racks, and what was read until a moment.

    A server that was returned is no longer ours to tell of: it stands in no export.
    """

    settings: Settings
    servers: Sequence[Server]
    racks: Mapping[str, Rack]
    history: History
    at: datetime

    def snapshots(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each of the servers that was read, by id, with its newest snapshot."""
        names = [server.id for server in self.servers]
        return snapshots(self.history, self.at, names) if names else iter(())


def written_from(assets: Register, *, settings: Settings, history: History, at: datetime) -> Source:
    """Return what an export is written from: all servers in the room."""
    racks = {rack.id: rack for rack in assets.racks()}
    return Source(settings=settings, servers=servers_in_the_room(assets), racks=racks, history=history, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A format that another system reads.

    `single`: it is one document, which needs no directory. `checked` yields, by server, the documents that the other
    system's own JSON schema has to take (None: it has no schema).
    """

    name: str
    files: Callable[[Source], Files]
    single: bool = False
    checked: Callable[[Source], Iterator[tuple[str, Mapping[str, Any]]]] | None = None
