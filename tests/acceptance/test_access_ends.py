"""Reviews of access and its end: by review, by expiry, by leaving; with doors that are down. Doors equal the register.

Days pass by another clock in this process; what officials type is typed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lab.controller import Controller
from lab.entering import workspace_for
from lab.mailbox import Mailbox
from sopauto.access.ending import Ending, ending
from sopauto.access.letters import review_letter
from sopauto.access.model import State
from sopauto.access.register import BOOK
from sopauto.access.reminding import Reminded, remind_reviewers
from sopauto.access.review import due_reviewers
from sopauto.app import App
from sopauto.errors import Refused
from sopauto.mail.outbox import deliver
from tests.acceptance.test_access import Office


@dataclass(frozen=True, slots=True)
class At:
    """A clock that stands."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Controller() as door, Mailbox(directory=tmp_path / "mail") as mailbox:
        workspace = workspace_for(tmp_path / "kominfo", door=door, mailbox=mailbox)
        yield Office(workspace=workspace, door=door, mailbox=mailbox)


def days_later(office: Office, days: int) -> App:
    app = office.workspace.app()
    app.clock = At(app.clock.now() + timedelta(days=days))  # type: ignore[misc]
    return app


def ending_of(app: App) -> Ending:
    return ending(app.store, app.workspace)


def states(office: Office) -> dict[str, State]:
    with office.workspace.app().store.read() as reader:
        return {grant.card: grant.state for grant in reader.part(BOOK).in_states(State)}


def three(office: Office) -> None:
    """Give access to three people."""
    for number in range(3):
        office.granted(nama_pengakses=f"Orang {number}", nip_pengakses=f"19870312201001200{number}")


def passing(office: Office) -> str:
    """Give access that ends in ten days."""
    today = office.workspace.app().clock.now().date()
    office.granted(
        jenis_akses="sementara",
        berlaku_dari=today.isoformat(),
        berlaku_sampai=(today + timedelta(days=10)).isoformat(),
    )
    return "KA-000001"


def review(office: Office) -> str:
    office.inv("access.review", as_="wawan")
    return office.newest()


def remind(app: App) -> list[Reminded]:
    return remind_reviewers(ending_of(app), partial(review_letter, app.settings))


def test_a_review_is_answered_signed_and_its_withdrawals_reach_the_doors(office: Office) -> None:
    three(office)
    ticket = review(office)
    assert "no review is due" in office.inv("access.review", as_="wawan").stdout
    assert len(json.loads(office.inv("access.lines", ticket, "--json").stdout)) == 3
    assert "3 lines are not answered yet" in office.inv("ticket.approve", ticket, as_="bambang", expect=3).stderr
    assert "does not hold" in office.inv("access.answer", ticket, "--confirm", "all", as_="ratna", expect=3).stderr
    office.inv("access.answer", ticket, "--withdraw", "KA-000002", as_="bambang")
    assert (
        "was answered" in office.inv("access.answer", ticket, "--confirm", "KA-000002", as_="bambang", expect=3).stderr
    )
    assert "not in this review" in office.inv("access.answer", ticket, "--confirm", "X", as_="bambang", expect=2).stderr
    office.inv("access.answer", ticket, "--confirm", "all", as_="bambang")
    office.inv("ticket.approve", ticket, as_="bambang")
    assert "1 lines are withdrawn" in office.inv("ticket.reject", ticket, as_="ratna", expect=3).stderr
    office.inv("ticket.approve", ticket, as_="ratna")
    office.inv("ticket.plan", ticket, as_="wawan")
    office.approve_plan(ticket, as_="ratna")
    office.door.__exit__()
    office.inv("access.revoke", ticket, as_="wawan", expect=1)
    assert states(office)["KA-000002"] is State.ACTIVE
    office.door.__enter__()
    office.inv("access.revoke", ticket, as_="wawan")
    office.doors_equal_the_register("KA-000001", "KA-000003")
    office.inv("ticket.done", ticket, as_="wawan")
    assert office.show(ticket)["state"] == "done"
    form = office.papers(ticket)["formulir-review-akses"]
    assert [row[6] for row in form["baris"]] == ["dipertahankan", "dicabut", "dipertahankan"]
    assert {row[7] for row in form["baris"]} == {"Bambang Sutrisno"}
    office.inv("ticket.verify", "all")


