"""What tickets do to the register of access, and what doors are told for them (SOP 004, review and removal).

The SOP's YAML names the effect (`aset:`): `akses-disetujui` gives a card number (row 6), `akses-diberikan` writes that
the doors know the card (row 7), `kartu-siap` waits for the card to be printed (row 8), `akses-dihapus` writes that the
doors know it no more. A review: `review-disusun` (its lines),
`review-dijawab` (no line is left open), `review-diputuskan` (something is to be removed, or nothing).
"""

from __future__ import annotations

from typing import Any, Final

from sopauto.access.doors.door import DoorCard
from sopauto.access.model import LIVE, Answer, Grant, Request, State
from sopauto.access.register import BOOK
from sopauto.access.request import read_request, refuse_past
from sopauto.access_settings import Access
from sopauto.errors import BadInput, Conflict, Refused
from sopauto.tickets.domain import Case, Effect, Need, Opening
from sopauto.tickets.model import Ticket
from sopauto.tickets.storage import Reader, Writer

REVIEWER: Final = "peninjau"
"""The letter of a review states the position whose zones are reviewed."""


def refuse_request(opening: Opening) -> None:
    """Refuse a letter about access that cannot be given or taken; raises BadInput."""
    reader, letter, effects = opening.reader, opening.letter, opening.effects
    access = opening.workspace.settings.access
    if "akses-disetujui" in effects:
        request = read_request(letter.fields, access, "surat")
        refuse_past(request, opening.workspace.today, "surat")
        _refuse_overlap(reader, request)
    if "akses-dihapus" in effects and letter.fields.get("nomor_kartu"):
        card = str(letter.fields["nomor_kartu"])
        grant = reader.part(BOOK).of_card(card)
        if grant is None or grant.state not in LIVE or grant.unit != letter.unit:
            what = f"{letter.unit} has no access with card {card[:60]!r}"
            raise BadInput(what, where="surat nomor_kartu", mend="see `inv access.register`")
    if "review-disusun" in effects:
        _zones_of(access, str(letter.fields[REVIEWER]))


def cards_to_grant(need: Need) -> dict[str, Any]:
    """Return what the controllers are to know: controller → card → the card as JSON.

    Raises: Refused (nothing was approved, or it is over), BadInput (no controller guards a zone).
    """
    grant, ticket = _of(need.reader, need.ticket), need.ticket.id
    if grant.state is not State.APPROVED:
        raise Refused(f"the access of card {grant.card} is {grant.state}", where=ticket, mend="ask for it anew")
    cards = door_cards(grant, need.workspace.settings.access)
    return {"ticket": ticket, "wanted": {door: {grant.card: card.as_json()} for door, card in cards.items()}}


def cards_to_revoke(need: Need) -> dict[str, Any]:
    """Return which cards no controller is to know any more; raises Refused (the register does not know the card)."""
    gone = [grant.card for grant in _to_remove(need.reader, need.ticket)]
    doors = all_doors(need.workspace.settings.access)
    return {"ticket": need.ticket.id, "wanted": {door: dict.fromkeys(gone) for door in doors}}


def all_doors(access: Access) -> list[str]:
    """Return every controller: a card is removed also where its zones are guarded no more, since it may be known there.

    Raises: BadInput (there is none: nobody could tell that a card is gone).
    """
    if not access.doors:
        raise BadInput("there is no door", where="[access.doors]", mend="add the controllers to sopauto.toml")
    return list(access.doors)


def door_cards(grant: Grant, access: Access) -> dict[str, DoorCard]:
    """Return what each controller is to know of a grant: of the zones only its own.

    Raises: BadInput (no controller guards a zone).
    """
    request = grant.request
    found = {
        name: DoorCard(
            card=grant.card,
            zones=tuple(sorted(set(access.doors[name].zones) & set(request.zones))),
            valid_from=request.valid_from,
            valid_until=request.valid_until,
        )
        for name in access.doors
        if set(access.doors[name].zones) & set(request.zones)
    }
    guarded = {zone for card in found.values() for zone in card.zones}
    if missing := sorted(set(request.zones) - guarded):
        raise BadInput(f"no door guards {missing[0]}", where="[access.doors]", mend="name the zone at a controller")
    return found


def on_cancel(reader: Reader, ticket: Ticket) -> Effect:
    """Return the effect of cancelling a ticket: its card number is given to nobody."""
    grant = reader.part(BOOK).grant(ticket.id)
    if grant is None or grant.state is not State.APPROVED:
        return Effect()
    return Effect(changes=(lambda writer: writer.part(BOOK).move(grant, State.CANCELLED, reason="tiket dibatalkan"),))


def approve(case: Case) -> Effect:
    """Give the card its number (row 6). The number is kept for the ticket, so that the plan can name it."""
    access, ticket, reader = case.workspace.settings.access, case.ticket, case.reader
    request = read_request(ticket.letter, access, ticket.id)
    refuse_past(request, case.today, ticket.id)
    _refuse_overlap(reader, request)
    serial = reader.part(BOOK).next_serial(access.first_card, access.last_card)
    if serial is None:
        raise Refused("the range of card numbers is used up", where="[access] last_card", mend="enlarge the range")
    grant = Grant(
        ticket=ticket.id,
        serial=serial,
        card=f"{access.card_prefix}{serial:0{access.card_digits}}",
        unit=ticket.unit,
        request=request,
        approved_by=case.action.person,
        approved_at=case.action.at,
    )

    def add(writer: Writer) -> None:
        for other in writer.part(BOOK).overlapping(request.identity, request.valid_from, request.valid_until):
            # Looked at again in this transaction: two approvals at once would each not see the other.
            if other.state is not State.SUSPENDED:
                raise Conflict("the same person was given access meanwhile; nothing was written", mend="look again")
            writer.part(BOOK).move(other, State.ENDED, reason=f"diganti tiket {ticket.id}")
        writer.part(BOOK).add(grant)

    return Effect(changes=(add,), data={"nomor_kartu": grant.card})


