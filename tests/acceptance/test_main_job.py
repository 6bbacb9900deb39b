"""SOP/04/406.020/2019 with the real commands: happy path, each branch, and the queue for room."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.cast import STATEMENTS, drop_off, give_back
from tests.acceptance.office import Office, open_office


@pytest.mark.real_start("the main job, whole")
def test_the_whole_way_by_commands(office: Office, tmp_path: Path) -> None:
    surat = tmp_path / "surat.yaml"
    envelope = {"sop": "penitipan-server", "opd": "dinkes", "pemohon": "siti"}
    surat.write_text(json.dumps({**envelope, "surat": dict(drop_off().fields)}))
    opened = office.inv("ticket.open", str(surat), as_="siti").stdout
    ticket = office.newest_ticket()
    assert f"type: inv ticket.approve {ticket}" in opened
    for task, person, more in (
        ("approve", "hadi", ["--note", "mohon ditindaklanjuti"]),
        ("approve", "ratna", []),
        ("done", "bambang", []),
        ("approve", "bambang", []),
        ("done", "bambang", ["--set", f"waktu_penitipan={STATEMENTS['waktu_penitipan']}"]),
        ("done", "bambang", []),
        ("done", "siti", []),
        ("done", "siti", []),
        ("done", "joko", ["--set", "spesifikasi=2 CPU", "--set", "ciri=hitam"]),
        ("done", "joko", ["--set", "penyerah=Siti", "--set", "penerima=Joko"]),
        ("done", "joko", []),
    ):
        office.inv(f"ticket.{task}", ticket, *more, as_=person)
    office.plan_and_approve(ticket)
    office.inv("custody.connect", ticket, as_="joko")
    office.inv("ticket.done", ticket, as_="joko")
    office.inv("ticket.done", ticket, as_="siti")
    assert "answers on" in office.inv("custody.check", ticket, as_="joko").stdout
    office.inv("ticket.approve", ticket, as_="siti")
    office.inv("ticket.done", ticket, as_="siti")
    office.inv("ticket.done", ticket, as_="bambang")
    office.inv("inventory.collect", ticket, as_="joko")
    told = office.show(ticket)
    assert told["state"] == "done"
    documents = [name for row in told["history"] for name in row["documents"]]
    for form in ("lembar-disposisi", "serah-terima-barang", "inventaris-server"):
        assert f"{form}.pdf" in documents
        assert f"{form}.json" in documents
    subjects = [str(message["Subject"]) for message in office.mailbox.messages]
    assert len(subjects) == 3
    office.inv("ticket.verify", "all")
    # Once more, next month: the ticket is done, the inventory goes on.
    office.inv("inventory.collect", ticket, as_="joko")
    with office.workspace.app().store.read() as reader:
        assert len(reader.snapshots("simpus-01")) == 2


def test_not_reachable_goes_back_to_row_1_and_tells_the_kasi_why(office: Office) -> None:
    ticket = office.ticket_at("konfigurasi.4")
    office.server.unplug()
    assert "does not answer" in office.inv("custody.check", ticket, as_="joko").stdout
    silent = office.inv("ticket.reject", ticket, as_="siti", expect=3)
    assert "lacks 'catatan', which the SOP demands" in silent.stderr
    office.inv("ticket.reject", ticket, "--note", "belum bisa dibuka", as_="siti")
    assert office.show(ticket)["step"] == "konfigurasi.1"
    message = office.mailbox.messages[-1]
    assert message["To"] == "bambang@kominfo.example.go.id"
    assert "belum bisa dibuka" in message.get_content()
    assert "Dinas Kesehatan" in message.get_content()


def test_a_server_with_another_host_key_stops_the_step(office: Office) -> None:
    ticket = office.ticket_at("konfigurasi.4")
    office.inv("custody.check", ticket, as_="joko")
    office.server.change_host_key()
    answer = office.inv("custody.check", ticket, as_="joko", expect=1)
    assert "the host key changed" in answer.stderr


@pytest.mark.real_start("what is loaded late could print as well")
def test_with_json_nothing_but_json_is_printed(office: Office) -> None:
    ticket = office.ticket_at("konfigurasi.1")
    plan = json.loads(office.inv("ticket.plan", ticket, "--json", as_="joko").stdout)
    assert plan["plan"]["lines"][0] == "interface GigabitEthernet1/0/1"
    named = ("ticket.approve", ticket, "--plan", plan["digest"], "--json")
    assert json.loads(office.inv(*named, as_="bambang").stdout)["step"] == "konfigurasi.1"
    assert json.loads(office.inv("custody.connect", ticket, "--json", as_="joko").stdout)["changed"] is True
    for task in ("ticket.list", "mail.list", "sop.list", "store.status"):
        json.loads(office.inv(task, "--json").stdout)
    for task in (
        ("sop.show", "penitipan-server"),
        ("sop.check", "all"),
        ("assets.list", "ports"),
        ("ticket.verify", "all"),
    ):
        json.loads(office.inv(*task, "--json").stdout)


def test_who_is_told_the_ip_is_told_with_ip_and_opd(office: Office) -> None:
    ticket = office.ticket_at("konfigurasi.2")
    office.inv("ticket.done", ticket, as_="joko")
    text = office.mailbox.messages[-1].get_content()
    assert "127.0.31.10" in text
    assert "Dinas Kesehatan" in text


def test_returned_rows_go_back_where_the_sop_says(office: Office) -> None:
    ticket = office.ticket_at("penitipan.3")
    office.inv("ticket.reject", ticket, "--note", "surat belum lengkap", as_="ratna")
    assert office.show(ticket)["step"] == "penitipan.2"


def test_the_applicant_can_withdraw_and_the_place_is_free_again(office: Office) -> None:
    ticket = office.ticket_at("penitipan.7")
    office.inv("ticket.cancel", ticket, as_="siti")
    assert office.show(ticket)["state"] == "cancelled"
    assert office.ticket_at("penitipan.7") != ticket


@pytest.fixture
def small(tmp_path: Path) -> Office:
    with open_office(tmp_path, rack_height=2) as opened:
        yield opened


def test_a_full_rack_makes_tickets_wait_in_order_and_a_return_wakes_the_next(small: Office) -> None:
    walk = small.walk(answers={"konfigurasi.4": (True,)})
    first = walk.to_the_end(walk.open(drop_off(), person="siti"))
    assert first.state.value == "done"
    waiting = []
    for name in ("web-02", "web-03"):
        ticket = small.ticket_at("penitipan.5", nama_host=name)
        assert "no room" in small.inv("assets.room", "--height", "2").stdout
        refused = small.inv("ticket.approve", ticket, as_="bambang", expect=3)
        assert "there is no room" in refused.stderr or "waits for room longer" in refused.stderr
        small.inv("ticket.reject", ticket, as_="bambang")
        small.inv("ticket.done", ticket, as_="bambang")
        assert small.show(ticket)["state"] == "waiting"
        waiting.append(ticket)
    assert "tempat sedang penuh" in str(small.mailbox.messages[-1]["Subject"])

    back = small.walk()
    back.to_the_end(back.open(give_back(first.id), person="siti"))
    assert small.show(waiting[0])["state"] == "open"
    assert small.show(waiting[0])["step"] == "penitipan.5"
    assert small.show(waiting[1])["state"] == "waiting"
    late = small.ticket_at("penitipan.5", nama_host="web-04")
    assert "waits for room longer" in small.inv("ticket.approve", late, as_="bambang", expect=3).stderr
    small.inv("ticket.approve", waiting[0], as_="bambang")
    small.inv("ticket.verify", "all")


def test_new_racks_let_who_waits_come_on_by_asking_again(small: Office) -> None:
    small.walk().until(small.walk().open(drop_off(), person="siti"), "penitipan.7")
    ticket = small.ticket_at("penitipan.5", nama_host="web-02")
    small.inv("ticket.reject", ticket, as_="bambang")
    small.inv("ticket.done", ticket, as_="bambang")
    assert f"inv ticket.wake {ticket}" in small.inv("ticket.show", ticket).stdout
    assert "there is no room" in small.inv("ticket.wake", ticket, as_="bambang", expect=3).stderr
    small.edit("assets.yaml", lambda text: text.replace('"height": 2', '"height": 42'))
    small.inv("assets.import", str(small.home / "assets.yaml"))
    assert "does not hold" in small.inv("ticket.wake", ticket, as_="joko", expect=3).stderr
    small.inv("ticket.wake", ticket, as_="bambang")
    assert small.show(ticket)["step"] == "penitipan.5"
    small.inv("ticket.approve", ticket, as_="bambang")
    small.inv("ticket.verify", "all")


def test_a_yes_without_a_check_still_lets_the_inventory_be_taken(office: Office) -> None:
    ticket = office.ticket_at("konfigurasi.4")
    office.inv("ticket.approve", ticket, as_="siti")
    office.inv("ticket.done", ticket, as_="siti")
    office.inv("ticket.done", ticket, as_="bambang")
    assert "run custody.check first" in office.inv("inventory.collect", ticket, as_="joko", expect=3).stderr
    office.inv("custody.check", ticket, as_="joko")
    assert office.show(ticket)["step"] == "konfigurasi.7"
    office.inv("inventory.collect", ticket, as_="joko")
    assert office.show(ticket)["state"] == "done"
    office.inv("ticket.verify", ticket)


def test_a_return_of_a_server_that_is_not_here_is_bad_input(office: Office, tmp_path: Path) -> None:
    surat = tmp_path / "surat.yaml"
    envelope = {"sop": "pengembalian-server", "opd": "dinkes", "pemohon": "siti"}
    surat.write_text(json.dumps({**envelope, "surat": dict(give_back("PS-2026-0001").fields)}))
    answer = office.inv("ticket.open", str(surat), as_="siti", expect=2)
    assert "dinkes has no server simpus-01 in custody" in answer.stderr


def test_two_people_who_act_at_once_do_not_both_succeed(office: Office) -> None:
    import subprocess

    from tests.acceptance.commands import ROOT

    office.add_holding("ratna", position="kadis", unit="kominfo")
    ticket = office.ticket_at("penitipan.2")
    running = [
        subprocess.Popen(
            office.command("ticket.approve", ticket, as_=person),
            cwd=ROOT,
            env=office.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for person in ("hadi", "ratna")
    ]
    codes = sorted(process.wait(60) for process in running)
    for process in running:
        process.communicate()
    assert codes[0] == 0
    assert codes[1] in {0, 1, 3}
    told = office.show(ticket)
    assert len(told["history"]) == 2 if codes[1] else 3
    office.inv("ticket.verify", ticket)
