"""Which machine work was done on which server, by the approval of which ticket."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneWork:
    """Work of one module that came to its end on a server.

    `told` is what the server told that the ticket's installation of software changed, line by line; None for work that
    is no software's.
    """

    server: str
    module: str
    ticket: str
    at: datetime
    told: tuple[str, ...] | None = None


def done_work(
    reader: Reader, procedure_of: Callable[[Ticket, Reader], Procedure], changing: Collection[str]
) -> Sequence[DoneWork]:
    """Return the work of all tickets whose letter names a server, the oldest first; of the modules that change one."""
    procedures: dict[str, Procedure] = {}
    installed: dict[str, tuple[str, ...]] = {}
    found: list[DoneWork] = []
    for ticket, attempt in reader.worked():
        server = ticket.letter.get("nama_host")
        if server is None or attempt.ended_at is None:
            continue
        if ticket.procedure_digest not in procedures:
            procedures[ticket.procedure_digest] = procedure_of(ticket, reader)
        technical = procedures[ticket.procedure_digest].step(attempt.step).technical
        for module in technical.modules if technical else ():
            if module in changing:
                told = _installed(reader, ticket.id, installed) if module.startswith("software.") else None
                work = DoneWork(server=str(server), module=module, ticket=ticket.id, at=attempt.ended_at, told=told)
                found.append(work)
    return found


def _installed(reader: Reader, ticket: str, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return what the evidence of a ticket's installation lists: nothing where there is none."""
    if ticket not in known:
        known[ticket] = next(_evidence(reader, ticket), ())
    return known[ticket]


def _evidence(reader: Reader, ticket: str) -> Iterator[tuple[str, ...]]:
    """Yield what each evidence of an installation lists, the newest first."""
    for entry in reversed(reader.entries(ticket)):
        for document in action_of(read_body(entry.body)).documents:
            evidence = json.loads(reader.document(document.sha256)) if document.name == EVIDENCE else {}
            if "installed" in evidence:
                yield tuple(str(line) for line in evidence["installed"])