def enter(case: Case) -> Effect:
    """Write that the doors know the card (row 7); the controllers were read back before."""
    grant, action = _of(case.reader, case.ticket), case.action

    def change(writer: Writer) -> None:
        writer.part(BOOK).move(grant, State.ACTIVE)
        writer.part(BOOK).open_span(grant.ticket, action.at, action.person)

    return Effect(changes=(change,))


def card_ready(case: Case) -> Effect:
    """Let nobody be told to fetch a card that was not printed (row 8).

    Where the access is over by now, the row is completed and nobody is told of a card.
    """
    grant = _of(case.reader, case.ticket)
    if grant.state is not State.ACTIVE:
        return Effect(data={"status_akses": grant.state.value}, silent=True)
    if grant.card_made_at is None:
        mend = f"print it with `inv access.card {case.ticket.id} --photo FOTO.jpg`"
        raise Refused(f"card {grant.card} was not printed yet", where=case.ticket.id, mend=mend)
    return Effect()


def remove(case: Case) -> Effect:
    """Write that no door knows the cards any more; the controllers were read back before."""
    action, reason = case.action, f"tiket {case.ticket.id}"
    grants = _to_remove(case.reader, case.ticket)

    def change(writer: Writer) -> None:
        for grant in grants:
            writer.part(BOOK).move(grant, State.ENDED, reason=reason)
            writer.part(BOOK).close_span(grant.ticket, action.at, action.person)

    return Effect(changes=(change,))


def compose_review(case: Case) -> Effect:
    """Put every access to the Kasi's zones into the form (review, row 1); what is there already stays."""
    zones = _zones_of(case.workspace.settings.access, str(case.ticket.letter[REVIEWER]))
    known = {line.grant.ticket for line in case.reader.part(BOOK).lines(case.ticket.id)}
    states = (State.ACTIVE, State.SUSPENDED)
    grants = [g.ticket for g in case.reader.part(BOOK).in_states(states) if zones & set(g.request.zones)]
    new = [ticket for ticket in grants if ticket not in known]
    return Effect(
        changes=(lambda writer: writer.part(BOOK).start_review(case.ticket.id, new, case.action.at),),
        data={"jumlah_akses": len(new) + len(known)},
    )


def refuse_unanswered(case: Case) -> Effect:
    """Let nobody call a review complete while a line has no answer (review, row 2)."""
    left = [line for line in case.reader.part(BOOK).lines(case.ticket.id) if line.answer is None]
    if left and case.answer:
        raise Refused(
            f"{len(left)} lines are not answered yet, the first is card {left[0].grant.card}",
            where=case.ticket.id,
            mend=f"answer them with `inv access.answer {case.ticket.id}`",
        )
    return Effect()


def refuse_undecided(case: Case) -> Effect:
    """Let the decision be what the lines say (review, row 3)."""
    cards = [grant.card for grant in _withdrawn(case.reader, case.ticket)]
    if case.answer is not bool(cards):
        told = f"{len(cards)} lines are withdrawn, the first is card {cards[0]}" if cards else "no line is withdrawn"
        mend = "answer yes" if cards else "answer no"
        raise Refused(told, where=case.ticket.id, mend=mend)
    return Effect()


def _of(reader: Reader, ticket: Ticket) -> Grant:
    grant = reader.part(BOOK).grant(ticket.id)
    if grant is None:
        raise Refused("no access was approved", where=ticket.id, mend="a row before this one approves it")
    return grant


def _to_remove(reader: Reader, ticket: Ticket) -> list[Grant]:
    """Return whose access a ticket takes: the card of its letter, or the withdrawn lines of its review."""
    card = ticket.letter.get("nomor_kartu")
    if card is None:
        return _withdrawn(reader, ticket)
    grant = reader.part(BOOK).of_card(str(card))
    if grant is None:
        raise Refused(f"the register does not know card {card}", where=ticket.id, mend="see `inv access.register`")
    return [grant]


def _withdrawn(reader: Reader, ticket: Ticket) -> list[Grant]:
    lines = reader.part(BOOK).lines(ticket.id)
    return [line.grant for line in lines if line.answer is Answer.WITHDRAWN and line.grant.state in LIVE]


def _refuse_overlap(reader: Reader, request: Request) -> None:
    for other in reader.part(BOOK).overlapping(request.identity, request.valid_from, request.valid_until):
        if other.state is State.SUSPENDED:
            continue  # no door knows it: what is asked for now takes its place
        until = other.request.valid_until
        what = f"{request.name} has access by {other.ticket} {f'until {until.isoformat()}' if until else 'without end'}"
        mend = "ask for days after it, or have it removed first"
        raise BadInput(what, where="surat berlaku_dari", mend=mend)


def _zones_of(access: Access, position: str) -> set[str]:
    zones = {name for name, zone in access.zones.items() if zone.reviewer == position}
    if not zones:
        known = ", ".join(sorted({zone.reviewer for zone in access.zones.values()})) or "none"
        raise BadInput(f"{position[:60]!r} reviews no zone", where=f"surat {REVIEWER}", mend=f"known: {known}")
    return zones
