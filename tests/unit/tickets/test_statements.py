"""Rows take what they ask for; the machine's words are the machine's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sopauto.app import OFFERS
from sopauto.cli.ticket_sheet import tell_ticket
from sopauto.errors import BadInput
from sopauto.journal.entry import Entry, compose_body, read_body
from sopauto.procedures.known import machine_words
from sopauto.tickets.acting import prepare
from sopauto.tickets.machine import advance
from sopauto.tickets.model import Action, Outcome, Ticket, Verb
from sopauto.tickets.record import keep_people
from sopauto.tickets.verifying import verify_ticket
from tests.unit.tickets.signing_room import Machine, Room, open_room

MACHINE_WORDS = machine_words(OFFERS.marks)


@pytest.fixture(scope="module")
def opened_room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    return open_room(tmp_path_factory.mktemp("room"))


@pytest.fixture
def room(opened_room: Room) -> Room:
    return replace(opened_room, machine=Machine())


def findings(room: Room, ticket: Ticket) -> tuple[str, ...]:
    with room.app.store.read() as reader:
        return verify_ticket(room.app, reader, ticket.id).findings


@pytest.mark.parametrize("name", ["warna", "jadwal", *sorted(MACHINE_WORDS)])
def test_a_row_that_asks_for_nothing_takes_nothing(room: Room, name: str) -> None:
    at_work = room.at_work()
    ran = room.run(room.act(at_work, Verb.APPROVE, "bambang", seen_plan=at_work.plans["kerja.3"].plan))
    for verb in (Verb.APPROVE, Verb.REJECT):
        with pytest.raises(BadInput, match=rf"kerja\.4 {name}: unknown field.*nothing is asked here"):
            room.act(ran, verb, "siti", data={name: "done"})
    assert not findings(room, ran)


@pytest.mark.parametrize("name", sorted(MACHINE_WORDS))
def test_a_row_that_asks_takes_no_word_of_the_machine_and_names_what_it_asks_for(room: Room, name: str) -> None:
    with pytest.raises(BadInput, match="known: jadwal, nip"):
        room.act(room.opened(), Verb.DONE, "joko", data={"jadwal": "2026-11-24 09:00", name: "x"})


def test_answering_a_plan_states_nothing(room: Room) -> None:
    ticket = room.at_work()
    for verb in (Verb.APPROVE, Verb.REJECT):
        with pytest.raises(BadInput, match="unknown field 'outcome'"):
            room.act(ticket, verb, "bambang", data={"outcome": "done"}, seen_plan=ticket.plans["kerja.3"].plan)
    with pytest.raises(BadInput, match="unknown field"):
        room.act(ticket, Verb.CANCEL, "siti", data={"jadwal": "2026-11-24 09:00"})


@pytest.mark.parametrize("verb", [Verb.EVIDENCE, Verb.SETTLE, Verb.RUN])
def test_machine_work_brings_no_statement(room: Room, verb: Verb) -> None:
    ticket, desk = room.at_work(), room.desk("joko")
    if verb is Verb.SETTLE:
        ticket = replace(ticket, unknown=True)
    action = Action(
        verb=verb,
        person="joko",
        position="technical-support",
        at=desk.clock.now(),
        data={"jadwal": "lain"},
        outcome=Outcome.DONE,
    )
    with desk.store.read() as reader, pytest.raises(BadInput, match="unknown field 'jadwal'"):
        prepare(desk, reader, desk.procedure_of(ticket, reader), ticket, action)


def test_the_outcome_stands_apart_from_what_people_state(room: Room) -> None:
    ticket = room.at_work()
    ran = room.run(room.act(ticket, Verb.APPROVE, "bambang", seen_plan=ticket.plans["kerja.3"].plan))
    with room.app.store.read() as reader:
        bodies = [read_body(entry.body) for entry in reader.entries(ran.id)]
    assert (bodies[-1]["outcome"], bodies[-1]["data"]) == ("done", {})
    assert all("outcome" not in body for body in bodies[:-1])


def older(room: Room, ticket: Ticket, data: dict[str, Any]) -> Ticket:
    """Write an entry as earlier versions did: with whatever was stated, and the outcome among it."""
    desk, verb, person, position = room.desk("joko"), Verb.DONE, "joko", "technical-support"
    with desk.store.read() as reader:
        procedure = desk.procedure_of(ticket, reader)
    action = Action(verb=verb, person=person, position=position, at=desk.clock.now(), data=data)
    after = advance(procedure, ticket, action).ticket
    body = compose_body(
        ticket=ticket.id,
        number=ticket.entries + 1,
        prev=ticket.head,
        at=action.at,
        person=person,
        position=position,
        verb=verb.value,
        step=ticket.step,
        to=after.step,
        note="",
        data=data,
        documents=[],
        procedure=ticket.procedure_digest,
        plan=None,
        order=None,
        people=desk.people.digest,
    )
    signed = desk.signer.sign(body)
    entry = Entry(
        ticket=ticket.id,
        number=ticket.entries + 1,
        prev=ticket.head,
        body=body,
        signature=signed.signature,
        key=signed.key,
    )
    kept = replace(after, entries=entry.number, head=entry.digest)
    with desk.store.write() as writer:
        writer.append(entry, kept, due=None, title="x")
        keep_people(writer, desk.people, entry, action.at)
    return kept


@pytest.mark.parametrize("word", ["xyz", "done", ["a"], {"b": 1}, None])
def test_an_older_entry_that_states_the_outcome_can_still_be_read_and_is_told(
    room: Room, word: object, capsys: pytest.CaptureFixture[str]
) -> None:
    ticket = room.opened()
    kept = older(room, ticket, {"jadwal": "x", "outcome": word})
    told = f"{ticket.id} entry 2: joko stated 'outcome', which only the machine writes"
    assert findings(room, kept) == (told,)
    for json in (True, False):
        tell_ticket(room.app, ticket.id, json=json)
        assert told in capsys.readouterr().out


def test_an_older_entry_with_further_words_still_holds(room: Room) -> None:
    kept = older(room, room.opened(), {"jadwal": "x", "catatan": "y"})
    assert findings(room, kept) == ()


def test_a_statement_is_not_overwritten_by_a_later_row(room: Room) -> None:
    ticket = room.at_work()
    ran = room.run(room.act(ticket, Verb.APPROVE, "bambang", seen_plan=ticket.plans["kerja.3"].plan))
    with pytest.raises(BadInput, match="unknown field 'jadwal'"):
        room.act(ran, Verb.APPROVE, "siti", data={"jadwal": "2030-01-01 00:00"})
    assert room.act(ran, Verb.APPROVE, "siti").data["jadwal"] == "2026-11-24T09:00"
