"""What completing a step does to the assets: reserve a place, put the server there, free it again.

The SOP's YAML names the effect (`aset:`): `siapkan` (SOP 001, penitipan.5), `tempatkan` (penitipan.13),
`bebaskan` (return). Freed room wakes the tickets that wait for it, the oldest first, and reserves it for them, so
that nobody who came later can take it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sopauto.assets.model import Place, Server, ServerState
from sopauto.assets.room import Estate, NoRoom, find_place, read_estate
from sopauto.errors import BadInput, Refused
from sopauto.tickets.domain import Case, Effect, Opening
from sopauto.tickets.model import Ticket
from sopauto.tickets.placed import server_id, server_of
from sopauto.tickets.storage import Change, Reader
from sopauto.work import Json

ROOM: Final = "tempat"
"""What a ticket waits for when there is no room."""
PLACE: Final = "place"
"""Where the entry says that the server stands or will stand."""


def reserve(case: Case) -> Effect:
    """Reserve a place for the server (penitipan.5); at a no, give back what the ticket holds.

    Raises: Refused (there is no room, or another ticket waits longer).
    """
    return _reserve(case.reader, case.ticket) if case.answer is not False else _give_back(case.reader, case.ticket)


def put_in_place(case: Case) -> Effect:
    """Write that the server stands in its place (penitipan.13)."""
    features = str(case.data.get("ciri", ""))
    server = replace(server_of(case.reader, case.ticket), state=ServerState.PLACED, features=features)
    return Effect(changes=(lambda writer: writer.assets.save_server(server),))


def set_free(case: Case) -> Effect:
    """Free the place of a server that leaves, and wake who waits for room."""
    return _free(case.reader, server_of(case.reader, case.ticket))


def _held(reader: Reader, ticket: Ticket) -> Server | None:
    """Return the server for which this ticket already holds a reservation."""
    for server in reader.assets.servers(ServerState.RESERVED):
        if server.ticket == ticket.id:
            return server
    return None


def _reserve(reader: Reader, ticket: Ticket) -> Effect:
    held = _held(reader, ticket)
    if held is not None and held.place is not None:
        return Effect(data={PLACE: held.place.as_json()})
    ahead = [other.id for other in reader.waiting(ROOM)]
    if ahead:
        raise Refused(
            f"{ahead[0]} waits for room longer than {ticket.id}", mend="answer no: the ticket joins the queue"
        )
    place = find_place(read_estate(reader.assets), height=int(ticket.letter["tinggi_u"]))
    if isinstance(place, NoRoom):
        raise Refused(f"there is no room: {'; '.join(place.reasons)}", mend="answer no: the ticket joins the queue")
    return Effect(changes=(_reservation(ticket, place),), data={PLACE: place.as_json()})


def _reservation(ticket: Ticket, place: Place) -> Change:
    server = announced(ticket)
    return lambda writer: writer.assets.reserve(server, place)


def announced(ticket: Ticket) -> Server:
    """Return the server as the letter announces it."""
    letter = ticket.letter
    return Server(
        id=server_id(ticket),
        unit=ticket.unit,
        ticket=ticket.id,
        brand=letter["merek"],
        model=letter["model"],
        serial=letter["nomor_seri"],
        height=int(letter["tinggi_u"]),
        state=ServerState.ANNOUNCED,
        mac=letter.get("mac"),
    )


def _give_back(reader: Reader, ticket: Ticket) -> Effect:
    held = _held(reader, ticket)
    return Effect() if held is None else Effect(changes=(lambda writer: writer.assets.release(held),))


def _free(reader: Reader, server: Server) -> Effect:
    estate = read_estate(reader.assets).without(server)
    changes: tuple[Change, ...] = (
        lambda writer: writer.assets.release(server),
        lambda writer: writer.unpin_host_key(server.id),
    )
    return Effect(changes=changes, wakes=_wakes(reader, estate))


def refuse_letter(opening: Opening) -> None:
    """Refuse a letter about a server that is not where the SOP needs it.

    A drop-off needs a server that is not here yet, a return one that is, and that belongs to the unit.
    Raises: BadInput.
    """
    reader, letter, where, effects = opening.reader, opening.letter, opening.where, opening.effects
    if effects.isdisjoint({"siapkan", "tempatkan", "bebaskan"}):
        return
    name = str(letter.fields["nama_host"])
    known = {server.id: server for server in reader.assets.servers()}.get(name)
    here = known is not None and known.state in {ServerState.RESERVED, ServerState.PLACED}
    if "siapkan" in effects and here:
        raise BadInput(f"{name} is already here", where=f"{where} nama_host", mend="give the server another name")
    if "bebaskan" in effects and (known is None or known.state is not ServerState.PLACED or known.unit != letter.unit):
        raise BadInput(
            f"{letter.unit} has no server {name} in custody",
            where=f"{where} nama_host",
            mend="see `inv assets.list servers`",
        )


def on_cancel(reader: Reader, ticket: Ticket) -> Effect:
    """Return the effect of cancelling a ticket: a reservation is given back and wakes who waits.

    Raises: Refused, when the server already stands in its place.
    """
    for server in reader.assets.servers(ServerState.PLACED):
        if server.ticket == ticket.id:
            raise Refused(f"{server.id} already stands in its place", mend="its return is an SOP of its own")
    held = _held(reader, ticket)
    return Effect() if held is None else _free(reader, held)


def room_for(reader: Reader, ticket: Ticket) -> Effect:
    """Return the effect of looking for room anew: new racks or addresses may have come, without a server that left.

    Raises: Refused (there is none; or another ticket waits longer and still finds none).
    """
    estate = read_estate(reader.assets)
    effect = Effect(wakes=_wakes(reader, estate))
    if ticket.id in {woken.id for woken, _, _ in effect.wakes}:
        return effect
    first = reader.waiting(ROOM)[0]
    place = find_place(estate, height=int(first.letter["tinggi_u"]))
    reasons = "; ".join(place.reasons) if isinstance(place, NoRoom) else "what there is goes to who waited longer"
    raise Refused(
        f"there is no room for {ticket.id}: {reasons}",
        mend="import new racks, ports or addresses (`inv assets.import FILE`), or wait until a server leaves",
    )


def _wakes(reader: Reader, estate: Estate) -> tuple[tuple[Ticket, Change, Json], ...]:
    """Wake from the head of the queue while there is room; nobody overtakes."""
    wakes: list[tuple[Ticket, Change, Json]] = []
    for ticket in reader.waiting(ROOM):
        place = find_place(estate, height=int(ticket.letter["tinggi_u"]))
        if isinstance(place, NoRoom):
            break
        wakes.append((ticket, _reservation(ticket, place), {PLACE: place.as_json()}))
        estate = estate.with_server(replace(announced(ticket), place=place))
    return tuple(wakes)
