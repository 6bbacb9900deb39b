"""An approval signs the plan that its person was shown, and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sopauto.cli.ticket_text import standing
from sopauto.errors import BadInput, Refused
from sopauto.journal.entry import read_body
from sopauto.tickets.model import Ticket, Verb
from sopauto.tickets.verifying import verify_all
from tests.unit.tickets.signing_room import Machine, Room, open_room


@pytest.fixture(scope="module")
def opened_room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    return open_room(tmp_path_factory.mktemp("room"))


@pytest.fixture
def room(opened_room: Room) -> Room:
    return replace(opened_room, machine=Machine())


def digest(room: Room, ticket: Ticket) -> str:
    """Return the digest that the hint hands out."""
    words = str(standing(room.app, ticket)["type"]).split()
    return words[words.index("--plan") + 1]


def entries(room: Room, ticket: Ticket) -> int:
    with room.app.store.read() as reader:
        return len(reader.entries(ticket.id))


def test_a_plan_that_was_not_shown_is_not_approved(room: Room) -> None:
    ticket = room.at_work()
    with pytest.raises(Refused, match=rf"not shown the plan.*inv ticket\.show {ticket.id} --as bambang") as refused:
        room.act(ticket, Verb.APPROVE, "bambang")
    assert ticket.plans["kerja.3"].plan[:12] not in str(refused.value)
    assert entries(room, ticket) == ticket.entries


@pytest.mark.parametrize("part", [64, 12, 20])
def test_the_plan_that_is_named_is_approved(room: Room, part: int) -> None:
    ticket = room.at_work()
    approved = room.act(ticket, Verb.APPROVE, "bambang", seen_plan=digest(room, ticket)[:part])
    assert approved.plans["kerja.3"].approved_by == "bambang"
    with room.app.store.read() as reader:
        assert read_body(reader.entries(ticket.id)[-1].body)["plan"] == ticket.plans["kerja.3"].plan
    room.run(approved)
    with room.app.store.read() as reader:
        assert verify_all(room.app, reader).findings == ()


@pytest.mark.parametrize("named", ["a", "0" * 11, "g" * 12, "0" * 65, "--", "\udcff" * 12, "\uff10" * 12])
def test_what_names_no_plan_is_bad_input(room: Room, named: str) -> None:
    with pytest.raises(BadInput, match="--plan"):
        room.act(room.at_work(), Verb.APPROVE, "bambang", seen_plan=named)


@pytest.mark.parametrize("json", [True, False])
def test_who_looked_at_the_plan_may_approve_it_without_naming_it(room: Room, json: bool) -> None:
    ticket = room.at_work()
    room.look(ticket, "bambang", json=json)
    assert room.act(ticket, Verb.APPROVE, "bambang").plans["kerja.3"].approved_by == "bambang"


def test_what_others_looked_at_was_not_shown_to_the_approver(room: Room) -> None:
    ticket = room.at_work()
    room.look(ticket, "ratna")
    room.look(ticket, "")
    with pytest.raises(Refused, match="not shown"):
        room.act(ticket, Verb.APPROVE, "bambang")


def another_line(room: Room) -> None:
    room.machine.lines = ("vlan 1",)


def another_file(room: Room) -> None:
    room.machine.files = {"port.j2": b"two"}


def another_difference(room: Room) -> None:
    room.machine.diff = "+ x"


def another_parameter(room: Room) -> None:
    room.machine.given = {"vlan": 7}


@pytest.mark.parametrize("replaced", [another_line, another_file, another_difference, another_parameter])
def test_a_plan_that_was_replaced_after_it_was_shown_is_refused(room: Room, replaced: Callable[[Room], None]) -> None:
    ticket = room.at_work()
    room.look(ticket, "bambang")
    shown = digest(room, ticket)
    replaced(room)
    again, _ = room.plan(ticket)
    with pytest.raises(Refused, match="not shown"):
        room.act(again, Verb.APPROVE, "bambang")
    with pytest.raises(Refused, match=r"changed since you looked|same lines out of other files") as refused:
        room.act(again, Verb.APPROVE, "bambang", seen_plan=shown)
    assert again.plans["kerja.3"].document[:12] not in str(refused.value)
    named = digest(room, again)
    assert room.act(again, Verb.APPROVE, "bambang", seen_plan=named).plans["kerja.3"].approved_by == "bambang"


def test_the_same_plan_made_again_is_still_the_one_that_was_shown(room: Room) -> None:
    ticket = room.at_work()
    room.look(ticket, "bambang")
    again, _ = room.plan(ticket)
    assert room.act(again, Verb.APPROVE, "bambang").plans["kerja.3"].approved_by == "bambang"


def test_a_plan_is_approved_once(room: Room) -> None:
    ticket = room.at_work()
    approved = room.act(ticket, Verb.APPROVE, "bambang", seen_plan=digest(room, ticket))
    with pytest.raises(Refused, match="is approved already, by bambang"):
        room.act(approved, Verb.APPROVE, "bambang", seen_plan=approved.plans["kerja.3"].plan)
    assert entries(room, ticket) == approved.entries


def test_a_folded_plan_counts_as_shown_only_when_all_of_it_was(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.machine.lines = tuple(f"line {number}" for number in range(1000))
    ticket = room.at_work()
    room.look(ticket, "bambang")
    told = capsys.readouterr().out
    assert "line 0\n" in told
    assert "line 500\n" not in told
    assert f"inv ticket.show {ticket.id} --full" in told
    with pytest.raises(Refused, match="not shown"):
        room.act(ticket, Verb.APPROVE, "bambang")
    room.look(ticket, "bambang", full=True)
    assert "line 500\n" in capsys.readouterr().out
    room.act(ticket, Verb.APPROVE, "bambang")


def test_a_plan_that_another_row_signs_must_have_been_shown_there(room: Room) -> None:
    opened = room.opened("berkas")
    planned, record = room.plan(opened)
    laid = room.act(planned, Verb.DONE, "joko")
    with pytest.raises(Refused, match="not shown"):
        room.act(laid, Verb.APPROVE, "bambang")
    assert digest(room, laid) == record.plan.digest
    signed = room.act(laid, Verb.APPROVE, "bambang", seen_plan=record.plan.digest)
    assert (signed.step, signed.plans["kerja.4"].approved_by) == ("kerja.4", "bambang")


def test_who_looks_at_the_row_that_signs_is_shown_the_plan_of_the_other_row(
    room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    planned, _ = room.plan(room.opened("berkas"))
    laid = room.act(planned, Verb.DONE, "joko")
    room.look(laid, "bambang")
    assert "| vlan 30" in capsys.readouterr().out
    assert room.act(laid, Verb.APPROVE, "bambang").step == "kerja.4"


def test_a_refused_plan_is_named_in_the_entry(room: Room) -> None:
    ticket = room.at_work()
    with pytest.raises(Refused, match="changed since you looked"):
        room.act(ticket, Verb.REJECT, "bambang", seen_plan="0" * 12)
    refused = room.act(ticket, Verb.REJECT, "bambang", note="salah port")
    assert not refused.plans
    with room.app.store.read() as reader:
        assert read_body(reader.entries(ticket.id)[-1].body)["plan"] == ticket.plans["kerja.3"].plan
    with pytest.raises(Refused, match=r"no plan is attached at kerja\.3"):
        room.act(refused, Verb.REJECT, "bambang")


def test_naming_a_plan_where_none_is_attached_is_refused(room: Room) -> None:
    laid = room.act(room.opened("berkas"), Verb.DONE, "joko")
    with pytest.raises(Refused, match="no plan"):
        room.act(laid, Verb.APPROVE, "bambang", seen_plan="0" * 64)


def test_the_answer_says_in_words_what_was_signed(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    from sopauto.cli.ticket_text import tell_action

    ticket = room.at_work()
    approved = room.act(ticket, Verb.APPROVE, "bambang", seen_plan=digest(room, ticket))
    tell_action(room.app, approved, "approve", json=False)
    short = ticket.plans["kerja.3"].plan[:12]
    assert f"approved plan {short} of custody.connect on web-01: 2 lines" in capsys.readouterr().out
    tell_action(room.app, room.act(approved, Verb.REJECT, "bambang"), "reject", json=False)
    assert f"refused plan {short} of custody.connect on web-01: 2 lines" in capsys.readouterr().out
