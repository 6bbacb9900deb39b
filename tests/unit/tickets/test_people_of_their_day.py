"""History is held against the people of its own day; what a later file makes of the past shows, and is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from lab.workspace import make_key, public_half
from sopauto.app import build
from sopauto.errors import BadInput, Refused
from sopauto.journal.entry import read_body
from sopauto.journal.export import allowed_signers
from sopauto.tickets import record
from sopauto.tickets.acting import open_from_letter, prepare
from sopauto.tickets.model import Action, Letter, Outcome, Ticket, Verb
from sopauto.tickets.people_then import PeopleThen, remembered, versions
from sopauto.tickets.record import commit
from sopauto.tickets.running import make_plan
from sopauto.tickets.verifying import Verdict, verify_all, verify_ticket
from tests.unit.tickets.signing_room import NIK, Room, open_room

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return open_room(tmp_path)


def edited(room: Room, change: Change) -> Room:
    """Return the room after a change of its people file."""
    path = room.home / "people.yaml"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    return replace(room, app=build(room.home))


def row(data: Mapping[str, Any], person: str) -> Any:
    return next(found for found in data["orang"] if found["id"] == person)


def hold(person: str, position: str, *, since: str, unit: str = "kominfo") -> Change:
    held = {"jabatan": position, "unit": unit, "sejak": since}
    return lambda data: row(data, person)["memegang"].append(held)


def add_key(person: str, key: Path, *, since: str) -> Change:
    return lambda data: row(data, person)["kunci"].append({"publik": public_half(key), "sejak": since})


def today() -> str:
    return build_day(0)


def build_day(back: int) -> str:
    from zoneinfo import ZoneInfo

    from sopauto.clock import SystemClock

    return (SystemClock(ZoneInfo("Asia/Jakarta")).now().date() - timedelta(days=back)).isoformat()


def verdict(room: Room, ticket: Ticket | None = None) -> Verdict:
    with room.app.store.read() as reader:
        return verify_ticket(room.app, reader, ticket.id) if ticket else verify_all(room.app, reader)


def approved(room: Room) -> Ticket:
    ticket = room.at_work()
    return room.act(ticket, Verb.APPROVE, "bambang", seen_plan=ticket.plans["kerja.3"].plan)


def forged(room: Room, ticket: Ticket, verb: Verb, person: str, position: str, **more: Any) -> Ticket:
    """Write a signed entry as a program would that asks nobody's leave."""
    desk = room.desk(person)
    with desk.store.read() as reader:
        now = reader.ticket(ticket.id)
        procedure = desk.procedure_of(now, reader)
        action = Action(verb=verb, person=person, position=position, at=desk.clock.now(), **more)
        drafts = prepare(desk, reader, procedure, now, action)
    return commit(desk, drafts)[0]


# --- what a later file leaves as it was


def without(person: str) -> Change:
    return lambda data: data["orang"].remove(row(data, person))


def ended(person: str, what: str) -> Change:
    return lambda data: row(data, person)[what][0].update(sampai=build_day(1))


@pytest.mark.parametrize("change", [without("joko"), ended("joko", "kunci"), ended("joko", "memegang")])
def test_who_leaves_or_loses_a_key_breaks_neither_history_nor_open_tickets(room: Room, change: Change) -> None:
    ticket = room.at_work()
    assert verdict(room) == Verdict(tickets=1, entries=3, findings=())
    later = edited(room, change)
    assert verdict(later, ticket).findings == ()
    after = later.act(ticket, Verb.APPROVE, "bambang", seen_plan=ticket.plans["kerja.3"].plan)
    found = verdict(later)
    assert (found.findings, found.entries) == ((), 4)
    assert f"people.yaml changed before {after.id} entry 4" in found.notes[0]


def test_a_key_that_the_file_has_no_more_is_told_and_no_fault(room: Room) -> None:
    ticket = room.at_work()
    [note] = verdict(edited(room, without("joko")), ticket).notes
    assert note.startswith("joko signed 2 entries with a key that today's people.yaml does not have")


