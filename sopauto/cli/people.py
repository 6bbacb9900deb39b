"""The people file as entries were signed under it: which versions there were, and what changed."""

from __future__ import annotations

from typing import Any

from sopauto.cli.console import Context, app, command, print_json, say
from sopauto.errors import BadInput


@command(help={"json": "print JSON"})
def history(c: Context, json: bool = False) -> None:
    """List the people files under which entries were signed: since which entry, and what each one changed."""
    from sopauto.cli.ticket_text import local, moment
    from sopauto.tickets.people_then import PeopleThen, versions

    here = app(c)
    with here.store.read() as reader:
        found = versions(PeopleThen(here.people, reader))
    rows: list[dict[str, Any]] = [
        {
            "people": version.people,
            "since": f"{version.since.ticket} entry {version.since.number}",
            "from": moment(local(here, version.since.at)),
            "until": moment(local(here, version.until)),
            "entries": version.entries,
            "changed": list(version.changed),
            "kept": version.readable,
        }
        for version in found
    ]
    if json:
        print_json({"today": here.people.digest, "versions": rows})
        return
    for row in rows:
        kept = "" if row["kept"] else "  MISSING, or not the one that was signed"
        say(f"{row['people'][:12]}  since {row['since']} ({row['from']}), {row['entries']} entries{kept}")
        for line in row["changed"]:
            say(f"  {line}")
    known = rows and rows[-1]["people"] == here.people.digest
    say("today's file is the last of these" if known else f"{str(here.people.digest)[:12]}  today: no entry yet")


@command(help={"json": "print JSON"})
def check(c: Context, json: bool = False) -> None:
    """List everything that is wrong with the people file, each with its line."""
    here = app(c)
    faults = [{"line": fault.line, "what": fault.what, "mend": fault.mend} for fault in here.people.faults]
    if json:
        print_json({"faults": faults, "remarks": here.people.remarks})
    else:
        for fault in here.people.faults:
            say(f"{here.people.source}:{fault.line}: {fault.what}; {fault.mend}")
        for remark in here.people.remarks:
            say(f"  note: {remark}")
    if faults:
        raise BadInput(f"{len(faults)} things to mend", where=here.people.source, mend="see above")
    if not json:
        say(f"{len(here.people.persons)} persons: sound")
