"""Who is written to about an overdue row, when, and how often: office hours, rounds, superiors, gaps in the people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import cast

import pytest

from sopauto.clock import OfficeHours
from sopauto.errors import BadInput, Conflict
from sopauto.people import Holding, People, Person, Position
from sopauto.procedures.library import Library
from sopauto.procedures.model import Procedure
from sopauto.tickets.model import Letter, State, Ticket, Verb
from sopauto.tickets.reminding import Addressee, Late, Notice, Reminding, remind
from sopauto.tickets.storage import Kind, Mail, Reminder, Store
from tests.unit.documents import occasions

SOP = """\
kode: uji-waktu
awalan: UW
kepala: {instansi: Contoh, nama: Uji waktu}
pelaksana:
  - {id: unit-kerja-pemohon, nama: Unit Kerja, pemohon: true}
  - {id: technical-support, nama: Technical Support}
  - {id: kasi-layanan-infrastruktur, nama: Kasi}
surat:
  - {nama: perihal, label: Perihal}
tabel:
  - id: uji
    judul: Uji
    baris:
      - {no: 1, kegiatan: Meminta, pelaksana: unit-kerja-pemohon, waktu: "-", lanjut: 2}
      - {no: 2, kegiatan: Mengerjakan, pelaksana: WORKER, waktu: LIMIT, lanjut: 3}
      - {no: 3, kegiatan: Memeriksa, pelaksana: kasi-layanan-infrastruktur, jenis: keputusan, waktu: 1 jam,
         ya: 4, tidak: 2}
      - {no: 4, kegiatan: Mengambil, pelaksana: unit-kerja-pemohon, waktu: 1 jam, lanjut: selesai}
"""
ZONE = occasions.ZONE
HOURS = OfficeHours(
    zone=ZONE,
    week={
        **dict.fromkeys(range(4), ((time(7, 30), time(12)), (time(13), time(16)))),
        4: ((time(7, 30), time(11, 30)), (time(13), time(16, 30))),
    },
    extra_holidays=frozenset({date(2026, 11, 25)}),  # a Wednesday
)
JOKO, BAMBANG, SITI = "joko@kominfo.example.go.id", "bambang@kominfo.example.go.id", "siti@dinkes.example.go.id"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of November 2026; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


BEGUN = at(23, 8, 30)


@dataclass
class Shelf:
    """The store, as far as reminding looks at it."""

    tickets: dict[str, tuple[Ticket, datetime | None]] = field(default_factory=dict)
    kept: list[Reminder] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)

    @contextmanager
    def read(self) -> Iterator[Shelf]:
        yield self

    write = read

    @property
    def reminders(self) -> Shelf:
        return self

    def ticket(self, ticket_id: str) -> Ticket:
        return self.tickets[ticket_id][0]

    def overdue(self, now: datetime) -> list[tuple[Ticket, datetime]]:
        return [(ticket, due) for ticket, due in self.tickets.values() if due and due < now]

    def of(self, ticket: Ticket) -> list[Reminder]:
        present = (ticket.id, ticket.step, ticket.rounds[ticket.step])
        return [kept for kept in self.kept if (kept.ticket, kept.step, kept.round) == present]

    def add(self, reminder: Reminder) -> None:
        self.kept.append(reminder)

    def post(self, mails: list[Mail], _: datetime) -> None:
        self.mails += mails


@dataclass
class Letters:
    """A writer whose letters say their kind."""

    broken: str = ""

    def compose(self, kind: Kind, late: Late, to: Addressee) -> Mail:
        if late.ticket.id == self.broken:
            raise BadInput("the template does not work")
        return Mail(ticket=late.ticket.id, to=to.person.email, subject=kind.value, body="")


@dataclass
class Office:
    """An office whose clock is set by hand."""

    shelf: Shelf = field(default_factory=Shelf)
    letters: Letters = field(default_factory=Letters)
    limit: str = "1 jam"
    worker: str = "technical-support"
    escalate_after: int = 1
    moment: datetime = BEGUN
    people: People = field(default_factory=lambda: with_superiors(occasions.people()))
    trails: dict[str, occasions.Trail] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.moment

    @property
    def procedure(self) -> Procedure:
        text = SOP.replace("LIMIT", self.limit).replace("WORKER", self.worker)
        return Library(()).parse(text.encode(), "uji.yaml")

    def open(self, ticket: str = "UW-2026-0001") -> None:
        letter = Letter(procedure="uji-waktu", unit="dinkes", applicant="siti", fields={"perihal": "Uji"})
        self.trails[ticket] = occasions.begin(letter, ticket=ticket, procedure=self.procedure)
        self.enter(ticket, self.moment)

    def act(self, verb: Verb, when: datetime, ticket: str = "UW-2026-0001") -> None:
        self.trails[ticket].act(verb)
        self.enter(ticket, when)

    def enter(self, ticket: str, when: datetime) -> None:
        """Let the ticket's present row have begun at a moment."""
        trail = self.trails[ticket]
        trail.ticket = trail.ticket.with_changes(since=when)
        limit = trail.procedure.step(trail.ticket.step).time_limit
        due = HOURS.deadline(when, limit.office_time, limit.office_days)
        self.shelf.tickets[ticket] = (trail.ticket, due if trail.ticket.state is State.OPEN else None)

    def remind(self, now: datetime) -> list[Notice]:
        self.moment = now
        return remind(
            Reminding(
                store=cast(Store, self.shelf),
                people=self.people,
                clock=self,
                hours=HOURS,
                letters=self.letters,
                procedure_of=lambda ticket, _: self.trails[ticket.id].procedure,
                escalate_after=self.escalate_after,
            )
        )

    def written(self, now: datetime) -> list[tuple[str, str]]:
        """Return kind and addressee of the letters that are queued at a moment."""
        before = len(self.shelf.mails)
        self.remind(now)
        return [(mail.subject, mail.to) for mail in self.shelf.mails[before:]]


