"""Clocks that step: refused at signing in words, results of done work recorded, and tickets that suffer mended."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest

from lab.cast import drop_off
from lab.walking import Walk
from sopauto.clock import Steady
from sopauto.errors import BadInput, Refused
from sopauto.journal.entry import read_body
from sopauto.tickets import timing
from sopauto.tickets.acting import act, open_from_letter
from sopauto.tickets.desk import Desk
from sopauto.tickets.mending import mend_clock
from sopauto.tickets.model import Ticket, Verb
from sopauto.tickets.timing import moment_after_work
from sopauto.tickets.verifying import export_ticket, verify_all, verify_ticket
from tests.integration.store.test_tickets_on_both import walk as walk_on_both

walk = walk_on_both


@dataclass(frozen=True, slots=True)
class Off:
    """A clock that is off by so much."""

    clock: Any
    by: timedelta

    def now(self) -> datetime:
        return (self.clock.now() + self.by).replace(microsecond=0)


At = Callable[..., Desk]


@pytest.fixture
def at(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> At:
    """Return a person's desk, its clock off by so many seconds."""
    monkeypatch.setattr(timing.time, "sleep", lambda _: None)

    def desk(person: str, **off: float) -> Desk:
        made = walk.app.desk(person, key=walk.keys[person])
        return replace(made, clock=Off(made.clock, timedelta(**off)))

    return desk


def count(walk: Walk, ticket: Ticket) -> int:
    with walk.app.store.read() as reader:
        return len(reader.entries(ticket.id))


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.REJECT, Verb.CANCEL])
def test_an_entry_older_than_the_one_before_is_refused_at_signing(walk: Walk, at: At, verb: Verb) -> None:
    ticket = walk.open(drop_off(), person="siti")
    who = "siti" if verb is Verb.CANCEL else "hadi"
    for back in (30, 3600):
        with pytest.raises(Refused, match=r"clock of this machine says .* but entry 1 of .* was made at .*set the"):
            act(at(who, seconds=-back), ticket.id, verb, person=who, seen_plan=None)
    assert count(walk, ticket) == 1
    act(
        walk.app.desk(who, key=walk.keys[who]),
        ticket.id,
        Verb.CANCEL if verb is Verb.CANCEL else verb,
        person=who,
        seen_plan=None,
    )
    with walk.app.store.read() as reader:
        assert verify_all(walk.app, reader).findings == ()


def test_an_opening_older_than_the_last_one_is_refused(walk: Walk, at: At) -> None:
    walk.open(drop_off(), person="siti")
    with pytest.raises(Refused, match="but entry 1 of PS-"):
        open_from_letter(at("siti", minutes=-5), drop_off(nama_host="web-02"), person="siti")


def test_whose_clock_is_seconds_behind_waits(walk: Walk, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = walk.open(drop_off(), person="siti")
    waited: list[float] = []
    desk = at("hadi", seconds=-2)
    monkeypatch.setattr(timing.time, "sleep", waited.append)
    with suppress(Refused):  # the clock of this test does not go on by waiting
        act(desk, ticket.id, Verb.APPROVE, person="hadi", seen_plan=None)
    assert waited
    assert max(waited) <= 3


def test_the_database_servers_clock_bounds_what_lies_ahead(walk: Walk, at: At) -> None:
    ticket = walk.open(drop_off(), person="siti")
    with walk.app.store.read() as reader:
        asked = reader.server_time() is not None
    if asked:
        with pytest.raises(Refused, match="that of the database server"):
            act(at("hadi", hours=1), ticket.id, Verb.APPROVE, person="hadi", seen_plan=None)
        assert count(walk, ticket) == 1


def test_a_ticket_whose_clock_ran_ahead_is_mended_by_a_signed_word_and_goes_on(
    walk: Walk, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = walk.open(drop_off(), person="siti")
    with monkeypatch.context() as quiet:
        quiet.setattr("sopauto.tickets.timing.refuse_wrong", lambda *_: None)
        act(at("hadi", hours=1), ticket.id, Verb.APPROVE, person="hadi", seen_plan=None)
    ratna = walk.app.desk("ratna", key=walk.keys["ratna"])
    with pytest.raises(Refused, match=rf"if the one that made entry 2 ran ahead: `inv ticket.mend-clock {ticket.id}`"):
        act(ratna, ticket.id, Verb.APPROVE, person="ratna", seen_plan=None)
    with pytest.raises(Refused, match="does not hold"):
        mend_clock(walk.app.desk("siti", key=walk.keys["siti"]), ticket.id, person="siti", note="jam maju")
    with pytest.raises(BadInput, match="--note"):
        mend_clock(ratna, ticket.id, person="ratna", note=" ")
    mended = mend_clock(ratna, ticket.id, person="ratna", note="jam server maju satu jam")
    assert mended.step == "penitipan.3"
    assert mended.since <= ratna.clock.now()
    act(ratna, ticket.id, Verb.APPROVE, person="ratna", seen_plan=None)
    with walk.app.store.read() as reader:
        verdict = verify_ticket(walk.app, reader, ticket.id)
        assert (verdict.findings, verdict.mended) == ((), (f"{ticket.id} entry 3",))
        with tarfile.open(fileobj=BytesIO(export_ticket(walk.app, reader, ticket.id))) as archive:
            script = archive.extractfile(f"{ticket.id}/periksa.sh")
            assert script is not None
            assert "jam" in script.read().decode()
    with pytest.raises(Refused, match="bears a time that is wrong"):
        mend_clock(at("bambang"), ticket.id, person="bambang", note="sekali lagi")


def test_a_ticket_that_bears_an_older_entry_already_is_mended_too(
    walk: Walk, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = walk.open(drop_off(), person="siti")
    with monkeypatch.context() as quiet:
        quiet.setattr("sopauto.tickets.timing.refuse_wrong", lambda *_: None)
        act(at("hadi", minutes=-5), ticket.id, Verb.APPROVE, person="hadi", seen_plan=None)
    with walk.app.store.read() as reader:
        assert "is older than the entry before it" in verify_all(walk.app, reader).findings[0]
    mend_clock(walk.app.desk("ratna", key=walk.keys["ratna"]), ticket.id, person="ratna", note="jam mundur")
    with walk.app.store.read() as reader:
        verdict = verify_all(walk.app, reader)
        assert (verdict.findings, verdict.mended) == ((), (f"{ticket.id} entry 3",))
    act(walk.app.desk("ratna", key=walk.keys["ratna"]), ticket.id, Verb.APPROVE, person="ratna", seen_plan=None)


def test_what_a_machine_did_is_recorded_whatever_the_clock_did(walk: Walk, at: At) -> None:
    ticket = walk.open(drop_off(), person="siti")
    right = walk.app.clock.now()
    for off in (-3600, -30, 3600):
        desk = at("hadi", seconds=off)
        with desk.store.read() as reader:
            when, told = moment_after_work(desk, reader, ticket, Steady.begin(walk.app.clock))
        assert abs(when - right) < timedelta(seconds=20)
        assert when >= ticket.opened_at
        assert ("the clock of this machine said" in told) is (when != desk.clock.now())
    with walk.app.store.read() as reader:
        back = at("hadi", minutes=-9)
        when, told = moment_after_work(back, reader, ticket, None)  # another process finds out what became of it
        assert when == ticket.opened_at
        assert "the clock of this machine said" in told
        assert read_body(reader.entries(ticket.id)[0].body)["at"] == when.isoformat()
