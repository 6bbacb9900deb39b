"""Which plan a person was shown: an approval signs that one and no other, or is refused (design rule 2).

Shown means: the approval names the plan by its digest, or the person looked at this very plan before
(`inv ticket.show TICKET --as PERSON`, or made it). What was looked at is kept by the digest of the plan's whole
document, so that the same lines out of other files count as another plan.
"""

from __future__ import annotations

import re
from typing import Final

from sopauto.errors import BadInput, Refused
from sopauto.journal.entry import read_body
from sopauto.tickets.model import Planned, Ticket, Verb
from sopauto.tickets.storage import Reader

SHORTEST: Final = 12
"""With so many digits of its digest a plan is named."""
NAMED: Final = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}", re.ASCII)


def refuse_unseen(reader: Reader, ticket: Ticket, planned: Planned, *, person: str, named: str | None) -> None:
    """Refuse to sign a plan that this person was not shown; `named` is the digest that the person gave, if any.

    Raises: BadInput (that is no digest), Refused (another plan is attached now, or none was shown).
    """
    mend = f"look with `inv ticket.show {ticket.id} --as {person}`, then approve what it shows"
    if named:
        refuse_other(reader, ticket, planned, named=named, mend=mend)
    elif not reader.looked(ticket.id, person, planned.document):
        raise Refused(f"{person} was not shown the plan that is attached now", where=ticket.id, mend=mend)


def refuse_other(reader: Reader, ticket: Ticket, planned: Planned, *, named: str, mend: str) -> None:
    """Refuse a digest that does not name the plan that is attached now; raises BadInput, Refused."""
    digest = named.strip().lower()
    if not NAMED.fullmatch(digest):
        what = f"{named[:80]!r} does not name a plan"
        raise BadInput(what, where="--plan", mend=f"give at least {SHORTEST} digits of the digest that was shown")
    if planned.document.startswith(digest):
        return
    if not planned.plan.startswith(digest):
        raise Refused("the plan changed since you looked", where=ticket.id, mend=mend)
    if _has_twin(reader, ticket, planned):
        raise Refused("another plan of this ticket has the same lines out of other files", where=ticket.id, mend=mend)


def name_of(reader: Reader, ticket: Ticket, planned: Planned) -> str:
    """Return the digest by which an approval names a plan: that of its lines, or of its document if two share those."""
    return planned.document if _has_twin(reader, ticket, planned) else planned.plan


def _has_twin(reader: Reader, ticket: Ticket, planned: Planned) -> bool:
    """Tell whether another plan was attached with the same lines, but other files, parameters or SOP beneath."""
    bodies = (read_body(entry.body) for entry in reader.entries(ticket.id))
    return any(
        body["verb"] == Verb.PLAN and body["plan"] == planned.plan and body["order"] != planned.order for body in bodies
    )
