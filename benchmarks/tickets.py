"""Opening and approving tickets, and the first page of a list of 100,000."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks.measure import Figure, medians, seconds
from benchmarks.office import make_office
from lab.cast import STATEMENTS, drop_off
from lab.walking import Walk
from lab.workspace import Workspace
from sopauto.store import tables
from sopauto.store.ticket_json import write_ticket
from sopauto.tickets.model import State, Ticket
from sopauto.tickets.record import title_of

ROOT = Path(__file__).parent.parent
INV = str(Path(sys.executable).parent / "inv")
TICKETS = 25
MANY = 100_000


def run() -> list[Figure]:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_office(Path(folder))
        acting = _acting(workspace)
        fill(workspace, MANY)
        listing, bare = medians(lambda: _inv(workspace, "ticket.list"), lambda: _inv(workspace, "--list"), rounds=7)
    further = Figure(
        what=f"ticket.list of {MANY:,} on top of start-up",
        unit="s",
        ours=listing - bare,
        aim="<= 0.3 s",
    )
    return [acting, further]


def _acting(workspace: Workspace) -> Figure:
    """Measure actions (open, approve) per second, against the signatures alone that they take."""
    walk = Walk(app=workspace.app(), keys=workspace.keys, statements=STATEMENTS)

    def act() -> None:
        for i in range(TICKETS):
            walk.row(walk.open(drop_off(nama_host=f"web-{i}"), person="siti"))

    message, key = b"x" * 900, str(workspace.keys["siti"])

    def sign_alone() -> None:
        for _ in range(2 * TICKETS):
            command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "sopauto", "-f", key]
            subprocess.run(command, input=message, check=True, capture_output=True)

    ours, peer = seconds(act), seconds(sign_alone)
    return Figure(
        what="open and approve a ticket, signed",
        unit="actions/s",
        ours=2 * TICKETS / ours,
        peer=2 * TICKETS / peer,
        peer_name="ssh-keygen -Y sign alone",
    )


def fill(workspace: Workspace, count: int) -> None:
    """Fill the database with tickets that are done, for lists only (they have no entries)."""
    with workspace.app().store.connected(writes=True) as connection:
        rows: list[dict[str, Any]] = []
        for row in _rows(count):
            rows.append(row)
            if len(rows) == 5000:
                connection.execute(insert(tables.tickets), rows)
                rows = []
        if rows:
            connection.execute(insert(tables.tickets), rows)


def _rows(count: int) -> Iterator[dict[str, Any]]:
    at = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    base = Ticket(
        id="",
        procedure="penitipan-server",
        procedure_digest="0" * 64,
        unit="dinkes",
        applicant="siti",
        letter=drop_off().fields,
        opened_at=at,
        state=State.DONE,
        step="konfigurasi.7",
        since=at,
    )
    for i in range(count):
        ticket = replace(base, id=f"LM-2025-{i:06}")
        yield {
            "id": ticket.id,
            "prefix": "LM-2025",
            "procedure": ticket.procedure,
            "unit": ticket.unit,
            "state": ticket.state.value,
            "step": ticket.step,
            "since": at,
            "due": None,
            "title": title_of(ticket),
            "waits_for": None,
            "entries": 0,
            "head": "0" * 64,
            "content": write_ticket(ticket),
        }


def _inv(workspace: Workspace, task: str) -> None:
    environment = {**os.environ, "SOPAUTO_HOME": str(workspace.home)}
    subprocess.run([INV, task], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
