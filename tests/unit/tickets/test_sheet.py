"""What `ticket.show` tells who decides, and what it hides of a person's number."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from invoke.config import Config
from invoke.context import Context
from invoke.exceptions import Exit

from lab.cast import STATEMENTS, drop_off
from lab.walking import Walk
from sopauto.cli import ticket_paper
from sopauto.tickets.model import Ticket, Verb
from tests.unit.tickets.signing_room import NIK, Machine, Room, open_room

NIP = "198703122010012004"


@pytest.fixture(scope="module")
def opened_room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    return open_room(tmp_path_factory.mktemp("room"))


@pytest.fixture
def room(opened_room: Room, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("SOPAUTO_HOME", str(opened_room.home))
    return replace(opened_room, machine=Machine())


@pytest.fixture(scope="module")
def at_the_switch(opened_room: Room) -> Ticket:
    """A drop-off whose server has its place reserved."""
    walk = Walk(app=opened_room.app, keys=opened_room.keys, statements=STATEMENTS)
    return walk.until(walk.open(drop_off(nama_host="web-09"), person="siti"), "penitipan.8")


def shown(room: Room, ticket: Ticket, capsys: pytest.CaptureFixture[str], **more: Any) -> str:
    capsys.readouterr()
    room.look(ticket, "", **more)
    return capsys.readouterr().out


def with_numbers(room: Room) -> Ticket:
    """Return a ticket that was told a NIK and a NIP, and repeats them wherever text can stand."""
    grouped = f"{NIK[:6]} {NIK[6:12]} {NIK[12:]}"
    stated = {"jadwal": "2026-11-24 09:00", "nip": NIP}
    ticket = room.act(room.opened(), Verb.DONE, "joko", data=stated, note=f"KTP {NIK}, {grouped}, {NIP}")
    room.machine.lines = (f"allow {NIK}",)
    room.machine.diff = f"+ holder {grouped}\n+ {'x' * 395} {NIK}"
    room.machine.given = {"card": {"holder": [NIK, int(NIK)]}, NIP: 1}
    return room.plan(ticket)[0]


def test_numbers_of_persons_are_masked_in_text_and_in_json(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    ticket = with_numbers(room)
    for more in ({}, {"full": True}, {"json": True}):
        told = shown(room, ticket, capsys, **more)
        digits = told.replace(" ", "").replace("-", "").replace(".", "")
        assert NIK not in digits
        assert NIP not in digits
        assert NIK[:12] not in digits
        assert "************0005" in told
        assert "**************2004" in told
    assert json.loads(told)["letter"]["nik"] == "************0005"


@pytest.mark.parametrize("between", ["/", " - ", "\u00a0", "_", ". "])
def test_numbers_are_masked_however_they_are_grouped(
    room: Room, capsys: pytest.CaptureFixture[str], between: str
) -> None:
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in NIK)
    note = f"KTP {between.join((NIK[:4], NIK[4:8], NIK[8:12], NIK[12:]))}, {wide}"
    told = shown(
        room, room.act(room.opened(), Verb.DONE, "joko", data={"jadwal": "2026-11-24 09:00"}, note=note), capsys
    )
    assert "KTP ************0005, ************" in told
    assert wide[:12] not in told


def test_the_plan_as_it_is_made_is_masked_too(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    from sopauto.cli.ticket_text import tell_plan

    ticket = with_numbers(room)
    again, record = room.plan(ticket)
    for as_json in (True, False):
        tell_plan(room.app, again, record, json=as_json)
    told = capsys.readouterr().out
    assert NIK not in told
    assert NIP not in told


def test_what_each_actor_stated_is_told_with_row_and_person(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    ticket = room.at_work()
    assert "  jadwal: 2026-11-24T09:00  (stated by joko at kerja.2, " in shown(room, ticket, capsys)
    (said,) = json.loads(shown(room, ticket, capsys, json=True))["stated"]
    assert (said["name"], said["person"], said["step"], said["by_machine"]) == ("jadwal", "joko", "kerja.2", False)


def test_the_reserved_place_is_told(room: Room, at_the_switch: Ticket, capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(room, at_the_switch, capsys)
    assert "place: rack R1, units " in told
    assert "port GigabitEthernet1/0/1, VLAN 30; 127.0.32." in told
    assert re.search(r"waktu_penitipan: \S+  \(stated by bambang at penitipan\.7, ", told)
    assert "(written at penitipan.5, " in told
    place = json.loads(shown(room, at_the_switch, capsys, json=True))["place"]
    assert (place["rack"], place["port"], place["vlan"]) == ("R1", "GigabitEthernet1/0/1", 30)


def test_the_plan_is_told_with_who_made_and_who_approved_it(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.machine.diff = "- vlan 999\n+ vlan 30"
    ticket = room.at_work()
    told = shown(room, ticket, capsys)
    for line in ("  | vlan 30\n", "  + vlan 30\n", "  with server: web-01\n", "  made by joko, not approved yet\n"):
        assert line in told
    digest = ticket.plans["kerja.3"].plan
    assert f"type: inv ticket.approve {ticket.id} --plan {digest}" in told
    room.act(ticket, Verb.APPROVE, "bambang", seen_plan=digest)
    assert "made by joko, approved by bambang at 20" in shown(room, ticket, capsys)
    planned = json.loads(shown(room, ticket, capsys, json=True))["planned"]
    assert planned == {"digest": digest, "by": "joko", "approved_by": "bambang"}


def test_what_steers_a_terminal_stays_escaped(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.machine.lines = ("\x1b[2Jvlan", "\u202edrow")
    ticket = room.at_work()
    noted = room.act(ticket, Verb.REJECT, "bambang", note="a\x1b[2J\rb\u202e")
    again, _ = room.plan(noted)
    told = shown(room, again, capsys)
    assert "\\x1b[2Jvlan" in told
    assert not {"\x1b", "\r", "\u202e"} & set(told)


def run(command: Any, *arguments: str, **more: Any) -> None:
    command(Context(Config()), *arguments, **more)


def test_a_paper_is_listed_read_masked_and_saved_as_signed(
    room: Room, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ticket = with_numbers(room)
    capsys.readouterr()
    run(ticket_paper.papers, ticket.id, json=True)
    listed: list[Mapping[str, Any]] = json.loads(capsys.readouterr().out)
    assert [paper["name"] for paper in listed] == ["sop.yaml", "rencana.json"]
    assert f"inv ticket.paper {ticket.id} NAME --to FILE" in shown(room, ticket, capsys)
    run(ticket_paper.paper, ticket.id, "rencana.json")
    told = capsys.readouterr().out
    assert '"module": "custody.connect"' in told
    assert NIK not in told
    saved = tmp_path / "rencana.json"
    run(ticket_paper.paper, ticket.id, listed[1]["sha256"][:12], to=str(saved))
    with room.app.store.read() as reader:
        assert saved.read_bytes() == reader.document(listed[1]["sha256"])
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    with pytest.raises(Exit, match="cannot be written"):
        run(ticket_paper.paper, ticket.id, "rencana.json", to=str(saved))


@pytest.mark.parametrize("name", ["", "x", "../sop.yaml", "0" * 64, "\x1b[2J"])
def test_a_paper_that_is_not_there_is_bad_input(room: Room, name: str) -> None:
    with pytest.raises(Exit, match="there is no document") as caught:
        run(ticket_paper.paper, room.opened().id, name)
    assert caught.value.code == 2


def test_a_paper_that_is_not_what_was_signed_is_not_opened(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    from sopauto.store.tickets import SqlReader

    ticket = room.opened()
    source = SqlReader.document
    monkeypatch.setattr(SqlReader, "document", lambda self, digest: source(self, digest) + b"#")
    monkeypatch.setattr(ticket_paper, "mask_in", lambda *_: str)
    with pytest.raises(Exit, match="not the document that was signed") as caught:
        run(ticket_paper.paper, ticket.id, "sop.yaml")
    assert caught.value.code == 1


def test_what_is_no_text_is_saved_only(room: Room, at_the_switch: Ticket, tmp_path: Path) -> None:
    with pytest.raises(Exit, match="is no text") as caught:
        run(ticket_paper.paper, at_the_switch.id, "lembar-disposisi.pdf")
    assert caught.value.code == 2
    run(ticket_paper.paper, at_the_switch.id, "lembar-disposisi.pdf", to=str(tmp_path / "a.pdf"))
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