def with_superiors(people: People) -> People:
    """Let the Kasi stand above Technical Support, and nobody above the Kasi."""
    below = replace(people.positions["technical-support"], superior="kasi-layanan-infrastruktur")
    return replace(people, positions={**people.positions, below.id: below})


def without_holder(people: People, *positions: str) -> People:
    return replace(people, holdings=tuple(held for held in people.holdings if held.position not in positions))


@pytest.fixture
def office() -> Office:
    made = Office()
    made.open()
    return made


def test_nobody_is_written_to_in_time(office: Office) -> None:
    assert office.remind(at(23, 9, 30)) == []
    assert office.shelf.mails == []


def test_whom_everybody_waits_for_is_reminded_once(office: Office) -> None:
    assert office.written(at(23, 9, 31)) == [("reminder", JOKO)]
    assert office.written(at(23, 9, 32)) == []
    (again,) = office.remind(at(23, 9, 33))
    assert again.queued is None
    assert again.sent[Kind.REMINDER].queued_at == at(23, 9, 31)
    assert again.sent[Kind.REMINDER].to == "Joko Santoso (Technical Support)"


def test_a_day_off_and_the_night_do_not_count(office: Office) -> None:
    office.enter("UW-2026-0001", at(24, 15, 30))
    assert office.written(at(25, 12)) == []
    assert office.written(at(26, 8, 0)) == []
    assert office.written(at(26, 8, 1)) == [("reminder", JOKO)]


def test_a_reminder_is_left_an_office_day_over_the_weekend_before_the_superior_is_told_once(office: Office) -> None:
    office.enter("UW-2026-0001", at(27, 8))
    assert office.written(at(27, 9, 1)) == [("reminder", JOKO)]
    for in_time in (at(27, 16), at(28, 12), at(30, 15, 59), at(30, 16)):
        assert office.written(in_time) == []
    assert office.written(at(30, 16, 1)) == [("escalation", BAMBANG)]
    assert office.written(at(30, 16, 2)) == []


