"""Software: the catalogue, and the machine work of SOP 003."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sopauto.cli.console import Context, app, command, print_json, say, shelf, table
from sopauto.cli.running import HELP, run_module
from sopauto.cli.typed import one_line
from sopauto.errors import StepFailed

if TYPE_CHECKING:
    from sopauto.software.shelf import Entry

ALL = "all"


@command(name="list", help={"json": "print JSON"})
def list_(c: Context, json: bool = False) -> None:
    """List the catalogue: the agency's own entries and the shipped ones."""
    entries = list(shelf(c).all())
    if json:
        print_json([_as_json(entry) for entry in entries])
        return
    rows = [[e.name, ", ".join(e.software.versions), len(e.software.tests), e.software.title] for e in entries]
    table(["name", "versions", "tests", "title"], rows)


@command(help={"name": "an entry's name, such as nginx", "json": "print JSON"})
def show(c: Context, name: str, json: bool = False) -> None:
    """Print what an entry needs, tests and lets an engineer set. Example: `inv software.show nginx`."""
    entry = shelf(c).get(name)
    if json:
        print_json(_as_json(entry))
        return
    software = entry.software
    say(f"{software.title}, {', '.join(software.versions)} ({software.licence}); {entry.where}")
    table(["default test", "expects"], [[test.title, test.contains] for test in software.tests])
    settings = software.configuration.settings.items()
    rows = [[name, setting.type, setting.default, setting.label] for name, setting in settings]
    table(["setting", "type", "default", "meaning"], rows, empty="nothing can be set")


@command(help={"path": "directory of one entry, or `all` for the whole catalogue"})
def check(c: Context, path: str) -> None:
    """Check entries with their templates, checksums and signatures. Example: `inv software.check catalogue/agenda`."""
    from sopauto.software.shelf import read_entry
    from sopauto.software.source import check_source

    entries = list(shelf(c).all()) if path == ALL else [read_entry(Path(path))]
    for entry in entries:
        check_source(entry)
        say(f"{entry.name}: sound")


@command(help=HELP)
def install(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Install a ticket's software, exactly as approved (instalasi.5)."""
    run_module(c, ticket, "software.install", person=as_, key=key, json=json)


@command(help=HELP)
def remove(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Take a ticket's software back, and prove the state from before (instalasi.8)."""
    run_module(c, ticket, "software.remove", person=as_, key=key, json=json)


@command(help=HELP)
def configure(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Configure a ticket's software, exactly as approved (instalasi.10)."""
    run_module(c, ticket, "software.configure", person=as_, key=key, json=json)


@command(help=HELP | {"ticket": "the ticket's id, or `all` for every software that stands on a server"})
def test(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Make the default tests of a ticket's software, at row 7 and at any time after the ticket is done."""
    if ticket != ALL:
        run_module(c, ticket, "software.test", person=as_, key=key, json=json)
        return
    broken = [found for found in _done(c) if not _holds(c, found, person=as_, key=key, json=json)]
    if broken:
        raise StepFailed(f"{len(broken)} servers have a check that does not hold", mend=f"see {', '.join(broken)}")


def _done(c: Context) -> list[str]:
    """Return the tickets whose software stands on a server."""
    from sopauto.software.parameters import installations

    here = app(c)
    with here.store.read() as reader:
        return [ticket.id for ticket in installations(reader, here.procedure_of)]


def _holds(c: Context, ticket: str, *, person: str, key: str, json: bool) -> bool:
    """Test one server; one that does not answer does not keep the others from being tested."""
    from sopauto.cli.running import desk_of
    from sopauto.tickets.running import run

    desk, person = desk_of(c, person, key, json=json)
    try:
        _, result = run(desk, ticket, person=person, module="software.test")
    except StepFailed as error:
        say(f"{ticket}: {one_line(error)}")
        return False
    say(f"{ticket}: {result.summary}")
    return not result.facts["failed"]


def _as_json(entry: Entry) -> dict[str, Any]:
    return {"name": entry.name, "file": entry.where, **entry.software.model_dump(mode="json", exclude_none=True)}
