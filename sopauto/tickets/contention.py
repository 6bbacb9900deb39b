"""What happens when somebody else writes at the same moment.

What does not really conflict is prepared again from what is there now, signed anew and written. What somebody did to
the very same ticket is told: whoever acted saw it as it was before. A key that asks its person for something at each
signature (a touch, a passphrase) is not asked again without a word.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from sopauto.errors import Conflict, Contended
from sopauto.tickets.desk import Desk
from sopauto.tickets.model import Ticket
from sopauto.tickets.storage import Reader

TRIES: Final = 12
PAUSE: Final = 0.05
"""Seconds before the second try, at most; each further one may wait as long again."""

Kept = TypeVar("Kept")


class Seen:
    """The ticket as it stood when the command began. A later try goes on only while nobody has acted on it."""

    def __init__(self, ticket: Ticket | None = None) -> None:
        """Begin with a ticket that was read before, or with the first one that `of` reads."""
        self._head = ticket.head if ticket else None

    def of(self, reader: Reader, ticket_id: str) -> Ticket:
        """Return the ticket; raises Conflict (somebody acted on it since the first look), BadInput (unknown)."""
        ticket = reader.ticket(ticket_id)
        if self._head not in {None, ticket.head}:
            raise Changed(ticket_id)
        self._head = ticket.head
        return ticket


class Changed(Conflict):
    """Somebody acted on the same ticket since it was looked at; nothing was written."""

    def __init__(self, ticket_id: str) -> None:
        super().__init__(
            f"somebody acted on {ticket_id} meanwhile; nothing was written",
            mend=f"look again with `inv ticket.show {ticket_id}`",
        )


def asks(desk: Desk) -> bool:
    """Tell whether the acting person's key asks for something at each signature; one that does not say asks nothing."""
    return bool(getattr(desk.signer, "asks", False))


def until_kept(desk: Desk, once: Callable[[Seen], Kept], *, seen: Seen | None = None) -> Kept:
    """Return what `once` returns: it reads, prepares, signs and writes, and may be called again after a conflict.

    Raises: what `once` raises; Conflict, when somebody acted on the same ticket, the key would have to ask again, or
    the others do not cease.
    """
    seen = seen or Seen()
    for trial in range(1, TRIES + 1):
        try:
            return once(seen)
        except Conflict as conflict:
            if trial == TRIES or isinstance(conflict, Changed):
                raise
            if asks(desk):
                raise Contended(f"{conflict.what}; your key was not asked a second time", mend=conflict.mend) from None
        time.sleep(random.uniform(0, PAUSE * trial))  # noqa: S311 - so that not all come again at once
    raise AssertionError("the last try returned or raised")
