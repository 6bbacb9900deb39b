"""The documents of a ticket: list them, read one, save one, each held against the digest that was signed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sopauto.cli.console import Context, app, command, hint, print_json, say, table
from sopauto.cli.running import HELP
from sopauto.cli.ticket_text import MOST, SHORT, mask_in
from sopauto.errors import BadInput, StepFailed

if TYPE_CHECKING:
    from sopauto.tickets.storage import Reader

DIGEST: Final = re.compile(rf"[0-9a-f]{{{SHORT},64}}", re.ASCII)
OWNER_ONLY: Final = 0o600


@command(help={"ticket": HELP["ticket"], "json": HELP["json"]})
def papers(c: Context, ticket: str, json: bool = False) -> None:
    """List the documents of a ticket: forms, plans, evidence, the SOP."""
    with app(c).store.read() as reader:
        found = _papers(reader, ticket)
    if json:
        print_json(found)
        return
    rows = [[paper["entry"], paper["step"], paper["name"], paper["sha256"][:SHORT]] for paper in found]
    table(["entry", "at step", "name", "digest"], rows)
    hint(f"  type: inv ticket.paper {ticket} NAME --to FILE")


@command(
    help={
        "ticket": HELP["ticket"],
        "name": "the document's name (of several the last), or at least 12 digits of its digest",
        "to": "file to write, exactly as it was signed; it must not be there yet",
    }
)
def paper(c: Context, ticket: str, name: str, to: str = "") -> None:
    """Print a document of a ticket, personal numbers masked, or save it as it was signed."""
    from sopauto.work import sha256

    here = app(c)
    with here.store.read() as reader:
        found = _chosen(_papers(reader, ticket), ticket, name)
        content = reader.document(found["sha256"])
        standing = reader.ticket(ticket)
    if sha256(content) != found["sha256"]:
        raise StepFailed(f"{found['name']} is not the document that was signed", where=ticket, mend="call the auditor")
    if to:
        _save(Path(to), content)
        say(f"wrote {to} ({len(content):,} bytes), {found['sha256'][:SHORT]} of entry {found['entry']}")
        return
    mask = mask_in(here, standing)
    lines = [mask(line) for line in _text(content, found["name"], ticket)]
    for line in lines[:MOST]:
        say(line)
    if len(lines) > MOST:
        hint(f"… {len(lines) - MOST} lines more: inv ticket.paper {ticket} {found['name']} --to FILE")


def _papers(reader: Reader, ticket: str) -> list[dict[str, Any]]:
    """Return the documents that a ticket's entries carry, in their order; raises BadInput (unknown ticket)."""
    from sopauto.journal.entry import read_body
    from sopauto.tickets.papers import papers_of

    reader.ticket(ticket)
    return papers_of([read_body(entry.body) for entry in reader.entries(ticket)])


def _chosen(found: list[dict[str, Any]], ticket: str, name: str) -> dict[str, Any]:
    """Return the last document of that name, or the one of that digest; raises BadInput (there is none)."""
    named = [paper for paper in found if paper["name"] == name]
    if not named and DIGEST.fullmatch(name.lower()):
        named = [paper for paper in found if paper["sha256"].startswith(name.lower())]
    if not named:
        mend = f"see `inv ticket.papers {ticket}`"
        raise BadInput(f"there is no document {name[:80]!r}", where=ticket, mend=mend)
    return named[-1]


def _save(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read: forms hold whole numbers of persons. Raises BadInput."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
            file.write(content)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise BadInput(f"cannot be written ({reason})", where=str(path), mend="name a new file") from None


def _text(content: bytes, name: str, ticket: str) -> list[str]:
    """Return a document's lines, JSON laid out for a reader; raises BadInput (it is no text)."""
    import json

    try:
        if b"\0" in content or name.endswith(".pdf"):
            raise UnicodeDecodeError("utf-8", content, 0, 1, "no text")
        text = content.decode()
        if name.endswith(".json"):
            text = json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    except ValueError:
        mend = f"save it with `inv ticket.paper {ticket} {name} --to FILE`"
        raise BadInput(f"{name} is no text", where=ticket, mend=mend) from None
    return text.split("\n")