def test_a_paper_names_who_has_left(room: Room) -> None:
    room.at_work()
    later = edited(room, without("joko"))
    with later.app.store.read() as reader:
        people = remembered(later.app.people, reader)
        assert people.person("joko").name == "Joko Santoso"
        assert people.person("nobody").name == "nobody"
        assert people.position("lurah").title == "lurah"
        assert not people.keys("joko", date.today())  # noqa: DTZ011


def test_the_archive_knows_the_keys_of_the_entries_day(room: Room) -> None:
    ticket = room.at_work()
    public = public_half(room.keys["joko"])
    later = edited(room, without("joko"))
    with later.app.store.read() as reader:
        signers = allowed_signers(reader.entries(ticket.id), PeopleThen(later.app.people, reader).of)
    [line] = [line for line in signers.splitlines() if line.startswith("joko ")]
    assert line.endswith(f',valid-after="20191101" {public}')


# --- what a later file claims of the past


@pytest.mark.parametrize("since", ["2019-11-01", "yesterday"])
def test_a_tenure_that_begins_before_an_entry_whose_file_did_not_have_it_is_refused(room: Room, since: str) -> None:
    ticket = room.at_work()
    since = build_day(1) if since == "yesterday" else since
    later = edited(room, hold("hadi", "kasi-layanan-infrastruktur", since=since))
    with pytest.raises(Refused, match=rf"is backdated: .*{ticket.id} entry 3 .*; state `sejak: {today()}`"):
        later.act(ticket, Verb.APPROVE, "hadi", seen_plan=ticket.plans["kerja.3"].plan)
    assert verdict(later, ticket).entries == 3


