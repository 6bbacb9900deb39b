"""Recording a server by form, and the empty form."""

from __future__ import annotations

from json import loads
from pathlib import Path
from typing import TYPE_CHECKING

from sopauto.cli.console import hint, print_json, say
from sopauto.errors import BadInput

if TYPE_CHECKING:
    from sopauto.app import App
    from sopauto.assets.model import Server
    from sopauto.assets.register import Register


def record_form(here: App, host: str, path: Path, *, json: bool) -> None:
    """Keep what a filled form says of a server as a reading in the history.

    Raises: BadInput (the server is not in the room or not one that is recorded by form, a fault of the file), Conflict
    (a scan runs).
    """
    from sopauto.inventory.by_hand.form import read_form
    from sopauto.inventory.kept.history import BY_FORM, Reading

    with here.store.read() as reader:
        server = _by_form(here, reader.assets, host)
    now = here.clock.now()
    snapshot = read_form(path, now)
    reading = Reading(server=server.id, taken_at=snapshot.taken_at, snapshot=loads(snapshot.as_bytes()), reason=BY_FORM)
    with here.history.alone():
        scan = here.history.begin(now, 1, [server.id])
        here.history.record(scan.id, [reading])
        here.history.end(scan.id, here.clock.now())
    if json:
        print_json({"server": server.id, "scan": scan.id, "taken_at": snapshot.taken_at.isoformat()})
        return
    say(f"{server.id}: recorded as of {snapshot.taken_at:%Y-%m-%d %H:%M}")
    hint(f"type: inv inventory.drift, inv inventory.form --host {server.id}")


def print_blank(here: App, host: str) -> None:
    """Print an empty form for a server; raises BadInput (it is not in the room, or not recorded by form)."""
    from sopauto.inventory.by_hand.blank_form import blank

    with here.store.read() as reader:
        server, pools = _by_form(here, reader.assets, host), reader.assets.pools()
    assert server.place is not None
    for line in blank(server, server.place, pools, here.clock.now().date()).splitlines():
        hint(line)


def _by_form(here: App, register: Register, host: str) -> Server:
    """Return a server that people record; what a machine said of itself is not overwritten by hand."""
    from sopauto.inventory.scanning.targets import servers_in_the_room

    (server,) = servers_in_the_room(register, [host])
    if server.id not in here.settings.inventory.by_form:
        mend = f'a scan reads it; where none can, add "{server.id}" to [inventory] by_form'
        raise BadInput(f"{server.id} is not recorded by form", where="sopauto.toml", mend=mend)
    return server
