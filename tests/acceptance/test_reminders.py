"""`ticket.remind` as a timer and as a person run it: who gets which e-mail, once, and what is told."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.commands import ROOT
from tests.acceptance.office import Office

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
      - {no: 2, kegiatan: Mengerjakan, pelaksana: technical-support, waktu: 15 menit, lanjut: 3}
      - {no: 3, kegiatan: Memeriksa, pelaksana: kasi-layanan-infrastruktur, jenis: keputusan, waktu: 15 menit,
         ya: selesai, tidak: 2}
"""
JOKO, BAMBANG = "joko@kominfo.example.go.id", "bambang@kominfo.example.go.id"
TICKET = f"UW-{datetime.now(UTC).year}-0001"


@pytest.fixture
def late(office: Office) -> Office:
    """An office in which Technical Support has a superior and is late with a ticket."""
    (office.home / "procedures").mkdir(exist_ok=True)
    (office.home / "procedures" / "uji.yaml").write_text(SOP)
    letter = office.home / "letter.yaml"
    letter.write_text("sop: uji-waktu\nopd: dinkes\npemohon: siti\nsurat: {perihal: Uji}\n")
    people = json.loads((office.home / "people.yaml").read_text())
    next(held for held in people["jabatan"] if held["id"] == "technical-support")["atasan"] = (
        "kasi-layanan-infrastruktur"
    )
    (office.home / "people.yaml").write_text(json.dumps(people))
    office.inv("ticket.open", str(letter), as_="siti")
    assert office.newest_ticket() == TICKET
    long_ago(office, "tickets", "due")
    return office


def long_ago(office: Office, table: str, column: str) -> None:
    """Let a moment lie two weeks back: longer than any limit of the SOP, whatever the holidays."""
    moment = f"{datetime.now(UTC) - timedelta(days=14):%Y-%m-%d %H:%M:%S}.000000"
    with sqlite3.connect(office.home / "sopauto.db") as connection:
        connection.execute(f'UPDATE "{table}" SET "{column}" = ?', (moment,))


def delivered(office: Office) -> list[tuple[str, str]]:
    """Return addressee and first word of the subject of what the mail server took."""
    return [(m["X-Envelope-To"], m["Subject"].partition(":")[0]) for m in office.mailbox.messages]


def told(office: Office) -> list[dict[str, Any]]:
    return list(json.loads(office.inv("ticket.remind", "--json").stdout))


def test_a_late_row_is_reminded_of_once_and_its_superior_told_once(late: Office) -> None:
    heading, line = late.inv("ticket.remind").stdout.splitlines()
    assert heading.split() == ["ticket", "row", "who", "due", "since", "queued"]
    assert line.startswith(f"{TICKET}  uji.2  Technical Support (joko)  ")
    assert line.endswith("  reminder to joko")
    assert "nothing new (reminder of " in late.inv("ticket.remind").stdout
    assert delivered(late) == [(JOKO, "Pengingat")]

    long_ago(late, "reminders", "queued_at")
    (row,) = told(late)
    assert (row["ticket"], row["queued"], row["to"], list(row["before"])) == (
        TICKET,
        "escalation",
        [BAMBANG],
        ["reminder"],
    )
    assert [row["queued"] for row in told(late)] == [None]
    assert delivered(late) == [(JOKO, "Pengingat"), (BAMBANG, "Eskalasi")]
    text = " ".join(late.mailbox.messages[1].get_content().split())
    assert "Yth. Kasi Layanan Infrastruktur TIK" in text
    assert "Pengingat sudah dikirim kepada Joko Santoso (Technical Support) pada " in text
    late.inv("ticket.verify", "all")


def test_in_time_nothing_is_overdue(late: Office) -> None:
    late.inv("ticket.done", TICKET, as_="joko")
    assert late.inv("ticket.remind").stdout == "nothing is overdue\n"
    assert told(late) == []
    assert late.mailbox.messages == []


def test_a_row_that_comes_back_is_reminded_of_anew(late: Office) -> None:
    late.inv("ticket.remind")
    late.inv("ticket.done", TICKET, as_="joko")
    late.inv("ticket.reject", TICKET, as_="bambang")
    long_ago(late, "tickets", "due")
    late.inv("ticket.remind")
    assert delivered(late) == [(JOKO, "Pengingat"), (JOKO, "Pengingat")]


def test_two_processes_at_once_write_one_letter(late: Office) -> None:
    command = late.command("ticket.remind", "--json")
    running = [
        subprocess.Popen(command, cwd=ROOT, env=late.variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    with sqlite3.connect(late.home / "sopauto.db") as connection:
        assert connection.execute('SELECT "to" FROM outbox').fetchall() == [(JOKO,)]
        assert connection.execute("SELECT step, round, kind FROM reminders").fetchall() == [("uji.2", 1, "reminder")]


def test_with_the_mail_server_away_the_reminder_waits(late: Office) -> None:
    late.mailbox.down()
    answer = late.inv("ticket.remind").stdout
    assert "reminder to joko" in answer
    assert "mail: 1 wait" in answer
    late.mailbox.up()
    with sqlite3.connect(late.home / "sopauto.db") as connection:
        connection.execute("UPDATE outbox SET next_try = queued_at")
    assert "nothing new" in late.inv("ticket.remind").stdout
    assert delivered(late) == [(JOKO, "Pengingat")]


def test_gaps_in_the_people_file_are_told_and_fail_nothing(late: Office) -> None:
    late.end_holding("joko", until="2020-01-01")
    late.edit("people.yaml", lambda text: text.replace(', "atasan": "kasi-layanan-infrastruktur"', ""))
    line = late.inv("ticket.remind").stdout.splitlines()[1]
    assert "Technical Support (nobody)" in line
    assert line.endswith("nothing; nobody holds Technical Support; Technical Support has no superior")
    assert late.mailbox.messages == []


def test_a_template_that_does_not_work_is_told_and_fails_in_one_line(late: Office) -> None:
    own = late.home / "templates" / "mail"
    own.mkdir(parents=True, exist_ok=True)
    (own / "pengingat.txt.j2").write_text("Perihal\n{{ tidak_ada }}\n")
    answer = late.inv("ticket.remind", expect=1)
    assert "pengingat.txt.j2: the template does not work" in answer.stdout
    assert "1 of 1 overdue tickets could not be looked after" in answer.stderr
    (own / "pengingat.txt.j2").unlink()
    assert "reminder to joko" in late.inv("ticket.remind").stdout


def test_doctor_hints_at_a_timer_that_does_not_run(late: Office) -> None:
    def hint() -> str:
        rows = json.loads(late.inv("doctor", "--json").stdout)
        return str(next(row["told"] for row in rows if row["what"] == "reminders"))

    assert hint() == "1 tickets are overdue, 1 for a day without a reminder: `inv ticket.remind`"
    late.inv("ticket.remind")
    assert hint() == "1 tickets are overdue"
