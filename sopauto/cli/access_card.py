"""The access card: its key, the card itself, and checking it at the door without any network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sopauto.access.register import BOOK
from sopauto.cli.console import Context, app, command, hint, print_json, say
from sopauto.errors import BadInput

if TYPE_CHECKING:
    from datetime import date

    from sopauto.access.model import Grant
    from sopauto.app import App


@command(name="make-key")
def make_key(c: Context) -> None:
    """Make the key that signs cards, once. Its public half checks them; the private one never leaves the workspace."""
    from sopauto.access.token import make_key as make

    path = app(c).settings.access.card_key
    public = make(path)
    say(f"made {path}")
    hint(f"  guards need {public} only: `inv access.check CODE --public {public.name} --list FILE`")


@command(name="make-door", help={"door": "the name of a csv door in [access.doors]"})
def make_door(c: Context, door: str) -> None:
    """Begin the file of a csv door that is new. A file that is missing is a fault otherwise: cards may stand in it."""
    from sopauto.access.doors.listed import begin_door

    say(f"made {begin_door(app(c).settings, door)}: a door that knows no card")


@command(help={"ticket": "the ticket that asked for the access", "photo": "JPEG or PNG", "out": "default: CARD.pdf"})
def card(c: Context, ticket: str, photo: str, out: str = "") -> None:
    """Print a ticket's access card, ID-1 size, with photo and signed QR code (akses.7). The photo is not kept."""
    from sopauto.access.card import card_pdf
    from sopauto.access.checking import token_of
    from sopauto.access.photo import read_photo
    from sopauto.access.token import private_key, sign_card

    here = app(c)
    grant = _active(here, ticket)
    picture = read_photo(Path(photo))
    token = sign_card(token_of(grant), private_key(here.settings.access.card_key))
    unit = here.people.unit(grant.unit)
    content = card_pdf(here.settings, grant, unit, token=token, photo=picture, at=here.clock.now())
    path = Path(out or f"{grant.card}.pdf")
    path.write_bytes(content)
    with here.store.write() as writer:
        writer.part(BOOK).card_made(ticket, here.clock.now())
    say(f"wrote {path} ({len(content):,} bytes)")
    hint(f"  type: inv access.check {token}")


@command(
    help={
        "code": "what the scanner read from the card's QR code",
        "on": "the day (default: today)",
        "list": "a signed list instead of the register (see access.revoked-list)",
        "public": "the public key (default: that of the workspace)",
        "json": "print JSON",
    }
)
def check(c: Context, code: str, on: str = "", list: str = "", public: str = "", json: bool = False) -> None:
    """Check a card: valid, or refused as forged, expired or revoked. Asks no controller and no network."""
    from sopauto.access.checking import refuse_by_list, refuse_by_register
    from sopauto.access.token import public_key, public_path, read_card, read_list
    from sopauto.data_file import read_bounded

    here = app(c)
    key = public_key(Path(public) if public else public_path(here.settings.access.card_key))
    token = read_card(code, key)
    day = day_of(here, on)
    as_of = None
    if list:
        gone = read_list(read_bounded(Path(list)).decode(errors="replace"), key)
        refuse_by_list(token, gone, day)
        as_of = gone.as_of.isoformat()
    else:
        with here.store.read() as reader:
            refuse_by_register(token, reader.part(BOOK).of_card(token.card), day)
    until = token.valid_until.isoformat() if token.valid_until else None
    if json:
        told = {"card": token.card, "zones": token.zones, "valid_until": until, "valid": True}
        print_json({**told, "list_of": as_of} if as_of else told)
    else:
        by = f"; by the list of {as_of}: what was revoked since does not stand in it" if as_of else ""
        say(f"{token.card}: valid, {', '.join(token.zones)}, {f'until {until}' if until else 'without end'}{by}")


@command(name="revoked-list", help={"out": "file to write (default: kartu-dicabut.txt)"})
def revoked_list(c: Context, out: str = "kartu-dicabut.txt") -> None:
    """Write the signed list of cards that are no longer good, for guards without the register."""
    from sopauto.access.model import State
    from sopauto.access.token import private_key, sign_list

    here = app(c)
    with here.store.read() as reader:
        gone = [grant.card for grant in reader.part(BOOK).in_states(set(State) - {State.ACTIVE})]
    text = sign_list(gone, here.clock.now().date(), private_key(here.settings.access.card_key))
    Path(out).write_text(text + "\n")
    say(f"wrote {out}: {len(gone)} cards")


def day_of(here: App, text: str) -> date:
    """Return the day that a flag names, or today; raises BadInput."""
    from datetime import date

    try:
        return date.fromisoformat(text) if text else here.clock.now().date()
    except ValueError:
        raise BadInput(f"{text[:40]!r} is no day", where="--on", mend="write year-month-day") from None


def _active(here: App, ticket: str) -> Grant:
    from sopauto.access.model import State

    with here.store.read() as reader:
        reader.ticket(ticket)
        grant = reader.part(BOOK).grant(ticket)
    if grant is None or grant.state is not State.ACTIVE:
        stands = grant.state if grant else "not approved"
        raise BadInput(
            f"the access of {ticket} is {stands}", where=ticket, mend=f"first `inv access.grant {ticket}` (row 7)"
        )
    return grant