@pytest.mark.parametrize(
    ("limit", "days", "not_yet", "then"),
    [
        ("1 jam", 0, at(23, 10, 31), at(23, 10, 32)),  # the row's own limit again
        ("1 jam", 1, at(24, 16), at(24, 16, 1)),  # at least an office day
        ("2 hari", 1, at(30, 16), at(30, 16, 1)),  # a longer limit is given again: Friday and Monday
    ],
)
def test_the_superior_is_told_one_further_limit_after_the_reminder(
    limit: str, days: int, not_yet: datetime, then: datetime
) -> None:
    office = Office(limit=limit, escalate_after=days)
    office.open()
    reminded = at(26, 16, 1) if "hari" in limit else at(23, 9, 31)
    assert office.written(reminded) == [("reminder", JOKO)]
    assert office.written(not_yet) == []
    assert office.written(then) == [("escalation", BAMBANG)]


def test_a_timer_that_stood_still_reminds_before_it_escalates(office: Office) -> None:
    assert office.written(at(30, 9)) == [("reminder", JOKO)]
    assert office.written(at(30, 9, 15)) == []


def test_a_row_that_is_entered_anew_is_reminded_of_and_escalated_anew(office: Office) -> None:
    assert office.written(at(23, 9, 31)) == [("reminder", JOKO)]
    office.act(Verb.DONE, at(23, 10))
    assert office.written(at(23, 10, 30)) == []
    office.act(Verb.REJECT, at(23, 11))
    assert office.trails["UW-2026-0001"].ticket.rounds["uji.2"] == 2
    assert office.written(at(23, 13, 1)) == [("reminder", JOKO)]
    assert office.written(at(24, 16, 1)) == [("escalation", BAMBANG)]
    assert [(kept.round, kept.kind.value) for kept in office.shelf.kept] == [
        (1, "reminder"),
        (2, "reminder"),
        (2, "escalation"),
    ]


def test_without_a_superior_that_is_told_and_nothing_fails(office: Office) -> None:
    office.act(Verb.DONE, at(23, 9))
    assert office.written(at(23, 10, 1)) == [("reminder", BAMBANG)]
    assert office.remind(at(24, 16))[0].lacks == ()
    (notice,) = office.remind(at(24, 16, 1))
    assert notice.lacks == ("Kasi Layanan Infrastruktur TIK has no superior",)
    assert (notice.queued, notice.fault) == (None, "")


def test_where_nobody_holds_the_position_that_is_told_and_the_superior_is_in_time(office: Office) -> None:
    office.people = without_holder(office.people, "technical-support")
    (notice,) = office.remind(at(23, 9, 31))
    assert (notice.queued, notice.lacks) == (None, ("nobody holds Technical Support",))
    assert office.written(at(24, 16, 1)) == [("escalation", BAMBANG)]
    office.people = with_superiors(occasions.people())
    assert office.written(at(26, 8)) == [("reminder", JOKO)]
    assert office.written(at(30, 16)) == []


def test_where_nobody_holds_the_superior_position_that_is_told(office: Office) -> None:
    office.remind(at(23, 9, 31))
    office.people = without_holder(office.people, "kasi-layanan-infrastruktur")
    (notice,) = office.remind(at(24, 16, 1))
    assert notice.lacks == ("nobody holds Kasi Layanan Infrastruktur TIK",)
    assert [kept.kind for kept in office.shelf.kept] == [Kind.REMINDER]


def test_an_address_that_is_none_is_told_and_the_others_are_written_to(office: Office) -> None:
    joko = replace(office.people.person("joko"), email="-")
    dewi = Person(id="dewi", name="Dewi", nip="1", email="dewi@kominfo.example.go.id")
    held = Holding(person="dewi", position="technical-support", unit="kominfo", since=occasions.SINCE)
    office.people = replace(
        office.people,
        persons={**office.people.persons, "joko": joko, "dewi": dewi},
        holdings=(*office.people.holdings, held),
    )
    (notice,) = office.remind(at(23, 9, 31))
    assert [addressee.person.id for addressee in notice.to] == ["dewi"]
    assert notice.lacks == ("joko has no e-mail address",)


