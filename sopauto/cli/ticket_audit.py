"""Tickets before an auditor: verify the journal, anchor it outside, export it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sopauto.cli.console import Context, app, command, hint, print_json, say
from sopauto.cli.running import HELP, send_mail
from sopauto.cli.typed import as_typed
from sopauto.errors import BadInput, StepFailed

if TYPE_CHECKING:
    from sopauto.app import App
    from sopauto.journal.export import Closing
    from sopauto.tickets.anchoring import Given
    from sopauto.tickets.storage import Stand

ALL = "all"
"""Instead of an id: every ticket (Invoke knows no optional arguments without a flag)."""
LARGEST = 256 << 20
"""Bytes of an anchor that is read: about a million tickets."""


@command(
    help={
        "ticket": HELP["ticket"] + ", or `all`",
        "anchor": "an anchor that was kept elsewhere (may be given several times)",
        "json": HELP["json"],
    },
    iterable=["anchor"],
)
def verify(c: Context, ticket: str, anchor: list[str] | None = None, json: bool = False) -> None:
    """Check the chain, each signature and each document of a ticket, offline. `--anchor`: also forks and cut ends."""
    from sopauto.tickets.anchoring import hold_against
    from sopauto.tickets.verifying import verify_all, verify_ticket

    here = app(c)
    given = [_given(Path(name)) for name in anchor or []]
    with here.store.read() as reader:
        report = verify_all(here, reader) if ticket == ALL else verify_ticket(here, reader, ticket)
        held = hold_against(here, reader, given, None if ticket == ALL else ticket)
    findings, notes = [*report.findings, *held.findings], [*report.notes, *held.notes]
    if json:
        told = {"tickets": report.tickets, "entries": report.entries, "findings": findings, "notes": notes}
        told |= {"mended": report.mended} if report.mended else {}
        print_json(told | ({"anchors": [one.name for one in given]} if given else {}))
    else:
        for line in (*findings, *(f"note: {note}" for note in notes)):
            say(f"  {as_typed(line)}")
        mended = f", with a mended clock at {', '.join(report.mended)}" if report.mended else ""
        found = "NOT intact" if findings else f"intact{mended}"
        say(f"{report.tickets} tickets, {report.entries} entries: {found}")
    if findings:
        raise StepFailed("the journal does not hold", where=ticket, mend="keep a copy, call the auditor")


@command(
    help={
        "to": "file to write (default: a new one in the folder of the settings); its signature goes to FILE.sig",
        "as": "who signs it (default: $SOPAUTO_AS; nobody: it is not signed)",
        "key": HELP["key"],
        "json": HELP["json"],
    }
)
def anchor(c: Context, to: str = "", as_: str = "", key: str = "", json: bool = False) -> None:
    """Write where every ticket's journal stands, to be kept outside. Against it, a fork or a cut end shows."""
    from sopauto.journal.anchor import write_anchor
    from sopauto.mail.anchors import letters
    from sopauto.tickets.anchoring import take_anchor

    here = app(c)
    person, at = as_ or os.environ.get("SOPAUTO_AS") or None, here.clock.now()
    if person:
        here.people.person(person)
    with here.store.read() as reader:
        taken = take_anchor(reader, at=at, person=person)
    content = write_anchor(taken)
    signature = _signed(here, person, key, content) if person else None
    file = Path(to) if to else here.settings.anchors.folder / f"anchor-{at:%Y%m%dT%H%M%S}.jsonl"
    _write(file, content, signature)
    mails = letters(here.settings, taken, file, content, signature)
    if mails:
        with here.store.write() as writer:
            writer.post(mails, at)
        send_mail(here, json=json)
    _tell(taken.person, file, len(taken.marks), [mail.to for mail in mails], json=json)


@command(
    help={
        "ticket": HELP["ticket"],
        "out": "file to write (default: TICKET.tar.gz)",
        "as": "who closes it with a signature over where it ends (default: nobody)",
        "key": HELP["key"],
        "json": HELP["json"],
    }
)
def export(c: Context, ticket: str, out: str = "", as_: str = "", key: str = "", json: bool = False) -> None:
    """Write one archive with journal, documents and public keys, which an auditor can check without sopauto."""
    from sopauto.journal.export import Closing
    from sopauto.store.private import write_private
    from sopauto.tickets.anchoring import anchor_of
    from sopauto.tickets.verifying import export_ticket

    here = app(c)
    path = Path(out or f"{ticket}.tar.gz")
    if as_:
        here.people.person(as_)

    def close(stand: Stand) -> Closing:
        signer = here.people.person(as_)
        closing = Closing(anchor=anchor_of(stand, at=here.clock.now(), person=as_), signer=signer)
        return replace(closing, signature=_signed(here, as_, key, closing.content))

    with here.store.read() as reader:
        content = export_ticket(here, reader, ticket, close if as_ else None)
    try:
        write_private(path, content)
    except OSError as error:
        raise BadInput(f"cannot be written ({error.strerror})", where=str(path), mend="check the folder") from None
    if json:
        print_json({"file": str(path), "bytes": len(content), "closed_by": as_ or None})
    else:
        say(f"wrote {path} ({len(content):,} bytes); BACA-SAYA.txt inside says how to check it")


def _given(path: Path) -> Given:
    """Return an anchor and the signature beside it; raises BadInput."""
    from sopauto.data_file import read_bounded
    from sopauto.journal.anchor import read_anchor
    from sopauto.journal.sshsig import LONGEST
    from sopauto.tickets.anchoring import Given

    content = read_bounded(path, most=LARGEST, mend="an anchor has about 250 bytes for each ticket")
    beside = path.with_name(f"{path.name}.sig")
    signature = read_bounded(beside, most=LONGEST).decode(errors="replace") if beside.exists() else None
    return Given(name=path.name, content=content, anchor=read_anchor(content, str(path)), signature=signature)


def _signed(here: App, person: str, key: str, content: bytes) -> str:
    from sopauto.journal.anchor import NAMESPACE

    chosen = key or os.environ.get("SOPAUTO_KEY", "")
    signer = here.signer(person, key=Path(chosen) if chosen else None, namespace=NAMESPACE)
    return signer.sign(content).signature


def _write(file: Path, content: bytes, signature: str | None) -> None:
    """Write an anchor and its signature; one that is there already is never written over. Raises BadInput."""
    beside = file.with_name(f"{file.name}.sig")
    try:
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if beside.exists():
            raise FileExistsError(0, "File exists", str(beside))
        with file.open("xb") as made:
            made.write(content)
        if signature is not None:
            with beside.open("x") as made_beside:
                made_beside.write(signature)
    except OSError as error:
        mend = "name a new file" if isinstance(error, FileExistsError) else "check rights and free space"
        raise BadInput(f"cannot be written ({error.strerror})", where=str(file), mend=mend) from None


def _tell(person: str | None, file: Path, tickets: int, to: Sequence[str], *, json: bool) -> None:
    if json:
        print_json({"file": str(file), "tickets": tickets, "signed_by": person, "mailed_to": to})
        return
    say(f"wrote {file}: {tickets} tickets, {f'signed by {person}' if person else 'not signed'}")
    for address in to:
        say(f"  mailed to {address}")
    say("  keep it outside: on another machine, or on paper")
    hint(f"  type: inv ticket.verify all --anchor {file}")
