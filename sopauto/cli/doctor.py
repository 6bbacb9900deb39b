"""`inv doctor`: check that everything is in place."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sopauto.access.register import BOOK
from sopauto.cli.console import Context, app, command, print_json, table
from sopauto.cli.typed import as_typed, one_line
from sopauto.errors import BadInput, SopautoError, StepFailed

if TYPE_CHECKING:
    from sopauto.app import App


@command(help={"json": "print JSON"})
def doctor(c: Context, json: bool = False) -> None:
    """Check that everything is in place: settings, people, SOPs, database, journal, mail; tell all versions."""
    from sopauto.cli.versions import versions

    here = app(c)
    rows = [{"what": name, "state": state, "told": told} for name, state, told in _examined(here)]
    rows += [{"what": name, "state": "version", "told": number} for name, number in versions(here)]
    if json:
        print_json(rows)
    else:
        table(["what", "state", "told"], [list(row.values()) for row in rows])
    wrong = [row["what"] for row in rows if row["state"] == "WRONG"]
    if wrong:
        raise StepFailed(f"to mend: {', '.join(wrong)}", mend="see above")


def _examined(here: App) -> Iterator[tuple[str, str, str]]:
    """Yield what was examined, `ok` or `WRONG`, and what there is to say."""
    checks: dict[str, Callable[[App], str]] = {
        "settings": _settings,
        "people": _people,
        "SOPs": _sops,
        "positions": _positions,
        "database": _database,
        "anchors": _anchors,
        "signing": _signing,
        "mail": _mail,
        "reminders": _reminders,
        "access": _access,
        "inventory": _inventory,
        "unrecorded": _unrecorded,
    }
    for name, examine in checks.items():
        try:
            yield name, "ok", examine(here)
        except (SopautoError, OSError) as error:
            yield name, "WRONG", one_line(error)


def _settings(here: App) -> str:
    root = here.settings.root
    parts = (root, *root.iterdir(), here.settings.people, here.settings.templates, *here.settings.procedures)
    if loose := sorted({str(path) for path in parts if path.exists() and path.stat().st_mode & stat.S_IWOTH}):
        what = f"everybody on this machine may write {', '.join(loose)}"
        raise BadInput(what, mend=f"chmod o-w {' '.join(loose)}")
    return str(root)


def _people(here: App) -> str:
    from sopauto.people import refuse_faults

    people, today = refuse_faults(here.people), here.clock.now().date()
    without = [person for person in people.persons if not people.keys(person, today)]
    if without:
        raise BadInput(f"no key today: {', '.join(without)}", mend="add `kunci` to the people file")
    return "; ".join([f"{len(people.persons)} persons, {len(people.holdings)} holdings", *people.remarks])


def _sops(here: App) -> str:
    findings = here.library.findings()
    if findings:
        raise BadInput(str(findings[0]), mend="see `inv sop.check all`")
    return f"{len(here.library.codes())} SOPs"


def _positions(here: App) -> str:
    """Hold the positions that SOPs name against the people file.

    Of the shipped SOPs those that somebody here can open or has opened; the agency's own all.
    """
    from sopauto.procedures.library import SHIPPED
    from sopauto.tickets.duties import unknown_positions

    held = {holding.position for holding in here.people.holdings}
    found, used = [], 0
    with here.store.read() as reader:
        for procedure in here.library.all():
            own = not Path(procedure.source).is_relative_to(SHIPPED)
            opener = held.intersection(procedure.step(procedure.start).actors)
            if own or opener or reader.rows(limit=1, procedure=procedure.code):
                used += 1
                missing = unknown_positions(procedure, here.people)
                found += [f"{procedure.code} names {', '.join(missing)}"] if missing else []
    if found:
        what = f"positions that nobody defined: {'; '.join(found)}"
        raise BadInput(
            what, where=here.people.source, mend="add them under `jabatan`; until then these SOPs stay closed"
        )
    return f"those of {used} SOPs are defined"


def _database(here: App) -> str:
    with here.store.read() as reader:
        counts = reader.counts()
    if shared := here.store.open_to_others():
        what = f"others may read or write {', '.join(map(str, shared))}"
        raise BadInput(what, mend=f"chmod 600 {' '.join(map(str, shared))}")
    return f"{here.store.describe()}: {counts['tickets']} tickets, {counts['entries']} entries"


def _anchors(here: App) -> str:
    anchors = here.settings.anchors
    newest = max((path.name for path in anchors.folder.glob("*.jsonl")), default="")
    if not newest:
        return as_typed("none yet: a cut end or a fork would not show; `inv ticket.anchor`")
    outside = f"mailed to {', '.join(anchors.mail_to)}" if anchors.mail_to else "keep a copy outside"
    return f"the newest in {anchors.folder}: {newest}; {outside}"


def _signing(_: App) -> str:
    path = shutil.which("ssh-keygen")
    if path is None:
        raise BadInput("there is no ssh-keygen", mend="install openssh-client")
    return path


def _mail(here: App) -> str:
    import socket

    mail = here.settings.mail
    try:
        socket.create_connection((mail.host, mail.port), timeout=3).close()
    except OSError as error:
        raise StepFailed(
            f"{mail.host}:{mail.port} does not answer ({error.strerror or error})", mend="see [mail]"
        ) from None
    waiting = here.outbox.due(here.clock.now())
    return f"{mail.host}:{mail.port} answers; {waiting} e-mails wait"


def _reminders(here: App) -> str:
    from datetime import timedelta

    now = here.clock.now()
    with here.store.read() as reader:
        overdue = len(reader.reminders.overdue(now))
        forgotten = reader.reminders.forgotten(now - timedelta(days=1))
    if forgotten:
        late = f"{overdue} tickets are overdue, {forgotten} for a day without a reminder"
        return f"{late}: {as_typed('`inv ticket.remind`')}"
    return f"{overdue} tickets are overdue"


def _access(here: App) -> str:
    from sopauto.access.model import LEAVING, State

    with here.store.read() as reader:
        leaving = reader.part(BOOK).in_states(LEAVING)
        active = len(reader.part(BOOK).in_states([State.ACTIVE]))
    stuck = [grant for grant in leaving if grant.fault]
    if stuck:
        since = min(grant.faulty_since for grant in stuck if grant.faulty_since)
        what = f"{len(stuck)} cards may still open a door since {since.astimezone(here.settings.zone):%Y-%m-%d %H:%M}"
        raise StepFailed(f"{what}: {stuck[0].fault}", mend="`inv access.expire` tries again")
    return f"{active} cards are active, {len(here.settings.access.doors)} doors"


def _inventory(here: App) -> str:
    by_form = here.settings.inventory.by_form
    with here.store.read() as reader:
        known = {server.id for server in reader.assets.servers()}
    unknown = [name for name in by_form if name not in known]
    if unknown:
        what = f"by_form names servers that the assets do not know: {', '.join(unknown)}"
        raise BadInput(what, mend="see [inventory] and `inv assets.list servers`")
    return f"{len(by_form)} servers are recorded by form"


def _unrecorded(here: App) -> str:
    """Look for ends of machine work that were kept because their entries could not be written."""
    waiting = list(here.kept.unwritten())
    if not waiting:
        return "the end of all machine work is in the journal"
    told = [f"{attempt.ticket} {attempt.step}" if attempt else f"{path} is not believed" for path, attempt in waiting]
    tickets = sorted({attempt.ticket for _, attempt in waiting if attempt})
    mends = [f"`inv ticket.run {ticket}` records it" for ticket in tickets]
    what = f"{len(waiting)} ends of machine work are kept and not in the journal: {', '.join(told)}"
    raise StepFailed(what, mend="; ".join([*mends, *(["look at the files"] if None in dict(waiting).values() else [])]))
