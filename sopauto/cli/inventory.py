"""Inventories of servers in custody (SOP/04/406.020/2019, konfigurasi.7): of a ticket's server, and monthly of all."""

from __future__ import annotations

from sopauto.cli.console import Context, app, command
from sopauto.cli.running import HELP, run_module
from sopauto.errors import BadInput


@command(help=HELP)
def collect(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Take the inventory of a ticket's server: server data and network data, as a dated snapshot."""
    run_module(c, ticket, "inventory.collect", person=as_, key=key, json=json)


@command(
    iterable=["host"],
    help={
        "host": "only this server (several times; default: all in the room)",
        "resume": "go on with the scan that was broken off",
        "pin": "trust the first contact with servers that have no pinned host key",
        "json": "print JSON",
    },
)
def scan(
    c: Context, host: list[str] | None = None, resume: bool = False, pin: bool = False, json: bool = False
) -> None:
    """Take the inventory of all servers in the room, many at once; needs no ticket, changes nothing."""
    from sopauto.cli.scan_text import showing, tell_scan
    from sopauto.inventory.scanning.targets import broken_off

    here = app(c)
    if resume and host:
        raise BadInput("a scan goes on with the servers that it began with", where="--host", mend="leave it out")
    begun = broken_off(here.history) if resume else None
    with showing(quiet=json) as show:
        begun, tally = here.scan(host or (), begun=begun, pin=pin, show=show)
    tell_scan(here, begun, tally, json=json)


@command(
    help={"host": "a server of [inventory] by_form", "file": "the filled form (YAML or JSON)", "json": "print JSON"}
)
def record(c: Context, host: str, file: str, json: bool = False) -> None:
    """Record by form a server that no scan reads (Windows, an appliance); `inventory.blank` writes the form."""
    from pathlib import Path

    from sopauto.cli.inventory_record import record_form

    record_form(app(c), host, Path(file), json=json)


@command(help={"host": "a server of [inventory] by_form"})
def blank(c: Context, host: str) -> None:
    """Print the form to fill for a server that no scan reads. Example: `inv inventory.blank win-01 > win-01.yaml`."""
    from sopauto.cli.inventory_record import print_blank

    print_blank(app(c), host)


@command(help={"limit": "how many scans (default: 12)", "json": "print JSON, with every server that was not read"})
def scans(c: Context, limit: int = 12, json: bool = False) -> None:
    """List scans, the newest first, and which servers the newest one could not read."""
    if limit < 1:
        raise BadInput("no scans can be listed", where="--limit", mend="write a number from 1 on")
    from sopauto.cli.scan_text import tell_scans

    tell_scans(app(c), limit, json=json)


@command(
    iterable=["host"],
    help={
        "before": "a day (2026-10-31) or month (2026-10)",
        "after": "a later day or month",
        "host": "only this server (several times)",
        "json": "print JSON",
    },
)
def diff(c: Context, before: str, after: str, host: list[str] | None = None, json: bool = False) -> None:
    """Tell what changed on the servers between two dates. Example: `inv inventory.diff 2026-10 2026-11`."""
    from sopauto.cli.inventory_text import end_of, refuse_unread, tell_difference
    from sopauto.inventory.comparing.difference import compare

    here = app(c)
    zone = here.settings.zone
    now = here.clock.now()
    moments = end_of(before, zone, now), end_of(after, zone, now)
    known = here.history.first(host) if host else {}
    for name in host or ():
        if name not in known:
            raise BadInput(f"{name!r} was never read", where="--host", mend="see `inv assets.list servers`")
    if moments[0] >= moments[1]:
        raise BadInput(f"{before} does not come before {after}", mend="write the earlier date first")
    refuse_unread(here.history, moments[1])
    found = compare(here.comparison, *moments, host or ())
    tell_difference(found, before=before, after=after, zone=zone, json=json)


@command(
    iterable=["host"],
    help={
        "host": "only this server (several times)",
        "since": "take the servers of this day or month as approved (default: as they were first read)",
        "json": "print JSON",
    },
)
def drift(c: Context, host: list[str] | None = None, since: str = "", json: bool = False) -> None:
    """List every difference from what was last approved that no ticket explains."""
    from sopauto.cli.inventory_text import end_of, refuse_unread, tell_drift

    here = app(c)
    zone = here.settings.zone
    refuse_unread(here.history, here.clock.now())
    found = here.drift(host or (), since=end_of(since, zone, here.clock.now()) if since else None)
    tell_drift(found, zone=zone, json=json)


@command(
    help={
        "format": "what the other system reads (a name that is none of them lists them)",
        "to": "a directory for the files (default: print the document, where a format has only one)",
        "schema": "the other system's own JSON schema: nothing is written unless every document fits it",
    }
)
def export(c: Context, format: str, to: str = "", schema: str = "") -> None:
    """Write the newest inventory for another system. Example: `inv inventory.export netbox --to netbox`."""
    from sopauto.cli.inventory_export import export

    export(app(c), format, to, schema=schema)


@command(
    help={
        "month": "the month, such as 2026-11 (default: the present one)",
        "to": "a directory for PDF, XLSX and HTML (default: the present one)",
        "json": "print the recapitulation as JSON and write nothing",
    }
)
def report(c: Context, month: str = "", to: str = ".", json: bool = False) -> None:
    """Write the month's recapitulation: PDF, XLSX and one HTML page."""
    from sopauto.cli.inventory_report import write_report

    write_report(app(c), month, to, json=json)


@command(
    iterable=["host"],
    help={
        "host": "only this server (several times; default: all in the room)",
        "at": "as they were last read until the end of this day or month (default: until now)",
        "to": "a directory for PDF and JSON of each (default: the present one)",
        "json": "print JSON",
    },
)
def form(c: Context, host: list[str] | None = None, at: str = "", to: str = ".", json: bool = False) -> None:
    """Write the Formulir Data Inventaris Server of each server, from its newest scan."""
    from pathlib import Path

    from sopauto.cli.inventory_form import write_forms

    write_forms(app(c), host or (), Path(to), at=at, quiet=json)


@command(help={"json": "print JSON"})
def monthly(c: Context, json: bool = False) -> None:
    """Scan, report and mail the present month, once; for a timer. Goes on where it was broken off."""
    from sopauto.cli.inventory_monthly import run_month

    run_month(app(c), json=json)
