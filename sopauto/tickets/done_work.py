"""Which machine work was done on which server, by the approval of which ticket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sopauto.procedures.model import Procedure
from sopauto.tickets.model import Ticket
from sopauto.tickets.storage import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneWork:
    """Work of one module that came to its end on a server."""

    server: str
    module: str
    ticket: str
    at: datetime


def done_work(reader: Reader, procedure_of: Callable[[Ticket, Reader], Procedure]) -> Sequence[DoneWork]:
    """Return the machine work of all tickets whose letter names a server, the oldest first."""
    procedures: dict[str, Procedure] = {}
    found: list[DoneWork] = []
    for ticket, attempt in reader.worked():
        server = ticket.letter.get("nama_host")
        if server is None or attempt.ended_at is None:
            continue
        if ticket.procedure_digest not in procedures:
            procedures[ticket.procedure_digest] = procedure_of(ticket, reader)
        technical = procedures[ticket.procedure_digest].step(attempt.step).technical
        found += [
            DoneWork(server=str(server), module=module, ticket=ticket.id, at=attempt.ended_at)
            for module in (technical.modules if technical else ())
        ]
    return found
