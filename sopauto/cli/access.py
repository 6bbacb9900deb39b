"""Who may enter the server room: cards, the register, reviews, removal (SOP/11/406.020/2019)."""

from __future__ import annotations

from sopauto.cli.access_card import card, check, make_door, make_key, revoked_list
from sopauto.cli.access_register import doors, entries, import_entries, register
from sopauto.cli.access_review import answer, expire, lines, remind, review
from sopauto.cli.console import Context, command
from sopauto.cli.running import HELP, run_module

__all__ = [
    "answer",
    "card",
    "check",
    "doors",
    "entries",
    "expire",
    "grant",
    "import_entries",
    "lines",
    "make_door",
    "make_key",
    "register",
    "remind",
    "review",
    "revoke",
    "revoked_list",
]


@command(help=HELP)
def grant(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Make the doors know a ticket's card, exactly as approved (akses.7)."""
    run_module(c, ticket, "access.grant", person=as_, key=key, json=json)


@command(help=HELP)
def revoke(c: Context, ticket: str, as_: str = "", key: str = "", json: bool = False) -> None:
    """Make the doors forget a ticket's cards, exactly as approved (removal, row 7; review, row 4)."""
    run_module(c, ticket, "access.revoke", person=as_, key=key, json=json)
