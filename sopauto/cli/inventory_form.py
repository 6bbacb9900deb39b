"""Writing the Formulir Data Inventaris Server of servers that a scan read."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sopauto.cli.console import print_json, say
from sopauto.errors import BadInput, StepFailed

if TYPE_CHECKING:
    from sopauto.app import App


def write_forms(here: App, only: Sequence[str], folder: Path, *, at: str, quiet: bool) -> None:
    """Write PDF and JSON of each server in the room, or of some, as it was last read; name those without a snapshot.

    `at`: as it was read last until the end of that day or month (empty: until now).
    Raises: BadInput (a server is not in the room, none was read yet), StepFailed (they cannot be written).
    """
    from rich.progress import track

    from sopauto.cli.inventory_text import end_of
    from sopauto.inventory.kept.latest import snapshots
    from sopauto.inventory.reports.sheet import of_scan, scan_pdf
    from sopauto.inventory.scanning.targets import servers_in_the_room

    now = here.clock.now()
    until = end_of(at, here.settings.zone, now) if at else now
    with here.store.read() as reader:
        servers = {server.id: server for server in servers_in_the_room(reader.assets, only)}
    read = here.history.known(until, list(servers)) if servers else {}
    if not read:
        raise BadInput("no server was read until then", mend="`inv inventory.scan` reads them")
    taken = snapshots(here.history, until, list(read))
    silent = quiet or not sys.stdout.isatty()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, snapshot in track(taken, "forms", total=len(read), disable=silent, transient=True):
            # A unit that left the people file is named by its id: its server stands here still.
            owner = here.people.units.get(servers[name].unit, servers[name].unit)
            sheet = of_scan(here.settings, servers[name], owner, snapshot)
            stem = f"inventaris-{name.replace('/', '_')}"
            (folder / f"{stem}.pdf").write_bytes(scan_pdf(here.settings, sheet, now))
            (folder / f"{stem}.json").write_text(json.dumps(sheet, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        where = str(folder)
        raise StepFailed(f"cannot be written ({error.strerror})", where=where, mend="check name and rights") from None
    unread = sorted(servers.keys() - read.keys())
    if quiet:
        print_json({"folder": str(folder), "written": sorted(read), "unread": unread})
        return
    say(f"forms of {len(read)} servers in {folder}")
    if unread:
        say(f"never read: {', '.join(unread)}")
