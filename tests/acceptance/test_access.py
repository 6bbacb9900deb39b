"""SOP 004 by its real commands against a real HTTP controller and a vendor's file: rows, branches, faults, bad input.

After each, what the doors know is held against what the register says.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lab.controller import Controller
from lab.entering import removal, request, walk_of, workspace_for
from lab.mailbox import Mailbox
from lab.walking import Walk
from sopauto.access.model import State as Standing
from sopauto.access.register import BOOK
from sopauto.errors import BadInput, OutcomeUnknown, Refused, StepFailed
from sopauto.tickets.acting import act
from sopauto.tickets.model import State, Ticket, Verb
from sopauto.tickets.running import make_plan, run
from tests.acceptance.commands import ROOT, Commands


@dataclass(slots=True, kw_only=True)
class Office(Commands):
    """Everything that SOP 004 needs."""

    door: Controller
    mailbox: Mailbox

    def walk(self, **further: Any) -> Walk:
        return walk_of(self.workspace, **further)

    def granted(self, **letter: object) -> Ticket:
        walk = self.walk()
        ticket = walk.to_the_end(walk.open(request(**letter), person="siti"))
        assert ticket.state is State.DONE
        return ticket

    def at_row_7(self, **letter: object) -> Ticket:
        """Return a ticket whose plan for the doors is approved."""
        walk = self.walk()
        ticket = walk.until(walk.open(request(**letter), person="siti"), "akses.7")
        _, record = make_plan(self.desk("wawan"), ticket.id, person="wawan")
        shown = record.plan.digest
        return act(self.desk("ratna"), ticket.id, Verb.APPROVE, person="ratna", seen_plan=shown)

    def desk(self, person: str) -> Any:
        return self.workspace.app().desk(person, key=self.keys[person])

    def newest(self) -> str:
        """Return the id of the ticket that was opened last."""
        return str(json.loads(self.inv("ticket.list", "--limit", "1", "--json").stdout)[0]["ticket"])

    def papers(self, ticket: str) -> dict[str, Any]:
        """Return the last form of each name, read as JSON; each has its PDF beside it."""
        with self.workspace.app().store.read() as reader:
            bodies = [json.loads(entry.body) for entry in reader.entries(ticket)]
            kept = {d["name"]: reader.document(d["sha256"]) for body in bodies for d in body["documents"]}
        names = [name.removesuffix(".pdf") for name in kept if name.endswith(".pdf")]
        assert all(kept[f"{name}.pdf"].startswith(b"%PDF") for name in names)
        return {name: json.loads(kept[f"{name}.json"]) for name in names}

    def of_doors(self) -> dict[str, set[str]]:
        """Return the cards that each door knows."""
        file = self.home / "pintu" / "belakang.csv"
        back = {row["card"] for row in csv.DictReader(file.open())} if file.exists() else set()
        return {"depan": set(self.door.cards), "belakang": back}

    def doors_equal_the_register(self, *cards: str) -> None:
        with self.workspace.app().store.read() as reader:
            standing = {grant.card for grant in reader.part(BOOK).in_states([Standing.ACTIVE])}
        assert standing == set(cards)
        assert self.of_doors() == {"depan": standing, "belakang": standing}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Controller() as door, Mailbox(directory=tmp_path / "mail") as mailbox:
        workspace = workspace_for(tmp_path / "kominfo", door=door, mailbox=mailbox)
        yield Office(workspace=workspace, door=door, mailbox=mailbox)


@pytest.mark.real_start("SOP 004, whole")
def test_from_the_form_to_the_card_and_back_again(office: Office) -> None:
    ticket = office.granted()
    assert ticket.data["nomor_kartu"] == "KA-000001"
    papers = office.papers(ticket.id)
    assert {"formulir-permintaan-akses", "lembar-disposisi", "formulir-daftar-akses"} <= set(papers)
    assert "198703122010012004" in json.dumps(papers["formulir-permintaan-akses"])
    assert "198703122010012004" not in json.dumps(papers["formulir-daftar-akses"])
    assert ["Nomor kartu", "KA-000001"] in papers["formulir-daftar-akses"]["bagian"][0]["isian"]
    assert office.door.cards["KA-000001"] == {
        "card": "KA-000001",
        "zones": ["ruang-server", "ruang-ups"],
        "valid_from": "2026-11-20",
        "valid_until": None,
    }
    office.doors_equal_the_register("KA-000001")
    walk = office.walk()
    gone = walk.to_the_end(walk.open(removal("KA-000001"), person="siti"))
    assert gone.state is State.DONE
    assert {"formulir-penghapusan-akses", "formulir-daftar-akses"} <= set(office.papers(gone.id))
    office.inv("mail.send")
    subjects = " ".join(str(mail["Subject"]) for mail in office.mailbox.messages)
    assert "kartu KA-000001 dapat diambil" in subjects
    assert "kartu KA-000001 sudah dihapus" in subjects
    office.doors_equal_the_register()
    assert office.of_doors() == {"depan": set(), "belakang": set()}
    office.inv("ticket.verify", "all")


def test_a_refusal_at_row_5_tells_the_applicant_and_touches_no_door(office: Office) -> None:
    walk = office.walk(answers={"akses.5": (False,)}, notes={"akses.5 reject": "Keperluan belum jelas"})
    ticket = walk.to_the_end(walk.open(request(), person="siti"))
    assert ticket.state is State.REJECTED
    office.inv("mail.send")
    [mail] = office.mailbox.messages
    assert "Keperluan belum jelas" in mail.get_content()
    assert "ditolak" in json.dumps(office.papers(ticket.id)["formulir-permintaan-akses"])
    assert office.door.requests == []
    office.doors_equal_the_register()


def test_the_commands_refuse_what_is_not_approved(office: Office) -> None:
    walk = office.walk()
    ticket = walk.until(walk.open(request(), person="siti"), "akses.7")
    assert "has no plan" in office.inv("access.grant", ticket.id, as_="wawan", expect=3).stderr
    told = office.inv("ticket.plan", ticket.id, as_="wawan").stdout
    assert "depan: let card KA-000001 into ruang-server, ruang-ups from 2026-11-20 without end" in told
    assert "belakang: let card KA-000001 into ruang-ups" in told
    assert "not approved" in office.inv("access.grant", ticket.id, as_="wawan", expect=3).stderr
    office.approve_plan(ticket.id, as_="ratna")
    assert "does not hold" in office.inv("access.grant", ticket.id, as_="ratna", expect=3).stderr
    settings = office.home / "sopauto.toml"
    settings.write_text(settings.read_text().replace('["ruang-server", "ruang-ups"]', '["ruang-server"]'))
    assert "changed since the plan was approved" in office.inv("access.grant", ticket.id, as_="wawan", expect=3).stderr
    assert office.of_doors() == {"depan": set(), "belakang": set()}


def test_a_controller_that_is_down_leaves_nothing_behind_and_the_next_run_goes_on(office: Office) -> None:
    ticket = office.at_row_7()
    office.door.__exit__()
    assert "does not answer" in office.inv("access.grant", ticket.id, as_="wawan", expect=1).stderr
    office.doors_equal_the_register()
    office.door.__enter__()
    office.inv("access.grant", ticket.id, as_="wawan")
    office.doors_equal_the_register("KA-000001")


def test_an_answer_lost_after_the_grant_is_no_second_card_and_no_unknown(office: Office) -> None:
    ticket = office.at_row_7()
    office.door.faults = ["", "lost"]
    office.inv("access.grant", ticket.id, as_="wawan")
    assert office.door.requests.count("PUT KA-000001") == 2
    office.doors_equal_the_register("KA-000001")


def test_a_door_that_fails_in_the_middle_takes_the_other_one_back(office: Office) -> None:
    ticket = office.at_row_7()
    # Reading both; the back door has the card by then; the front one refuses to keep it.
    office.door.faults = ["", "busy", "busy"]
    with pytest.raises(StepFailed, match="HTTP 503"):
        run(office.desk("wawan"), ticket.id, person="wawan")
    office.doors_equal_the_register()
    run(office.desk("wawan"), ticket.id, person="wawan")
    office.doors_equal_the_register("KA-000001")


def test_a_card_left_at_a_door_that_went_down_is_called_unknown(office: Office) -> None:
    ticket = office.at_row_7()
    office.door.faults = ["", "lost", "lost", *["busy"] * 9]
    with pytest.raises(OutcomeUnknown, match="the way back did not hold"):
        run(office.desk("wawan"), ticket.id, person="wawan")
    office.door.faults = []
    office.inv("ticket.settle", ticket.id, "--undo", "--note", "pintu hidup lagi", as_="wawan")
    office.doors_equal_the_register()
    office.inv("access.grant", ticket.id, as_="wawan")
    office.doors_equal_the_register("KA-000001")


def test_two_requests_of_one_person_at_once_give_one_card(office: Office) -> None:
    walk = office.walk()
    first = walk.until(walk.open(request(), person="siti"), "akses.6")
    second = walk.until(walk.open(request(nomor_surat="045/302/406.010/2026"), person="siti"), "akses.6")
    act(office.desk("ratna"), first.id, Verb.APPROVE, person="ratna", seen_plan=None)
    with pytest.raises(BadInput, match=f"has access by {first.id} without end"):
        act(office.desk("ratna"), second.id, Verb.APPROVE, person="ratna", seen_plan=None)
    with pytest.raises(BadInput, match="has access by"):
        walk.open(request(), person="siti")


def test_two_operators_at_once_make_one_grant(office: Office) -> None:
    ticket = office.at_row_7()
    running = [
        subprocess.Popen(
            office.command("access.grant", ticket.id, as_="wawan"),
            cwd=ROOT,
            env=office.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [process.communicate()[1] for process in running]
    codes = sorted(process.returncode for process in running)
    assert codes[0] == 0, told
    assert codes[1] in {1, 3}, told
    assert not any("Traceback" in text for text in told)
    office.doors_equal_the_register("KA-000001")
    office.inv("ticket.verify", ticket.id)


def test_a_card_is_removed_also_where_its_zone_is_guarded_no_more(office: Office) -> None:
    office.granted()
    settings = office.home / "sopauto.toml"
    text = settings.read_text()
    settings.write_text(text.replace('zones = ["ruang-server", "ruang-ups"]', 'zones = ["ruang-ups"]'))
    walk = office.walk()
    walk.to_the_end(walk.open(removal("KA-000001"), person="siti"))
    office.doors_equal_the_register()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"berlaku_sampai": "2026-01-31", "berlaku_dari": "2026-01-01", "jenis_akses": "sementara"}, "ended on"),
        ({"zona": "brankas"}, "there is no zone 'brankas'"),
        ({"nip_pengakses": "12345"}, "neither a NIP nor a NIK"),
        ({"nama_pengakses": "Siti\x1b[31m"}, "holds the control character"),
        ({"jenis_akses": "selamanya"}, "none of the choices"),
        ({"jenis_akses": "kunjungan", "berlaku_sampai": "2026-11-21"}, "needs an escort"),
    ],
)
def test_bad_requests_are_refused_and_nothing_is_written(office: Office, changes: dict[str, Any], told: str) -> None:
    letter = request(**changes)
    file = office.home / "surat.json"
    surat = {"sop": letter.procedure, "opd": letter.unit, "pemohon": "siti", "surat": letter.fields}
    file.write_text(json.dumps(surat))
    assert told in office.inv("ticket.open", str(file), as_="siti", expect=2).stderr
    assert json.loads(office.inv("ticket.list", "--json").stdout) == []


def test_a_cancelled_request_gives_its_number_to_nobody(office: Office) -> None:
    walk = office.walk()
    ticket = walk.until(walk.open(request(), person="siti"), "akses.7")
    act(office.desk("siti"), ticket.id, Verb.CANCEL, person="siti", seen_plan=None)
    assert office.granted().data["nomor_kartu"] == "KA-000002"


def test_a_card_that_the_register_does_not_know_cannot_be_removed(office: Office) -> None:
    with pytest.raises(BadInput, match="has no access with card 'KA-000009'"):
        office.walk().open(removal("KA-000009"), person="siti")


def test_a_printed_card_is_checked_valid_until_it_is_removed(office: Office, tmp_path: Path) -> None:
    picture, pdf = tmp_path / "foto.jpg", tmp_path / "kartu.pdf"
    Image.effect_noise((600, 800), 60).convert("RGB").save(picture)
    ticket = office.granted()
    printing = ("access.card", ticket.id, "--photo", str(picture), "--out", str(pdf))
    assert "make one with `inv access.make-key`" in office.inv(*printing, expect=2).stderr
    office.inv("access.make-key")
    code = office.inv(*printing).stdout.split()[-1]
    assert pdf.read_bytes().startswith(b"%PDF")
    office.door.__exit__()
    assert "KA-000001: valid" in office.inv("access.check", code).stdout
    assert "forged" in office.inv("access.check", f"{code[:-6]}AAAAAA", expect=3).stderr
    assert "valid from" in office.inv("access.check", code, "--on", "2026-01-01", expect=3).stderr
    office.door.__enter__()
    walk = office.walk()
    walk.to_the_end(walk.open(removal("KA-000001"), person="siti"))
    assert "revoked" in office.inv("access.check", code, expect=3).stderr
    gone = str(tmp_path / "dicabut.txt")
    office.inv("access.revoked-list", "--out", gone)
    assert "revoked" in office.inv("access.check", code, "--list", gone, expect=3).stderr
    assert "is ended" in office.inv(*printing, expect=2).stderr


@pytest.mark.parametrize(("content", "told"), [(b"GIF89a", "no picture"), (None, "larger than 8 MiB")])
def test_a_photo_that_is_none_is_refused_and_no_card_is_written(
    office: Office, tmp_path: Path, content: bytes | None, told: str
) -> None:
    office.inv("access.make-key")
    ticket = office.granted()
    picture, pdf = tmp_path / "foto.jpg", tmp_path / "kartu.pdf"
    with picture.open("wb") as file:
        file.write(content) if content else file.truncate(200 * 1024 * 1024)
    printing = ("access.card", ticket.id, "--photo", str(picture), "--out", str(pdf))
    assert told in office.inv(*printing, expect=2).stderr
    assert not pdf.exists()


def test_the_register_tells_who_has_access_and_who_came_in_without(office: Office, tmp_path: Path) -> None:
    ticket = office.granted(nama_pengakses="=HYPERLINK(1) <b>")
    assert "the doors know what the register says" in office.inv("access.doors").stdout
    shown = office.inv("ticket.show", ticket.id).stdout + office.inv("ticket.show", ticket.id, "--json").stdout
    assert "**************2004" in shown
    assert "198703122010012004" not in shown
    told = office.inv("access.register").stdout
    assert "KA-000001" in told
    assert "**************2004" in told
    assert "198703122010012004" not in told
    [row] = json.loads(office.inv("access.register", "--json").stdout)
    assert (row["Disetujui oleh"], row["Tiket"]) == ("Ratna Dewi", ticket.id)
    assert json.loads(office.inv("access.register", "--on", "2026-01-01", "--json").stdout) == []
    files = [str(tmp_path / name) for name in ("d.csv", "d.xlsx", "d.pdf")]
    office.inv("access.register", "--csv", files[0], "--xlsx", files[1], "--pdf", files[2])
    assert ",'=HYPERLINK(1) <b>,**************2004," in Path(files[0]).read_text()
    assert Path(files[2]).read_bytes().startswith(b"%PDF")
    today = office.workspace.app().clock.now().date().isoformat()
    log = tmp_path / "log.csv"
    log.write_text(f"waktu,kartu,zona\n{today} 00:00:01,KA-000001,ruang-server\n{today} 00:00:02,KA-9,ruang-ups\n")
    assert "2 entries added" in office.inv("access.import-entries", str(log)).stdout
    assert "0 entries added, 2 known" in office.inv("access.import-entries", str(log)).stdout
    refused = office.inv("access.entries", "--without-right", "--json", expect=1)
    assert [row["card"] for row in json.loads(refused.stdout)] == ["KA-000001", "KA-9"]
    log.write_text(log.read_text() + "gestern,KA-1,ruang-ups\n")
    assert "log.csv:4" in office.inv("access.import-entries", str(log), expect=2).stderr
    assert "bad input: --on" in office.inv("access.register", "--on", "heute", expect=2).stderr


DIES = """\
import os, sys
from pathlib import Path
from sopauto.app import build
from sopauto.tickets.results import Results
from sopauto.tickets.running import run