def test_who_holds_two_positions_gets_one_letter() -> None:
    office = Office(worker="[technical-support, kasi-layanan-infrastruktur]")
    held = Holding(person="joko", position="kasi-layanan-infrastruktur", unit="kominfo", since=occasions.SINCE)
    office.people = replace(office.people, holdings=(*office.people.holdings, held))
    office.open()
    assert office.written(at(23, 9, 31)) == [("reminder", JOKO), ("reminder", BAMBANG)]


def test_a_superior_who_has_no_row_in_the_sop_is_told(office: Office) -> None:
    above = replace(office.people.position("kasi-layanan-infrastruktur"), superior="kabid-infrastruktur")
    office.people = replace(office.people, positions={**office.people.positions, above.id: above})
    office.act(Verb.DONE, at(23, 9))
    assert office.written(at(23, 10, 1)) == [("reminder", BAMBANG)]
    assert office.written(at(24, 16, 1)) == [("escalation", "ratna@kominfo.example.go.id")]


def test_heads_of_other_units_are_not_told(office: Office) -> None:
    head = Position(id="kepala-opd", title="Kepala OPD")
    applicant = replace(office.people.position("unit-kerja-pemohon"), superior=head.id)
    people = office.people
    heads = [
        Person(id=f"kepala-{unit}", name=unit, nip="1", email=f"kepala@{unit}.example.go.id")
        for unit in ("dinkes", "bappeda")
    ]
    office.people = replace(
        people,
        persons={**people.persons, **{person.id: person for person in heads}},
        positions={**people.positions, head.id: head, applicant.id: applicant},
        holdings=(
            *people.holdings,
            *(Holding(person=p.id, position=head.id, unit=p.name, since=occasions.SINCE) for p in heads),
        ),
    )
    office.act(Verb.DONE, at(23, 9))
    office.act(Verb.APPROVE, at(23, 9))
    assert office.written(at(23, 10, 1)) == [("reminder", SITI)]
    assert office.written(at(24, 16, 1)) == [("escalation", "kepala@dinkes.example.go.id")]


def test_what_is_wrong_with_one_ticket_does_not_keep_the_others_waiting(office: Office) -> None:
    office.moment = BEGUN
    office.open("UW-2026-0002")
    office.letters.broken = "UW-2026-0001"
    first, second = office.remind(at(23, 9, 31))
    assert (first.fault, first.queued) == ("the template does not work", None)
    assert second.queued is not None
    assert [(mail.ticket, mail.to) for mail in office.shelf.mails] == [("UW-2026-0002", JOKO)]
    assert [kept.ticket for kept in office.shelf.kept] == ["UW-2026-0002"]


def test_an_unknown_position_is_a_fault_of_its_own_ticket(office: Office) -> None:
    positions = {name: kept for name, kept in office.people.positions.items() if name != "technical-support"}
    office.people = replace(office.people, positions=positions)
    (notice,) = office.remind(at(23, 9, 31))
    assert "unknown position 'technical-support'" in notice.fault


def test_who_acts_while_the_letter_is_written_is_not_reminded(office: Office) -> None:
    class Slow(Letters):
        def compose(self, kind: Kind, late: Late, to: Addressee) -> Mail:
            done = late.ticket.with_changes(head="f" * 64)
            office.shelf.tickets[done.id] = (done, late.due)
            return super().compose(kind, late, to)

    office.letters = Slow()
    (notice,) = office.remind(at(23, 9, 31))
    assert notice.lacks == ("somebody acted meanwhile; the next time looks again",)
    assert (office.shelf.kept, office.shelf.mails, notice.fault) == ([], [], "")


def test_a_letter_that_another_process_wrote_is_no_fault(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: object) -> None:
        raise Conflict("somebody else wrote the same meanwhile; nothing was written")

    monkeypatch.setattr(Shelf, "add", taken)
    (notice,) = office.remind(at(23, 9, 31))
    assert (notice.queued, notice.fault) == (None, "")
    assert "meanwhile" in notice.lacks[0]
