"""How a scan is shown: a bar with rate and time left while it runs, and what could not be read at its end."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from sopauto.cli.console import hint, print_json, say, table
from sopauto.cli.typed import as_typed
from sopauto.errors import StepFailed

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from sopauto.app import App
    from sopauto.inventory.kept.history import Reading, Scan
    from sopauto.inventory.scanning.scan import Tally

EVERY = 5.0
"""Seconds between lines where there is no terminal."""
SHOWN = 30
"""Servers that could not be read, of which a line is printed."""


@contextmanager
def showing(*, quiet: bool) -> Iterator[Callable[[Tally], None]]:
    """Return what shows a tally: a bar on a terminal, else a line now and then, or nothing.

    Meanwhile SIGTERM (a timer's stop) ends a scan as Ctrl-C does: what is done is kept, no ssh is left behind.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if quiet:
            yield lambda _: None
        elif sys.stdout.isatty():
            with _bar() as show:
                yield show
        else:
            yield _lines()
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _bar() -> Iterator[Callable[[Tally], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        *(TextColumn("servers"), BarColumn(), MofNCompleteColumn()),
        *(TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), TextColumn("{task.fields[unread]}")),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("", total=None, rate="", unread="")
        begun = time.monotonic()

        def show(tally: Tally) -> None:
            failed = tally.done - tally.read
            progress.update(
                task,
                total=tally.wanted,
                completed=tally.done,
                rate=_rate(tally, begun),
                unread=f"{failed} not read" if failed else "",
            )

        yield show


def _lines() -> Callable[[Tally], None]:
    begun = last = time.monotonic()

    def show(tally: Tally) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            spent = last - begun
            left = f"{spent / tally.done * (tally.wanted - tally.done):.0f} s left" if tally.done else "-"
            say(f"  {tally.done} of {tally.wanted} servers, {_rate(tally, begun)}, {left}")

    return show


def _rate(tally: Tally, begun: float) -> str:
    return f"{tally.done / max(time.monotonic() - begun, 0.001):.1f}/s"


def tell_scan(here: App, scan: Scan, tally: Tally, *, json: bool) -> None:
    """Print what came of a scan; raises StepFailed when it was interrupted, or nothing at all could be read."""
    from sopauto.inventory.kept.history import BY_FORM

    unread = here.history.unread(scan.id)
    if json:
        told = {"scan": scan.id, "wanted": scan.wanted, "read": tally.read, "interrupted": tally.interrupted}
        print_json({**told, "unread": [_plain(one) for one in unread]})
    else:
        _tell(scan, tally, unread, here.settings.zone)
    refuse_interrupted(tally, "inv inventory.scan --resume")
    if tally.wanted > tally.unread.get(BY_FORM, 0) and not tally.read:
        raise StepFailed("no server could be read", mend="see the reasons with `inv inventory.scans`")


def refuse_interrupted(tally: Tally, command: str) -> None:
    """Raise StepFailed when a scan was interrupted; `command` goes on with it."""
    if tally.interrupted:
        what = f"interrupted after {tally.done} of {tally.wanted} servers; they are kept"
        raise StepFailed(what, mend=f"go on with `{command}`")


def _tell(scan: Scan, tally: Tally, unread: Sequence[Reading], zone: tzinfo) -> None:
    say(f"scan {scan.id}: {tally.read} of {tally.wanted} servers read")
    _tell_unread(unread)
    if not tally.interrupted:
        month = scan.begun_at.astimezone(zone)
        before = month.replace(day=1) - timedelta(days=1)
        hint(f"type: inv inventory.drift, inv inventory.diff {before:%Y-%m} {month:%Y-%m}")


def tell_scans(here: App, limit: int, *, json: bool) -> None:
    """Print the newest scans, and what the newest could not read."""
    found = here.history.scans(limit)
    unread = here.history.unread(found[0].id) if found else ()
    if json:
        print_json({"scans": [asdict(scan) for scan in found], "unread": [_plain(one) for one in unread]})
        return
    rows = [[scan.id, _local(here, scan.begun_at), _ended(here, scan), scan.wanted] for scan in found]
    table(["scan", "begun", "ended", "servers"], rows, empty=as_typed("no scan yet; type: inv inventory.scan"))
    _tell_unread(unread)


def _tell_unread(unread: Sequence[Reading]) -> None:
    from sopauto.inventory.scanning.scan import REASONS

    if unread:
        table(["not read", "why", "more"], [[one.server, REASONS[one.reason], one.detail] for one in unread[:SHOWN]])
    if len(unread) > SHOWN:
        hint(f"and {len(unread) - SHOWN} more; see `inv inventory.scans --json`")


def _plain(reading: Reading) -> dict[str, str]:
    return {"server": reading.server, "reason": reading.reason, "detail": reading.detail}


def _ended(here: App, scan: Scan) -> str:
    return _local(here, scan.ended_at) if scan.ended_at else as_typed("broken off; `inv inventory.scan --resume`")


def _local(here: App, moment: datetime) -> str:
    return f"{moment.astimezone(here.settings.zone):%Y-%m-%d %H:%M}"