Results.keep_and_write = lambda *_: os._exit(9)  # the doors know the card by then, and nothing is written
app = build(Path(sys.argv[1]))
run(app.desk("wawan", key=Path(sys.argv[2])), sys.argv[3], person="wawan")
"""


def test_a_run_that_dies_after_the_doors_took_the_card_is_found_done(office: Office) -> None:
    ticket = office.at_row_7()
    died = subprocess.run(
        [sys.executable, "-c", DIES, str(office.home), str(office.keys["wawan"]), ticket.id], cwd=ROOT, check=False
    )
    assert died.returncode == 9
    assert office.of_doors() == {"depan": {"KA-000001"}, "belakang": {"KA-000001"}}
    asked = len(office.door.requests)
    told = office.inv("access.grant", ticket.id, as_="wawan").stdout
    assert "had been carried out and saved; nothing was sent again" in told
    assert {request.split()[0] for request in office.door.requests[asked:]} == {"GET"}
    office.doors_equal_the_register("KA-000001")


def test_what_somebody_else_put_at_a_door_sends_the_plan_back(office: Office) -> None:
    ticket = office.at_row_7()
    office.door.cards["KA-000001"] = {
        "card": "KA-000001",
        "zones": ["ruang-server"],
        "valid_from": "2020-01-01",
        "valid_until": None,
    }
    assert "knows something else" in office.inv("access.grant", ticket.id, as_="wawan", expect=3).stderr
    assert office.show(ticket.id)["type"] == f"inv ticket.plan {ticket.id}"


def test_doors_that_differ_from_the_register_are_told(office: Office) -> None:
    office.granted()
    kept = office.door.cards.pop("KA-000001")
    assert "the door does not know it" in office.inv("access.doors", expect=1).stdout
    office.door.cards["KA-000001"] = {**kept, "valid_until": "2099-01-01"}
    assert "other zones or days" in office.inv("access.doors", expect=1).stdout
    office.door.cards["KA-000001"] = kept
    walk = office.walk()
    walk.to_the_end(walk.open(removal("KA-000001"), person="siti"))
    office.door.cards["KA-000001"] = kept
    [row] = json.loads(office.inv("access.doors", "--json", expect=1).stdout)
    assert row == {"door": "depan", "card": "KA-000001", "told": "ended, and the door still knows it"}
    office.door.__exit__()
    assert "does not answer" in office.inv("access.doors", expect=1).stdout
    office.door.__enter__()


@dataclass(slots=True)
class Stepping:
    """A clock that is set back by so much once the door was told something."""

    clock: Any
    door: Controller
    back: timedelta

    def now(self) -> datetime:
        told = any(request.startswith("PUT") for request in self.door.requests)
        return self.clock.now() - (self.back if told else timedelta())


def test_no_door_is_told_anything_by_a_machine_whose_clock_is_behind(office: Office) -> None:
    ticket = office.at_row_7()
    desk = office.desk("wawan")
    before = list(office.door.requests)
    late = replace(desk, clock=Stepping(desk.clock, Controller(requests=["PUT"]), timedelta(minutes=1)))
    with pytest.raises(Refused, match="the clock of this machine says"):
        run(late, ticket.id, person="wawan")
    assert office.door.requests == before
    with office.workspace.app().store.read() as reader:
        assert reader.attempts(ticket.id, "akses.7") == []


def test_what_the_doors_were_told_is_recorded_though_the_clock_was_set_back_meanwhile(office: Office) -> None:
    ticket = office.at_row_7()
    desk = office.desk("wawan")
    done, _ = run(replace(desk, clock=Stepping(desk.clock, office.door, timedelta(hours=2))), ticket.id, person="wawan")
    assert done.step == "akses.8"
    assert "the clock of this machine said" in office.inv("ticket.show", ticket.id).stdout
    assert "1 entries" not in office.inv("ticket.verify", ticket.id).stdout
    office.doors_equal_the_register("KA-000001")


def test_nobody_is_told_to_fetch_a_card_that_was_not_printed(office: Office, tmp_path: Path) -> None:
    ticket = office.at_row_7().id
    office.inv("access.grant", ticket, as_="wawan")
    refused = office.inv("ticket.done", ticket, as_="wawan", expect=3).stderr
    assert f"card KA-000001 was not printed yet; print it with `inv access.card {ticket}" in refused
    picture = tmp_path / "foto.jpg"
    Image.effect_noise((300, 400), 60).convert("RGB").save(picture)
    office.inv("access.make-key")
    office.inv("access.card", ticket, "--photo", str(picture), "--out", str(tmp_path / "kartu.pdf"))
    office.inv("ticket.done", ticket, as_="wawan")
    office.inv("mail.send")
    assert "dapat diambil" in str(office.mailbox.messages[-1]["Subject"])


def test_nobody_is_told_of_a_card_whose_access_is_over_by_then(office: Office) -> None:
    ticket = office.at_row_7().id
    office.inv("access.grant", ticket, as_="wawan")
    with office.workspace.app().store.write() as writer:
        grant = writer.part(BOOK).grant(ticket)
        assert grant is not None
        writer.part(BOOK).move(grant, Standing.ENDING, reason="pemegang tidak lagi menjabat")
    office.inv("access.expire")
    office.inv("ticket.done", ticket, as_="wawan")
    office.inv("mail.send")
    assert office.show(ticket)["step"] == "akses.9"
    assert not any("dapat diambil" in str(mail["Subject"]) for mail in office.mailbox.messages)
    office.inv("ticket.verify", ticket)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tanggal": "2030-01-01"}, "lies after hari-ini"),
        ({"opd": "Bappeda"}, "is 'Bappeda', and the ticket is opened for 'Dinas Kesehatan'"),
        ({"keperluan": "-"}, "is '-': that is no answer"),
        ({"keperluan": "(tidak ada)"}, "that is no answer"),
        ({"jenis_akses": "sementara", "berlaku_sampai": "2026-11-01"}, "lies before berlaku_dari"),
    ],
)
def test_a_letter_is_held_against_the_day_the_unit_and_itself(
    office: Office, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadInput, match=re.escape(told)):
        office.walk().open(request(**changes), person="siti")
