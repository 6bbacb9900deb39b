"""Which machine work was done on which server, by the approval of which ticket."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sopauto.journal.entry import read_body
from sopauto.procedures.model import Procedure
from sopauto.tickets.model import Ticket
from sopauto.tickets.record import action_of
from sopauto.tickets.storage import Reader

EVIDENCE: Final = "software.install.json"
"""The document with what an installation changed (roles/software, `settle`)."""
LAST_PART: Final = "file "
"""How the lines of the last part begin: where they are reached, packages, services and accounts are complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneWork:
    """Work of one module that came to its end on a server.

    `told` is what the server told that the ticket's installation of software changed, line by line (None: it did not).
    """

    server: str
    module: str
    ticket: str
    at: datetime
    told: tuple[str, ...] | None = None


def done_work(reader: Reader, procedure_of: Callable[[Ticket, Reader], Procedure]) -> Sequence[DoneWork]:
    """Return the machine work of all tickets whose letter names a server, the oldest first."""
    procedures: dict[str, Procedure] = {}
    installed: dict[str, tuple[str, ...] | None] = {}
    found: list[DoneWork] = []
    for ticket, attempt in reader.worked():
        server = ticket.letter.get("nama_host")
        if server is None or attempt.ended_at is None:
            continue
        if ticket.procedure_digest not in procedures:
            procedures[ticket.procedure_digest] = procedure_of(ticket, reader)
        technical = procedures[ticket.procedure_digest].step(attempt.step).technical
        for module in technical.modules if technical else ():
            if module.startswith("software.") and ticket.id not in installed:
                installed[ticket.id] = _installed(reader, ticket.id)
            told = installed.get(ticket.id) if module.startswith("software.") else None
            found.append(DoneWork(server=str(server), module=module, ticket=ticket.id, at=attempt.ended_at, told=told))
    return found


def _installed(reader: Reader, ticket: str) -> tuple[str, ...] | None:
    """Return what the evidence of a ticket's installation lists; None where there is none, or a part was cut off."""
    for entry in reversed(reader.entries(ticket)):
        for document in action_of(read_body(entry.body)).documents:
            evidence = json.loads(reader.document(document.sha256)) if document.name == EVIDENCE else {}
            if "installed" in evidence:
                lines = tuple(str(line) for line in evidence["installed"])
                return lines if not evidence.get("more") or lines[-1].startswith(LAST_PART) else None
    return None