def test_a_backdated_tenure_is_a_finding_when_it_was_signed_around_us(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = room.at_work()
    later = edited(room, hold("hadi", "kasi-layanan-infrastruktur", since="2019-11-01"))
    monkeypatch.setattr(record, "refuse_backdated", lambda *_: None)
    later.act(ticket, Verb.APPROVE, "hadi", seen_plan=ticket.plans["kerja.3"].plan)
    [found] = verdict(later).findings
    assert "entry 4: hadi: kasi-layanan-infrastruktur in kominfo from 2019-11-01 is backdated" in found


def test_a_backdated_key_is_refused_and_a_finding(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = room.at_work()
    key = make_key(tmp_path / "own" / "bambang")
    later = replace(edited(room, add_key("bambang", key, since="2026-01-01")), keys={**room.keys, "bambang": key})
    with pytest.raises(Refused, match=r"bambang: the key SHA256:.* from 2026-01-01 is backdated"):
        later.act(ticket, Verb.APPROVE, "bambang", seen_plan=ticket.plans["kerja.3"].plan)
    monkeypatch.setattr(record, "refuse_backdated", lambda *_: None)
    later.act(ticket, Verb.APPROVE, "bambang", seen_plan=ticket.plans["kerja.3"].plan)
    assert "entry 4: bambang: the key" in verdict(later).findings[0]


def test_a_backdated_key_shows_also_in_a_ticket_that_was_opened_later(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.opened()
    key = make_key(tmp_path / "own" / "siti")
    later = replace(edited(room, add_key("siti", key, since="2026-01-01")), keys={**room.keys, "siti": key})
    monkeypatch.setattr(record, "refuse_backdated", lambda *_: None)
    ticket = later.opened()
    assert "entry 1: siti: the key" in verdict(later, ticket).findings[0]


def test_machine_work_by_a_backdated_tenure_is_refused_before_anything_is_done(room: Room) -> None:
    ticket = approved(room)
    later = edited(room, hold("hadi", "technical-support", since="2019-11-01"))
    with pytest.raises(Refused, match="is backdated"):
        later.app.store.read().__enter__()
        from sopauto.tickets.running import run

        run(later.desk("hadi"), ticket.id, person="hadi")
    with later.app.store.read() as reader:
        assert reader.attempts(ticket.id, "kerja.3") == []


def second_id(data: dict[str, Any], *, keys: list[dict[str, str]], nip: str) -> None:
    """Let joko come back as jack, who approves from today on."""
    kasi = {"jabatan": "kasi-layanan-infrastruktur", "unit": "kominfo", "sejak": today()}
    worker = {**kasi, "jabatan": "technical-support"}
    joko = row(data, "joko")
    data["orang"].append({**joko, "id": "jack", "nip": nip, "kunci": keys, "memegang": [kasi, worker]})
    data["orang"].remove(joko)


@pytest.mark.parametrize("kept", ["key", "another key", "NIP"])
def test_who_comes_back_under_another_id_is_still_the_same_person(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    ticket = room.at_work()
    old, new = room.keys["joko"], make_key(tmp_path / "own" / "jack")
    key = old if kept == "key" else new
    keys = [{"publik": public_half(each), "sejak": today()} for each in {key, *([old] if kept != "NIP" else [])}]
    nip = row(json.loads((room.home / "people.yaml").read_text()), "joko")["nip"] if kept == "NIP" else "NIP 77"
    later = edited(room, lambda data: second_id(data, keys=keys, nip=f"nip {nip}"))
    later = replace(later, keys={**room.keys, "jack": key})
    what = "the NIP" if kept == "NIP" else "a key"
    with pytest.raises(Refused, match=rf"jack has {what} of joko, who signed {ticket.id} entry 3; a person keeps one"):
        later.act(ticket, Verb.APPROVE, "jack", seen_plan=ticket.plans["kerja.3"].plan)
    with pytest.raises(Refused, match="a person keeps one id"):
        make_plan(later.desk("jack"), ticket.id, person="jack")
    monkeypatch.setattr(record, "refuse_other_id", lambda *_: None)
    later.act(ticket, Verb.APPROVE, "jack", seen_plan=ticket.plans["kerja.3"].plan)
    assert f"{ticket.id} entry 4: jack has {what} of joko" in verdict(later, ticket).findings[0]


def test_an_applicant_who_signed_nothing_is_known_again_too(room: Room) -> None:
    held = {"jabatan": "unit-kerja-pemohon", "unit": "dinkes", "sejak": "2019-11-01"}
    first = edited(
        room,
        lambda data: data["orang"].append(
            {"id": "sari", "nama": "Sari", "nip": "198001012005012001", "email": "s@x.id", "memegang": [held]}
        ),
    )
    letter = Letter(procedure="uji", unit="dinkes", applicant="sari", fields={"nama_host": "web-01", "nik": NIK})
    ticket = open_from_letter(first.desk("siti"), letter, person="siti")
    later = edited(first, lambda data: (without("sari")(data), row(data, "joko").update(nip="19800101 200501 2 001")))
    with pytest.raises(Refused, match=rf"joko has the NIP of sari, who asks by {ticket.id} entry 1"):
        later.act(ticket, Verb.DONE, "joko", data={"jadwal": "2026-11-24 09:00"})


def test_who_takes_over_a_position_is_another_person(room: Room, tmp_path: Path) -> None:
    ticket = room.at_work()
    new = make_key(tmp_path / "own" / "jack")
    keys = [{"publik": public_half(new), "sejak": today()}]
    later = edited(room, lambda data: second_id(data, keys=keys, nip="-"))
    later = replace(later, keys={**room.keys, "jack": new})
    later.act(ticket, Verb.APPROVE, "jack", seen_plan=ticket.plans["kerja.3"].plan)
    assert verdict(later, ticket).findings == ()


def test_a_tenure_from_today_on_is_taken_and_told(room: Room) -> None:
    ticket = room.at_work()
    later = edited(room, hold("hadi", "kasi-layanan-infrastruktur", since=today()))
    later.act(ticket, Verb.APPROVE, "hadi", seen_plan=ticket.plans["kerja.3"].plan)
    found = verdict(later)
    assert found.findings == ()
    assert f"added: hadi: kasi-layanan-infrastruktur in kominfo from {today()}" in found.notes[0]


def test_prolonging_ending_and_taking_back_are_no_backdating(room: Room) -> None:
    first = edited(room, lambda data: row(data, "bambang")["memegang"][0].update(sampai="2099-01-01"))
    one = first.at_work()
    longer = edited(first, lambda data: row(data, "bambang")["memegang"][0].update(sampai="2199-01-01"))
    longer.act(one, Verb.APPROVE, "bambang", seen_plan=one.plans["kerja.3"].plan)
    gone = edited(longer, without("hadi"))
    gone.opened()
    back = edited(longer, lambda data: None)
    assert verdict(back).findings == ()


def test_the_versions_of_the_file_are_listed_with_what_changed(room: Room) -> None:
    ticket = room.at_work()
    later = edited(room, hold("hadi", "technical-support", since="2020-01-01"))
    later.act(ticket, Verb.APPROVE, "bambang", seen_plan=ticket.plans["kerja.3"].plan)
    with later.app.store.read() as reader:
        one, two = versions(PeopleThen(later.app.people, reader))
        [first, *_] = reader.entries(ticket.id)
        assert read_body(first.body)["people"] == one.people
    assert (one.entries, one.changed, two.entries) == (3, (), 1)
    assert (two.since.ticket, two.since.number, two.people) == (ticket.id, 4, later.app.people.digest)
    assert two.changed == ("added: hadi: technical-support in kominfo from 2020-01-01  BACKDATED",)


# --- entries of before people files were kept


def old_kind(room: Room) -> Room:
    """Return the room as an earlier version of this program saw it: entries name no people file."""
    room.app.__dict__["people"] = replace(room.app.people, content=b"")
    return room


def test_older_entries_hold_by_the_first_file_that_was_kept(room: Room) -> None:
    ticket = old_kind(replace(room, app=build(room.home))).at_work()
    assert verdict(room).findings == ()
    after = room.act(ticket, Verb.APPROVE, "bambang", seen_plan=ticket.plans["kerja.3"].plan)
    with room.app.store.read() as reader:
        assert ["people" in read_body(entry.body) for entry in reader.entries(after.id)] == [False] * 3 + [True]
    assert verdict(edited(room, without("joko"))).findings == ()


def test_an_entry_of_the_old_kind_after_one_of_the_new_is_a_finding(room: Room) -> None:
    ticket = room.at_work()
    old = old_kind(replace(room, app=build(room.home)))
    old.act(ticket, Verb.APPROVE, "bambang", seen_plan=ticket.plans["kerja.3"].plan)
    assert "entry 4: names no people file, though the entry before it does" in verdict(room).findings[0]


# --- a file with faults


def test_nobody_acts_by_a_file_with_faults_and_everybody_can_still_look(room: Room) -> None:
    ticket = room.at_work()
    nip = row(json.loads((room.home / "people.yaml").read_text()), "siti")["nip"]
    later = edited(room, lambda data: row(data, "hadi").update(nip=nip))
    with pytest.raises(BadInput, match="hadi has the NIP of siti"):
        later.desk("bambang")
    found = verdict(later, ticket)
    assert found.findings == ()
    assert "today's people.yaml is not sound: line" in found.notes[-1]


def test_an_entry_under_a_file_with_faults_was_signed_around_us(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = room.at_work()
    nip = row(json.loads((room.home / "people.yaml").read_text()), "siti")["nip"]
    later = edited(room, lambda data: row(data, "hadi").update(nip=nip))
    monkeypatch.setattr("sopauto.app.refuse_faults", lambda people: people)
    later.act(ticket, Verb.APPROVE, "bambang", seen_plan=ticket.plans["kerja.3"].plan)
    assert "the people file of its day is not sound" in verdict(later).findings[0]


# --- duties, held against the people of that day, for every verb


def both(person: str, position: str) -> Change:
    return hold(person, position, since="2019-11-01")


def test_one_person_who_approved_and_carried_out_is_a_finding(room: Room) -> None:
    later = edited(room, both("bambang", "technical-support"))
    ticket = approved(later)
    done = forged(later, ticket, Verb.RUN, "bambang", "technical-support", outcome=Outcome.DONE, order="0" * 64)
    [found] = verdict(later, done).findings
    assert "entry 5: " in found
    assert "bambang approved this and may not carry it out" in found


@pytest.mark.parametrize("verb", [Verb.EVIDENCE, Verb.STALE, Verb.SETTLE, Verb.PLAN])
def test_who_approved_does_no_machine_work_of_any_kind(room: Room, verb: Verb) -> None:
    later = edited(room, both("bambang", "technical-support"))
    ticket = approved(later)
    further: dict[str, Any] = {}
    if verb is Verb.SETTLE:
        ticket = forged(later, ticket, Verb.RUN, "joko", "technical-support", outcome=Outcome.UNKNOWN)
        further = {"outcome": Outcome.NOT_BEGUN}
    if verb is Verb.PLAN:
        with later.app.store.read() as reader:
            before = read_body(reader.entries(ticket.id)[2].body)
        from sopauto.tickets.model import DocumentRef

        documents = tuple(DocumentRef(**document) for document in before["documents"])
        further = {"plan": before["plan"], "order": before["order"], "documents": documents}
    forged(later, ticket, verb, "bambang", "technical-support", **further)
    assert "bambang approved this and may not carry it out" in " ".join(verdict(later, ticket).findings)


def test_who_planned_and_approved_is_a_finding(room: Room) -> None:
    later = edited(room, both("joko", "kasi-layanan-infrastruktur"))
    ticket = later.at_work()
    planned = ticket.plans["kerja.3"]
    more = {"plan": planned.plan, "order": planned.order}
    forged(later, ticket, Verb.APPROVE, "joko", "kasi-layanan-infrastruktur", **more)
    assert "joko carries this out and may not approve it" in " ".join(verdict(later, ticket).findings)


def test_who_requested_and_approved_is_a_finding(room: Room) -> None:
    later = edited(room, both("siti", "kasi-layanan-infrastruktur"))
    ticket = later.at_work()
    planned = ticket.plans["kerja.3"]
    more = {"plan": planned.plan, "order": planned.order}
    forged(later, ticket, Verb.APPROVE, "siti", "kasi-layanan-infrastruktur", **more)
    assert "siti requested this and may not approve it" in " ".join(verdict(later, ticket).findings)


@pytest.mark.parametrize(
    ("verb", "person", "position"),
    [
        (Verb.DONE, "bambang", "kasi-layanan-infrastruktur"),
        (Verb.CANCEL, "joko", "technical-support"),
        (Verb.EVIDENCE, "bambang", "kasi-layanan-infrastruktur"),
    ],
)
def test_who_acts_in_a_position_that_the_row_does_not_name_is_a_finding(
    room: Room, verb: Verb, person: str, position: str
) -> None:
    ticket = room.opened()
    stated = {"data": {"jadwal": "2026-11-24 09:00"}} if verb is Verb.DONE else {}
    forged(room, ticket, verb, person, position, **stated)
    assert f"{person} was not in a position to do this" in " ".join(verdict(room, ticket).findings)


def test_an_applicant_of_another_unit_is_a_finding(room: Room) -> None:
    later = edited(room, hold("hadi", "unit-kerja-pemohon", since="2019-11-01", unit="bappeda"))
    ticket = later.opened()
    forged(later, ticket, Verb.CANCEL, "hadi", "unit-kerja-pemohon")
    assert "hadi was not in a position to do this" in " ".join(verdict(later, ticket).findings)


def test_a_ticket_that_was_opened_by_an_official_is_a_finding(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sopauto.tickets.acting.held_position", lambda *_, **__: "technical-support")
    from sopauto.tickets.acting import open_from_letter
    from sopauto.tickets.model import Letter
    from tests.unit.tickets.signing_room import NIK

    letter = Letter(procedure="uji", unit="dinkes", applicant="siti", fields={"nama_host": "web-01", "nik": NIK})
    ticket = open_from_letter(room.desk("joko"), letter, person="joko")
    assert "entry 1: joko was not in a position to do this" in verdict(room, ticket).findings[0]
