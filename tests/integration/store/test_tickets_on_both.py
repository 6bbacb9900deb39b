"""Tickets through the domain on both databases: opened, approved, refused twice at once, verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.office import make_office
from lab.cast import STATEMENTS, drop_off
from lab.walking import Walk
from sopauto.assets.importing import read_assets
from sopauto.errors import Conflict
from sopauto.tickets.acting import prepare
from sopauto.tickets.model import Action, Ticket, Verb
from sopauto.tickets.record import Draft, commit
from sopauto.tickets.verifying import verify_all


@pytest.fixture
def walk(tmp_path: Path, url: str) -> Walk:
    workspace = make_office(tmp_path / "office")
    settings = workspace.home / "sopauto.toml"
    settings.write_text(f'database = "{url}"\n{settings.read_text()}')
    app = workspace.app()
    with app.store.write() as writer:
        writer.assets.replace(*read_assets(workspace.home / "assets.yaml"))
    return Walk(app=app, keys=workspace.keys, statements=STATEMENTS)


def test_a_drop_off_is_walked_to_the_machine_work_and_verified(walk: Walk) -> None:
    for name in ("web-01", "web-02"):
        step = "konfigurasi.1" if name == "web-01" else "penitipan.5"
        ticket = walk.until(walk.open(drop_off(nama_host=name), person="siti"), step)
        assert ticket.step == step
    with walk.app.store.read() as reader:
        assert verify_all(walk.app, reader).findings == ()
        (server,) = reader.assets.servers()
        assert server.place is not None
        assert (server.place.port, str(server.place.address)) == ("GigabitEthernet1/0/1", "127.0.32.10")


def test_two_who_act_on_what_they_both_saw_do_not_both_succeed(walk: Walk) -> None:
    ticket = walk.open(drop_off(), person="siti")
    desk = walk.app.desk("hadi", key=walk.keys["hadi"])

    def draft(seen: Ticket) -> list[Draft]:
        with desk.store.read() as reader:
            action = Action(verb=Verb.APPROVE, person="hadi", position="kadis", at=desk.clock.now())
            return prepare(desk, reader, desk.procedure_of(seen, reader), seen, action)

    first, second = draft(ticket), draft(ticket)
    commit(desk, first)
    with pytest.raises(Conflict, match=r"somebody acted|somebody else wrote"):
        commit(desk, second)
