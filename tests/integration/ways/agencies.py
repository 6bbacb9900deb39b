"""For each shipped SOP an agency in which a ticket of it can be walked, with a letter and what its rows are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.office import make_office
from lab import cast, entering, installing, newserver
from lab.walking import Walk
from lab.workspace import Workspace, make_key, public_half
from sopauto.access.model import Answer
from sopauto.access.register import BOOK
from sopauto.access.review import answer
from sopauto.assets.importing import read_assets
from sopauto.tickets.model import Letter, Ticket
from tests.integration.ways.search import Move
from tests.integration.ways.world import Clock, Fate, World

NOWHERE: Any = SimpleNamespace(host="127.0.0.1", port=1, url="http://127.0.0.1:1")
"""A door and a mail server that nobody asks."""


def nothing_further(_: World, __: Ticket) -> Iterator[Move]:
    """Return no moves beside those that every SOP has."""
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A letter of an SOP in a world, who opens it, and what is stated; `further` are the SOP's own commands."""

    world: World
    letter: Letter
    opener: str
    statements: Mapping[str, Any]
    further: Callable[[World, Ticket], Iterator[Move]] = nothing_further


def _world(workspace: Workspace) -> World:
    return World(app=workspace.app(), keys=workspace.keys, fate=Fate(), clock=Clock())


def _bare(folder: Path) -> Any:
    key = make_key(folder / "login")
    return SimpleNamespace(
        name="server-01", host="10.0.0.9", port=22, user="x", key_file=key, host_key=public_half(key)
    )


def _walked(world: World, letter: Letter, opener: str, statements: Mapping[str, Any]) -> Ticket:
    """Return a ticket that went to its end as it should."""
    walk = Walk(app=world.as_app(), keys=world.keys, statements=statements, before={"akses.8": _print(world)})
    return walk.to_the_end(walk.open(letter, person=opener))


def custody(folder: Path) -> Case:
    """SOP 001: a server is taken into custody."""
    workspace = make_office(folder)
    world = _world(workspace)
    with world.app.store.write() as writer:
        writer.assets.replace(*read_assets(workspace.home / "assets.yaml"))
    return Case(world=world, letter=cast.drop_off(), opener="siti", statements=cast.STATEMENTS)


def return_(folder: Path) -> Case:
    """SOP 001: it is given back."""
    before = custody(folder)
    ticket = _walked(before.world, before.letter, "siti", cast.STATEMENTS)
    return Case(world=before.world, letter=cast.give_back(ticket.id), opener="siti", statements=cast.STATEMENTS)


def new_server(folder: Path) -> Case:
    """SOP 000."""
    server = _bare(folder)
    profile = newserver.profile("/dev/vdb")
    workspace = newserver.workspace_for(folder / "ti", server=server, mailbox=NOWHERE, profile=profile)
    letter, statements = newserver.request(server), newserver.statements(server)
    return Case(world=_world(workspace), letter=letter, opener="siti", statements=statements)


def software(folder: Path) -> Case:
    """SOP 003."""
    server = _bare(folder)
    workspace = installing.workspace_for(folder / "iidc", server=server, mailbox=NOWHERE)
    (workspace.home / "settings" / "status-page.yaml").write_text("port: 8091\n")
    statements = installing.statements(server, "status-page")
    letter = installing.request(server, "status-page")
    return Case(world=_world(workspace), letter=letter, opener="yoga", statements=statements)


def access(folder: Path) -> Case:
    """SOP 004: somebody is to enter."""
    workspace = entering.workspace_for(folder / "kominfo", door=NOWHERE, mailbox=NOWHERE)
    world = _world(workspace)
    return Case(world=world, letter=entering.request(), opener="siti", statements={}, further=_prints)


def _print(world: World) -> Callable[[Ticket], None]:
    """Return what lets a card be printed, as `inv access.card` does."""

    def printed(ticket: Ticket) -> None:
        with world.app.store.write() as writer:
            writer.part(BOOK).card_made(ticket.id, world.clock.now())

    return printed


def _prints(world: World, ticket: Ticket) -> Iterator[Move]:
    """Yield that the card is printed."""
    yield lambda: _print(world)(ticket)


def removal(folder: Path) -> Case:
    """SOP 004: access is removed."""
    before = access(folder)
    ticket = _walked(before.world, before.letter, "siti", {})
    letter = entering.removal(str(ticket.data["nomor_kartu"]))
    return Case(world=before.world, letter=letter, opener="siti", statements={})


def review(folder: Path) -> Case:
    """SOP 004: access is reviewed."""
    before = access(folder)
    _walked(before.world, before.letter, "siti", {})
    fields = {
        "tanggal": "2026-11-23",
        "perihal": "Review akses",
        "peninjau": "kasi-layanan-infrastruktur",
        "masa_dari": "2026-08-23",
        "masa_sampai": "2026-11-23",
    }
    letter = Letter(procedure="review-akses", unit="kominfo", applicant="wawan", fields=fields)
    return Case(world=before.world, letter=letter, opener="wawan", statements={}, further=_answers)


def _answers(world: World, ticket: Ticket) -> Iterator[Move]:
    """Yield the Kasi's answers to the lines of a review."""
    with world.app.store.read() as reader:
        cards = [line.grant.card for line in reader.part(BOOK).lines(ticket.id)]
    for given in (Answer.CONFIRMED, Answer.WITHDRAWN):
        answers = dict.fromkeys(cards, given)
        yield lambda answers=answers: answer(world.desk("bambang"), ticket.id, answers, person="bambang")


CASES: Mapping[str, Callable[[Path], Case]] = {
    "akses-ruang-server": access,
    "instalasi-piranti-lunak": software,
    "pemasangan-server": new_server,
    "pengembalian-server": return_,
    "penghapusan-akses": removal,
    "penitipan-server": custody,
    "review-akses": review,
}
