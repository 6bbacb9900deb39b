"""Access with 10,000 cards: the register of a day, a review round, expiry at a door, and the memory of an export."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks.measure import Figure, seconds
from lab.controller import Controller
from lab.entering import workspace_for
from lab.mailbox import Mailbox
from lab.workspace import Workspace
from sopauto.access import tables as access_tables
from sopauto.access.ending import ending
from sopauto.access.model import Answer
from sopauto.access.register import BOOK
from sopauto.access.register_sheet import COLUMNS, row_of
from sopauto.access.review import answer, open_review
from sopauto.app import App
from sopauto.documents.sheets import write_csv, write_xlsx
from sopauto.store import tables
from sopauto.store.ticket_json import write_ticket
from sopauto.tickets.acting import act
from sopauto.tickets.model import State, Ticket, Verb

CARDS = 10_000
EXPIRED = 200
AT = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
REVIEWER = "kasi-layanan-infrastruktur"


def run() -> list[Figure]:
    """Measure with an SQLite database of its own."""
    with tempfile.TemporaryDirectory() as folder, Controller() as door:
        home = Path(folder)
        with Mailbox(directory=home / "mail") as mailbox:
            workspace = workspace_for(home / "kominfo", door=door, mailbox=mailbox)
        app = workspace.app()
        fill(app, CARDS)
        return [*_register(app, home), *_review(workspace, app), *_expiry(app, door)]


def _register(app: App, home: Path) -> list[Figure]:
    day = date(2026, 6, 1)
    begin = datetime(2026, 5, 31, 17, 0, tzinfo=UTC)

    def rows() -> Iterator[list[str]]:
        with app.store.read() as reader:
            for held in reader.part(BOOK).held(begin, begin + timedelta(days=1), day):
                yield row_of(held, app.settings, app.people)

    times = {
        "register of a day": lambda: sum(1 for _ in rows()),
        "register as CSV": lambda: write_csv(home / "r.csv", COLUMNS, rows()),
        "register as XLSX": lambda: write_xlsx(home / "r.xlsx", COLUMNS, rows(), title="Daftar"),
    }
    figures = [
        Figure(what=f"{what}, {CARDS:,} cards", unit="s", ours=seconds(work), aim="<= 5 s")
        for what, work in times.items()
    ]
    return [*figures, _memory(home, rows)]


def _memory(home: Path, rows: Any) -> Figure:
    write_xlsx(home / "r.xlsx", COLUMNS, [], title="Daftar")
    tracemalloc.start()
    write_xlsx(home / "r.xlsx", COLUMNS, rows(), title="Daftar")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Figure(what=f"most memory of the XLSX export, {CARDS:,} cards", unit="MiB", ours=peak / 2**20, aim="<= 20")


def _review(workspace: Workspace, app: App) -> list[Figure]:
    desk = app.desk("wawan", key=workspace.keys["wawan"])
    opened: list[Ticket] = []
    opening = seconds(lambda: opened.append(open_review(desk, REVIEWER, person="wawan", unit="kominfo")))
    with app.store.read() as reader:
        answers = {line.grant.card: Answer.CONFIRMED for line in reader.part(BOOK).lines(opened[0].id)}
    kasi = app.desk("bambang", key=workspace.keys["bambang"])
    answering = seconds(lambda: answer(kasi, opened[0].id, answers, person="bambang"))
    approving = seconds(lambda: act(kasi, opened[0].id, Verb.APPROVE, person="bambang", seen_plan=None))
    lines = f"{len(answers):,} lines"
    return [
        Figure(what=f"open a review of {lines}", unit="s", ours=opening, aim="<= 10 s"),
        Figure(what=f"answer {lines}, signed", unit="s", ours=answering, aim="<= 30 s"),
        Figure(what=f"sign off {lines}, with the form as PDF", unit="s", ours=approving, aim="<= 30 s"),
    ]


def _expiry(app: App, door: Controller) -> list[Figure]:
    with app.store.connected(writes=True) as connection:
        grants = access_tables.grants
        ended = grants.c.serial <= EXPIRED
        connection.execute(grants.update().where(ended).values(valid_until=date(2026, 6, 1)))
    took = seconds(lambda: ending(app.store, app.workspace).run())
    removed = sum(1 for asked in door.requests if asked.startswith("DELETE"))
    return [Figure(what=f"expire {removed} cards of {CARDS:,} at a door", unit="s", ours=took, aim="<= 30 s")]


def fill(app: App, count: int) -> None:
    """Fill the register with cards that are active since January (their tickets have no entries)."""
    base = Ticket(
        id="",
        procedure="akses-ruang-server",
        procedure_digest="0" * 64,
        unit="dinkes",
        applicant="siti",
        letter={},
        opened_at=AT,
        state=State.DONE,
        step="akses.10",
        since=AT,
    )
    with app.store.connected(writes=True) as connection:
        numbers = range(1, count + 1)
        connection.execute(insert(tables.tickets), [_ticket(replace(base, id=f"LA-2025-{n:06}")) for n in numbers])
        connection.execute(insert(access_tables.grants), [_grant(n) for n in numbers])
        spans = [{"ticket": f"LA-2025-{n:06}", "opened_at": AT, "opened_by": "wawan", "closed_by": ""} for n in numbers]
        connection.execute(insert(access_tables.spans), spans)


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "prefix": "LA-2025",
        "procedure": ticket.procedure,
        "unit": ticket.unit,
        "state": ticket.state.value,
        "step": ticket.step,
        "since": AT,
        "due": None,
        "title": ticket.procedure,
        "waits_for": None,
        "entries": 0,
        "head": "0" * 64,
        "content": write_ticket(ticket),
    }


def _grant(number: int) -> dict[str, Any]:
    return {
        "ticket": f"LA-2025-{number:06}",
        "serial": number,
        "card": f"KA-{number:06}",
        "unit": "dinkes",
        "name": f"Pegawai {number}",
        "identity": f"{number:018}",
        "kind": "tetap",
        "purpose": "Pemeliharaan",
        "zones": ",ruang-server,",
        "valid_from": date(2026, 1, 5),
        "valid_until": None,
        "escort": "",
        "approved_by": "ratna",
        "approved_at": AT,
        "state": "active",
        "reason": "",
        "fault": "",
        "faulty_since": None,
    }
