"""A ticket as JSON, and back: how the `tickets` table keeps it."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sopauto.tickets.model import Planned, State, Ticket

MOMENTS = ("opened_at", "since")
SETS = ("requesters", "approvers", "executors")


def write_ticket(ticket: Ticket) -> str:
    """Return the ticket as JSON."""
    data: dict[str, Any] = {field.name: getattr(ticket, field.name) for field in fields(ticket)}
    data["state"] = ticket.state.value
    data["plans"] = {step: asdict(planned) for step, planned in ticket.plans.items()}
    data |= {name: data[name].isoformat() for name in MOMENTS}
    data |= {name: sorted(data[name]) for name in SETS}
    return json.dumps(data, ensure_ascii=False, sort_keys=True)


def read_ticket(content: str) -> Ticket:
    """Return the ticket that `write_ticket` wrote."""
    data = json.loads(content)
    data["state"] = State(data["state"])
    data["plans"] = {step: Planned(**planned) for step, planned in data["plans"].items()}
    data |= {name: datetime.fromisoformat(data[name]) for name in MOMENTS}
    data |= {name: frozenset(data[name]) for name in SETS}
    return Ticket(**data)