def test_a_review_without_withdrawals_touches_no_door(office: Office) -> None:
    three(office)
    ticket = review(office)
    office.inv("access.answer", ticket, "--confirm", "all", as_="bambang")
    office.inv("ticket.approve", ticket, as_="bambang")
    assert "no line is withdrawn" in office.inv("ticket.approve", ticket, as_="ratna", expect=3).stderr
    before = list(office.door.requests)
    office.inv("ticket.reject", ticket, as_="ratna")
    office.inv("ticket.done", ticket, as_="wawan")
    assert office.show(ticket)["state"] == "done"
    assert office.door.requests == before
    app = office.workspace.app()
    today = app.clock.now().date()
    with app.store.read() as reader:
        assert due_reviewers(reader, app.settings.access, today) == []
        assert due_reviewers(reader, app.settings.access, today + timedelta(days=93)) == ["kasi-layanan-infrastruktur"]


def test_a_silent_kasi_is_reminded_once_and_then_access_is_suspended(office: Office) -> None:
    three(office)
    ticket = review(office)
    office.inv("access.answer", ticket, "--confirm", "KA-000003", as_="bambang")
    assert [r.to for r in remind(days_later(office, 6))] == [()]
    assert [r.to for r in remind(days_later(office, 7))] == [("bambang",)]
    assert [r.to for r in remind(days_later(office, 8))] == [()]
    later = days_later(office, 8)
    deliver(later.outbox, later.transport, later.clock)
    [mail] = [m for m in office.mailbox.messages if ticket in str(m["Subject"])]
    assert "2 baris belum dijawab" in str(mail["Subject"])
    office.door.faults = ["busy"] * 2
    [late] = remind(days_later(office, 14))
    assert {removal.grant.state for removal in late.removals} == {State.SUSPENDING}
    [nothing_more] = [ending_of(days_later(office, 14)).run()]
    assert {removal.grant.state for removal in nothing_more} == {State.SUSPENDED}
    office.doors_equal_the_register("KA-000003")
    assert remind(days_later(office, 15)) == []
    assert (
        office.granted(nama_pengakses="Orang 0", nip_pengakses="198703122010012000").data["nomor_kartu"] == "KA-000004"
    )
    office.doors_equal_the_register("KA-000003", "KA-000004")
    assert states(office)["KA-000001"] is State.ENDED


def test_access_that_expired_is_removed_once_and_at_will(office: Office) -> None:
    card = passing(office)
    assert ending_of(days_later(office, 10)).run() == []
    office.doors_equal_the_register(card)
    [removal] = ending_of(days_later(office, 11)).run()
    assert (removal.grant.state, removal.fault) == (State.ENDED, "")
    office.doors_equal_the_register()
    assert ending_of(days_later(office, 12)).run() == []
    assert "nothing is to be removed" in office.inv("access.expire").stdout


def test_a_door_that_is_down_is_shown_and_tried_again(office: Office) -> None:
    card = passing(office)
    office.door.__exit__()
    [removal] = ending_of(days_later(office, 11)).run()
    assert "door depan: does not answer" in removal.fault
    assert states(office) == {card: State.ENDING}
    told = office.inv("access.expire", expect=1)
    assert "1 cards may still open a door: door depan: does not answer" in told.stderr
    assert "masa berlaku berakhir" in told.stdout
    assert "1 cards may still open a door since" in office.inv("doctor", "--json", expect=1).stdout
    [row] = json.loads(office.inv("access.register", "--json").stdout)
    assert (row["Kartu"], row["Pintu ditutup"]) == (card, "")
    office.door.__enter__()
    office.door.faults = ["lost"]
    office.inv("access.expire")
    office.doors_equal_the_register()
    assert states(office) == {card: State.ENDED}


def ended_position(people: dict[str, Any], siti: dict[str, Any]) -> None:
    siti["memegang"][0]["sampai"] = "2026-11-20"


def ended_with_grouped_nip(people: dict[str, Any], siti: dict[str, Any]) -> None:
    ended_position(people, siti)
    siti["nip"] = f"NIP {siti['nip'][:8]} {siti['nip'][8:14]} {siti['nip'][14:]}"


def taken_out(people: dict[str, Any], siti: dict[str, Any]) -> None:
    people["orang"].remove(siti)


