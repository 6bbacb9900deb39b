"""Whether a card at hand may enter today: by its own signature, and by the register or a signed list. Pure."""

from __future__ import annotations

from datetime import date

from sopauto.access.model import Grant, State
from sopauto.access.token import CardToken, GoneList
from sopauto.errors import Refused

KEEP = "keep the card and call the operator"


def token_of(grant: Grant) -> CardToken:
    """Return what the card of a grant says."""
    request = grant.request
    return CardToken(
        card=grant.card, zones=request.zones, valid_from=request.valid_from, valid_until=request.valid_until
    )


def refuse_by_register(token: CardToken, grant: Grant | None, day: date) -> None:
    """Refuse a card that is expired, revoked, or not what the register says; raises Refused."""
    if grant is None or token_of(grant) != token:
        raise Refused("the card is signed, but the register knows no such card", where=token.card, mend=KEEP)
    token.refuse_on(day)
    if grant.state is State.APPROVED:
        raise Refused("the card is not active yet", where=token.card, mend="the doors do not know it so far")
    if grant.state is not State.ACTIVE:
        raise Refused(f"the card is revoked ({grant.reason or grant.state})", where=token.card, mend=KEEP)


def refuse_by_list(token: CardToken, gone: GoneList, day: date) -> None:
    """Refuse a card that is expired, or stands on the list of those that are no longer good; raises Refused."""
    token.refuse_on(day)
    if token.card in gone.cards:
        raise Refused(f"the card is revoked (list of {gone.as_of.isoformat()})", where=token.card, mend=KEEP)
