"""The two letters about an overdue row: what each says, and to whom."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from lab.cast import drop_off
from sopauto.errors import BadInput
from sopauto.mail.messages import MESSAGES
from sopauto.mail.reminders import ReminderLetters
from sopauto.tickets.reminding import Addressee, Late, Seat
from sopauto.tickets.storage import Kind, Mail, Reminder
from tests.unit.documents import occasions

DUE = datetime(2026, 11, 24, 16, 0, tzinfo=occasions.ZONE)
SENT = Reminder(
    ticket="PS-2026-0001",
    step="penitipan.3",
    round=1,
    kind=Kind.REMINDER,
    to="Ratna Dewi (Kabid Infrastruktur dan Aplikasi TIK)",
    queued_at=datetime(2026, 11, 26, 7, 45, tzinfo=occasions.ZONE),
)


def written(kind: Kind, to: str, tmp_path: Path, *, reminded: bool = False, held: bool = True) -> Mail:
    people = occasions.people()
    trail = occasions.begin(drop_off()).jump("penitipan.3")
    late = Late(
        procedure=trail.procedure,
        ticket=trail.ticket,
        due=DUE,
        seats=(Seat(title="Kabid", holders=(people.person("ratna"),) if held else ()),),
        superiors=(),
        sent={Kind.REMINDER: SENT} if reminded else {},
    )
    addressee = Addressee(person=people.person(to), title=f"Jabatan\n{to}")
    return ReminderLetters(occasions.settings(tmp_path)).compose(kind, late, addressee)


def test_the_reminder_tells_row_and_deadline(tmp_path: Path) -> None:
    mail = written(Kind.REMINDER, "ratna", tmp_path)
    assert (mail.ticket, mail.to) == ("PS-2026-0001", "ratna@kominfo.example.go.id")
    assert mail.subject == "Pengingat: tiket PS-2026-0001 baris penitipan.3 melewati batas waktu"
    assert mail.body.startswith("Kepada Jabatan ratna,\n")
    assert "Batas waktunya Selasa, 24 November 2026 pukul 16.00 WIB sudah lewat" in mail.body
    assert "Menerima disposisi dan meneruskannya" in mail.body


def test_the_escalation_tells_the_superior_who_was_reminded_when(tmp_path: Path) -> None:
    mail = written(Kind.ESCALATION, "hadi", tmp_path, reminded=True)
    assert mail.to == "hadi@kominfo.example.go.id"
    assert mail.subject == "Eskalasi: tiket PS-2026-0001 baris penitipan.3 belum diselesaikan"
    assert mail.body.startswith("Yth. Jabatan hadi,\n")
    assert "Pelaksana: Kabid (Ratna Dewi)\nBatas waktu: Selasa, 24 November 2026 pukul 16.00 WIB" in mail.body
    sent = "Ratna Dewi (Kabid Infrastruktur dan Aplikasi TIK) pada Kamis, 26 November 2026 pukul 07.45 WIB"
    assert f"Pengingat sudah dikirim kepada {sent}," in mail.body
    assert "\n\n\n" not in mail.body


def test_the_escalation_says_that_nobody_could_be_reminded(tmp_path: Path) -> None:
    body = written(Kind.ESCALATION, "hadi", tmp_path, held=False).body
    assert "Pelaksana: Kabid (belum ada pejabatnya)" in body
    assert "Pengingat belum dapat dikirim" in body


@pytest.mark.parametrize(("name", "kind"), [("pengingat", Kind.REMINDER), ("eskalasi", Kind.ESCALATION)])
def test_an_agency_has_its_own_words(name: str, kind: Kind, tmp_path: Path) -> None:
    own = tmp_path / "templates" / "mail"
    own.mkdir(parents=True)
    (own / f"{name}.txt.j2").write_text("Perihal {{ tiket }}\nSalam {{ penerima }}\n")
    assert written(kind, "hadi", tmp_path).body == "Salam Jabatan hadi\n"
    (own / f"{name}.txt.j2").write_text("Perihal\n{{ tidak_ada }}\n")
    with pytest.raises(BadInput, match="template does not work"):
        written(kind, "hadi", tmp_path)


def test_no_row_of_an_sop_may_name_them() -> None:
    assert MESSAGES.isdisjoint({"pengingat", "eskalasi"})