def change(office: Office, how: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Change the people file around siti."""
    path = office.home / "people.yaml"
    people: dict[str, Any] = json.loads(path.read_text())
    how(people, next(person for person in people["orang"] if person["id"] == "siti"))
    path.write_text(json.dumps(people))


@pytest.mark.parametrize("how", [ended_position, ended_with_grouped_nip, taken_out])
def test_who_leaves_loses_access(office: Office, how: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    office.granted()
    assert ending_of(office.workspace.app()).run() == []
    change(office, how)
    told = office.inv("access.expire").stdout
    assert "pemegang tidak lagi menjabat" in told
    office.doors_equal_the_register()


def test_who_gets_another_id_keeps_access(office: Office) -> None:
    office.granted()
    change(office, lambda _, siti: siti.update(id="siti-r"))
    assert ending_of(office.workspace.app()).run() == []


def test_two_timers_at_once_end_it_once(office: Office) -> None:
    passing(office)
    first, second = ending_of(days_later(office, 11)), ending_of(days_later(office, 11))
    found = [*first.run(), *second.run()]
    assert [removal.grant.state for removal in found] == [State.ENDED]
    with office.workspace.app().store.read() as reader:
        moment = office.workspace.app().clock.now()
        [held] = reader.part(BOOK).held(moment - timedelta(days=1), moment + timedelta(days=1), moment.date())
        assert held.span.closed_by == "aturan"


def ended(office: Office) -> str:
    """Give access that ended, and every door forgot it."""
    card = passing(office)
    ending_of(days_later(office, 11)).run()
    assert states(office) == {card: State.ENDED}
    return card


def test_a_share_that_is_not_mounted_ends_no_access(office: Office) -> None:
    card = passing(office)
    share = office.home / "pintu"
    share.rename(office.home / "elsewhere")
    [removal] = ending_of(days_later(office, 11)).run()
    assert "is not there" in removal.fault
    assert states(office) == {card: State.ENDING}
    assert "is not there" in office.inv("access.expire", expect=1).stdout
    assert "1 doors could not tell (belakang)" in office.inv("access.doors", expect=1).stderr
    assert "was in use" not in office.inv("access.make-door", "belakang").stdout
    (share / "belakang.csv").unlink()
    for name in share.iterdir():
        name.unlink()
    share.rmdir()
    (office.home / "elsewhere").rename(share)
    office.inv("access.expire")
    assert states(office) == {card: State.ENDED}
    office.doors_equal_the_register()


@pytest.mark.parametrize(("media_type", "body"), [("text/html", b"<h1>404</h1>"), ("application/json", b"{}")])
def test_a_404_that_is_not_the_doors_own_word_ends_no_access(office: Office, media_type: str, body: bytes) -> None:
    card = passing(office)
    office.door.answer, office.door.status, office.door.media_type = body, 404, media_type
    [removal] = ending_of(days_later(office, 11)).run()
    assert "answered HTTP 404" in removal.fault
    assert states(office) == {card: State.ENDING}


def test_what_is_over_and_still_known_at_a_door_is_ended_again(office: Office) -> None:
    card = passing(office)
    file = office.home / "pintu" / "belakang.csv"
    old = file.read_text()
    ending_of(days_later(office, 11)).run()
    file.write_text(old)
    told = office.inv("access.doors", expect=1)
    assert "ended, and the door still knows it" in told.stdout
    assert "`inv access.expire` ends 1 cards again" in told.stderr
    assert states(office) == {card: State.ENDING}
    assert card in office.inv("access.register").stdout
    assert "pintu belakang masih mengenal kartu" in office.inv("access.expire").stdout
    assert states(office) == {card: State.ENDED}
    office.doors_equal_the_register()
    assert "the doors know what the register says" in office.inv("access.doors").stdout


def test_a_review_first_holds_the_doors_against_the_register(office: Office) -> None:
    card = ended(office)
    office.door.cards[card] = {
        "card": card,
        "zones": ["ruang-server"],
        "valid_from": "2026-11-20",
        "valid_until": None,
    }
    told = office.inv("access.review", as_="wawan").stdout
    assert f"door depan, card {card}: ended, and the door still knows it" in told
    assert states(office) == {card: State.ENDING}


def test_a_review_is_cancelled_by_the_operator_and_is_due_again(office: Office) -> None:
    three(office)
    ticket = review(office)
    assert "does not hold" in office.inv("ticket.cancel", ticket, as_="ratna", expect=3).stderr
    office.inv("ticket.cancel", ticket, as_="wawan")
    assert office.show(ticket)["state"] == "cancelled"
    assert review(office) != ticket
    office.inv("ticket.verify", "all")


def test_a_clock_that_is_behind_does_not_say_that_nothing_is_due(office: Office) -> None:
    passing(office)
    with pytest.raises(Refused, match="the clock of this machine says"):
        ending_of(days_later(office, -1)).run()
