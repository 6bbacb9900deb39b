"""The e-mails of SOP 001: what they hold, whom they go to, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lab.cast import drop_off
from sopauto.errors import BadInput, Refused
from sopauto.mail.messages import MESSAGES, Letters
from sopauto.people import Holding
from sopauto.procedures.library import Library
from sopauto.procedures.model import Message
from sopauto.tickets.desk import Occasion
from sopauto.tickets.model import Verb
from sopauto.tickets.storage import Mail
from tests.unit.documents import occasions
from tests.unit.documents.occasions import Books, Register

Compose = Callable[[Occasion], Mail]


@pytest.fixture
def letters(tmp_path: Path) -> Letters:
    return Letters(occasions.settings(tmp_path), occasions.people())


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "templates" / "mail"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def compose(letters: Letters) -> Compose:
    def written(occasion: Occasion) -> Mail:
        assert occasion.step.message is not None
        return letters.compose(occasion.step.message, occasion)

    return written


def at(step: str, verb: Verb = Verb.DONE, *, books: Books | None = None, letter: Any = None, **act: Any) -> Occasion:
    return occasions.begin(letter or drop_off(), books).jump(step).act(verb, **act)


def told_when(moment: str = "2026-11-24T09:00") -> Occasion:
    trail = occasions.begin(drop_off()).jump("penitipan.7")
    trail.act(Verb.DONE, data={"waktu_penitipan": moment})
    return trail.act(Verb.DONE)


def test_every_message_that_a_shipped_sop_names_has_a_template() -> None:
    library = Library(())
    named = {
        step.message.template
        for code in ("penitipan-server", "pengembalian-server", "akses-ruang-server", "pemasangan-server")
        for step in library.get(code).steps
        if step.message
    }
    assert named
    assert named <= MESSAGES


def test_the_reminder_is_not_for_a_row_of_an_sop() -> None:
    assert "pengingat" not in MESSAGES


def test_who_has_to_wait_is_told_so(compose: Compose) -> None:
    mail = compose(at("penitipan.6"))
    assert mail.to == "siti@dinkes.example.go.id"
    assert mail.ticket == "PS-2026-0001"
    assert mail.subject == "Penitipan server Dinas Kesehatan: tempat sedang penuh (PS-2026-0001)"
    assert "Dinas Kesehatan" in mail.body
    assert "perlu menunggu" in mail.body


@pytest.mark.parametrize("moment", ["2026-11-24T09:00", "2026-11-24T02:00+00:00", "2026-11-24T10:00+08:00"])
def test_the_time_of_drop_off_is_told_in_words_and_in_the_agencys_zone(moment: str, compose: Compose) -> None:
    mail = compose(told_when(moment))
    assert "Server dapat dititipkan pada: Selasa, 24 November 2026 pukul 09.00 WIB\n" in mail.body
    assert "Dinas Kesehatan" in mail.body


def test_the_contact_is_told_the_address(compose: Compose) -> None:
    mail = compose(at("konfigurasi.2"))
    assert mail.to == "siti@dinkes.example.go.id"
    assert "Alamat IP: 10.20.30.10\n" in mail.body


def test_the_complaint_goes_to_the_kasi_with_the_name_of_the_unit(compose: Compose) -> None:
    mail = compose(at("konfigurasi.4", Verb.REJECT, note="Tidak ada balasan dari kantor kami"))
    assert mail.to == "bambang@kominfo.example.go.id"
    assert "Dinas Kesehatan" in mail.body
    assert "Keluhan: Tidak ada balasan dari kantor kami\n" in mail.body
    assert mail.body.startswith("Kepada Kasi Layanan Infrastruktur TIK,\n")


def test_the_confirmation_goes_to_the_kasi(compose: Compose) -> None:
    mail = compose(at("konfigurasi.5"))
    assert mail.to == "bambang@kominfo.example.go.id"
    assert "sudah dapat diakses" in mail.body


@pytest.mark.parametrize("note", ["", "Bawa surat tugas"])
def test_the_closing_stands_apart_whether_or_not_there_is_a_note(note: str, compose: Compose) -> None:
    mail = compose(at("konfigurasi.2", note=note))
    assert "\n\nHormat kami,\nDinas Komunikasi dan Informatika\n" in mail.body
    assert "\n\n\n" not in mail.body
    assert ("Catatan: Bawa surat tugas\n" in mail.body) is bool(note)


def test_a_long_note_of_several_lines_is_sent_whole_as_one(compose: Compose) -> None:
    note = "baris satu\nbaris dua " + "kata " * 100 + "ujung"
    mail = compose(at("konfigurasi.4", Verb.REJECT, note=note))
    assert f"Keluhan: baris satu baris dua {'kata ' * 100}ujung\n" in mail.body


def test_a_complaint_without_words_is_refused(compose: Compose) -> None:
    with pytest.raises(Refused, match=r"PS-2026-0001 konfigurasi\.4: .*lacks 'catatan'.*`--note`"):
        compose(at("konfigurasi.4", Verb.REJECT))


def test_a_message_without_the_address_is_refused(compose: Compose) -> None:
    books = Books(assets=Register([occasions.server(place=None)]))
    with pytest.raises(Refused, match="lacks 'ip', which the SOP demands"):
        compose(at("konfigurasi.2", books=books))


@pytest.mark.parametrize("step", ["penitipan.6", "konfigurasi.2", "konfigurasi.5"])
def test_a_message_without_the_name_of_the_unit_is_refused(step: str, compose: Compose) -> None:
    with pytest.raises(Refused, match="lacks 'opd', which the SOP demands"):
        compose(at(step, letter=drop_off(opd="")))


def test_a_message_without_the_time_of_drop_off_is_refused(compose: Compose) -> None:
    with pytest.raises(Refused, match="lacks 'waktu_penitipan'"):
        compose(at("penitipan.8"))


@pytest.mark.parametrize("body", ["Server sudah terhubung.", "IP {{ ip }}0", "IP 1{{ ip }}"])
def test_a_template_that_leaves_out_what_the_sop_demands_is_refused(body: str, own: Path, compose: Compose) -> None:
    (own / "server-dapat-diakses.txt.j2").write_text(f"Subjek\n\n{{{{ opd }}}}\n{body}\n")
    with pytest.raises(Refused, match=r"does not contain 'ip', which the SOP demands; add \{\{ ip \}\}"):
        compose(at("konfigurasi.2"))


def test_an_agencys_own_template_wins(own: Path, compose: Compose) -> None:
    (own / "server-dapat-diakses.txt.j2").write_text("Subjék {{ tiket }}\n\n{{ opd }}: {{ ip }}.", encoding="utf-8")
    mail = compose(at("konfigurasi.2"))
    assert (mail.subject, mail.body) == ("Subjék PS-2026-0001", "Dinas Kesehatan: 10.20.30.10.\n")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("S\n\n{{ tidak_ada }}", "'tidak_ada' is undefined"),
        ("S\n\n{% if %}", "Expected an expression"),
        ("S\n\n{{ 1 / 0 }}", "division by zero"),
        ("S\n\n{{ opd + 1 }}", "str"),
        ("S\n\n{{ ''.__class__.__mro__ }}", "unsafe"),
        ("S\n\n{% include 'lain' %}", "no loader"),
        ("S\n\n{% for i in range(10 ** 9) %}{% endfor %}", "Range too big"),
        ("\n\ntanpa subjek", "subject"),
        ("hanya subjek", "text"),
    ],
)
def test_a_template_that_does_not_work_is_named_in_one_line(
    template: str, reason: str, own: Path, compose: Compose
) -> None:
    path = own / "server-dapat-diakses.txt.j2"
    path.write_text(template)
    with pytest.raises(BadInput, match=reason) as caught:
        compose(at("konfigurasi.2"))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_template_that_is_not_utf8_is_named(own: Path, compose: Compose) -> None:
    (own / "server-dapat-diakses.txt.j2").write_bytes(b"S\n\n\xff")
    with pytest.raises(BadInput, match="does not work"):
        compose(at("konfigurasi.2"))


@pytest.mark.parametrize("name", ["tidak-ada", "../messages", "/etc/passwd", "pengingat2"])
def test_an_unknown_template_is_refused_with_those_that_are_known(name: str, letters: Letters) -> None:
    with pytest.raises(BadInput, match=r"there is no e-mail template .* known: belum-dapat-diakses, jadwal-instalasi"):
        letters.compose(Message(template=name, to="kontak"), at("konfigurasi.2"))


def test_a_template_outside_of_its_folder_is_unknown(own: Path, letters: Letters) -> None:
    (own.parent / "luar.txt.j2").write_text("S\n\nB")
    with pytest.raises(BadInput, match="there is no e-mail template"):
        letters.compose(Message(template="../luar", to="kontak"), at("konfigurasi.2"))


@pytest.mark.parametrize("text", ["{{ 7*7 }}", "{% raw %}", "{# x #}", "${HOME}", "%s", "<b>"])
def test_a_value_is_not_looked_at_as_a_template(text: str, compose: Compose) -> None:
    mail = compose(at("konfigurasi.5", letter=drop_off(opd=f"Dinas {text}"), note=text))
    assert f"Dinas {text} menyampaikan" in mail.body
    assert f"Catatan: {text}" in mail.body


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028"])
def test_no_value_makes_a_header(end: str, compose: Compose) -> None:
    mail = compose(at("konfigurasi.2", letter=drop_off(opd=f"Dinas{end}Bcc: semua@example.go.id")))
    assert mail.subject.splitlines() == [mail.subject]
    assert "Dinas Bcc: semua@example.go.id" in mail.subject
    assert not any(line.startswith("Bcc") for line in mail.body.splitlines())


def test_control_characters_are_escaped(compose: Compose) -> None:
    mail = compose(at("konfigurasi.5", note="a\x1b[31m\u202eb\x00"))
    assert "Catatan: a\\x1b[31m\\u202eb\\x00\n" in mail.body


def test_digits_are_not_taken_for_a_date(own: Path, compose: Compose) -> None:
    (own / "konfirmasi-akses.txt.j2").write_text("S\n\n{{ opd }} {{ nomor_seri }} {{ tanggal }}")
    mail = compose(at("konfigurasi.5", letter=drop_off(nomor_seri="2026-11-24T09:00")))
    assert mail.body == "Dinas Kesehatan 2026-11-24T09:00 20 November 2026\n"


def test_nobody_in_a_position_on_that_day_is_told(tmp_path: Path) -> None:
    people = occasions.people()
    gone = tuple(replace(h, until=date(2020, 1, 1)) if h.person == "bambang" else h for h in people.holdings)
    letters = Letters(occasions.settings(tmp_path), replace(people, holdings=gone))
    occasion = at("konfigurasi.5")
    assert occasion.step.message is not None
    with pytest.raises(BadInput, match="nobody holds kasi-layanan-infrastruktur on 2026-11-23"):
        letters.compose(occasion.step.message, occasion)


def test_a_letter_without_contact_is_told(letters: Letters) -> None:
    occasion = at("konfigurasi.2", letter=drop_off(kontak_email=""))
    with pytest.raises(BadInput, match="names no contact person's e-mail"):
        letters.compose(Message(template="server-dapat-diakses", to="kontak"), occasion)


def test_an_applicant_is_one_of_the_tickets_own_unit(tmp_path: Path, own: Path) -> None:
    (own / "pemberitahuan.txt.j2").write_text("S\n\nKepada {{ penerima }}")
    people = occasions.people()
    other = Holding(person="joko", position="unit-kerja-pemohon", unit="bappeda", since=occasions.SINCE, until=None)
    letters = Letters(occasions.settings(tmp_path), replace(people, holdings=(other, *people.holdings)))
    mail = letters.compose(Message(template="pemberitahuan", to="unit-kerja-pemohon"), at("konfigurasi.2"))
    assert mail.to == "siti@dinkes.example.go.id"
