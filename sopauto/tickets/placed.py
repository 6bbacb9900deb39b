"""The server that a ticket is about: its name, where it stands, and where it answers."""

from __future__ import annotations

from typing import Any, Final

from sopauto.assets.model import Place, Server
from sopauto.errors import Refused
from sopauto.machines.met import ServerAt
from sopauto.tickets.domain import Need, Reading
from sopauto.tickets.model import Ticket
from sopauto.tickets.storage import Change, Reader

SERVER: Final = {"nama_host": "nama-host"}
"""How a letter names the server that assets and machine work are about."""


def server_id(ticket: Ticket) -> str:
    """Return the id (host name) of the server that a ticket's letter names."""
    return str(ticket.letter["nama_host"])


def server_of(reader: Reader, ticket: Ticket) -> Server:
    """Return the server that a ticket is about; raises BadInput (unknown)."""
    return reader.assets.server(server_id(ticket))


def placed(need: Need) -> tuple[Server, Place]:
    """Return the ticket's server and its place; raises Refused (it has none yet), BadInput (unknown)."""
    server = server_of(need.reader, need.ticket)
    if server.place is None:
        raise Refused(f"{server.id} has no place", where=need.ticket.id, mend="reserve one first (penitipan.5)")
    return server, server.place


def reached(need: Need) -> dict[str, Any]:
    """Return where the ticket's server should answer, and with which host key; raises Refused, BadInput."""
    server, place = placed(need)
    port, pinned = need.workspace.settings.custody.ssh_port, need.reader.pinned_host_key(server.id)
    return ServerAt(server=server.id, address=str(place.address), port=port, host_key=pinned).as_json()


def entered(need: Need) -> dict[str, Any]:
    """Return what the row states, where the ticket's server answers, and as whom to log in.

    Raises: Refused, BadInput.
    """
    stated = dict(need.stated)
    login = stated.pop("login", need.workspace.settings.custody.inventory_credentials)
    return {**stated, **reached(need), "credentials": login}


def pin_host_key(reading: Reading) -> tuple[Change, ...]:
    """Return what pins the server's host key at first contact."""
    server, asked = reading.order.parameters.get("server"), reading.order.parameters
    key = reading.facts.get("host_key")
    if server is None or not key or asked.get("host_key") is not None:
        return ()
    return (lambda writer: writer.pin_host_key(server, key, reading.at),)
