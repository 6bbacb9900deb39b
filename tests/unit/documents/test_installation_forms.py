"""The papers of SOP 000: what each says of a walk along its rows, with and without what is optional."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from sopauto.app import forms as forms_of_all
from sopauto.clock import OfficeHours
from sopauto.documents.daily_journal import SHORT_KEY, office_time
from sopauto.documents.forms import Forms
from sopauto.documents.sections import LONGEST_LINE, MOST_LINES
from sopauto.errors import BadInput
from sopauto.machines.host_keys import fingerprint
from sopauto.procedures.model import Technical
from sopauto.servers.forms import LETTERS
from sopauto.settings import DAYS, Office, period
from sopauto.tickets.desk import Occasion
from sopauto.tickets.model import Action, Outcome, Verb
from sopauto.tickets.storage import Reader
from tests.unit.documents import installation, occasions
from tests.unit.documents.installation import OPTIONAL, TICKET, at_row, attach_plan, pass_row, record, run
from tests.unit.documents.occasions import BEGIN, ZONE, Books, Trail, public_key
from tests.unit.documents.test_forms import Printed, read_pdf
from tests.unit.documents.test_hostile_text import LAST_COLUMN, MARKUP, edges

HOURS = OfficeHours(
    zone=ZONE, week={DAYS.index(day): tuple(map(period, texts)) for day, texts in Office().hours.items()}
)


@pytest.fixture
def forms(tmp_path: Path) -> Forms:
    return Forms(forms_of_all(), occasions.settings(tmp_path), occasions.people(), HOURS)


@pytest.fixture
def printed(forms: Forms, need: Callable[[str], str]) -> Callable[[str, Occasion], Printed]:
    def make(form: str, occasion: Occasion) -> Printed:
        pdf, data = forms.make(form, occasion)
        return read_pdf(pdf.content, need), json.loads(data.content)

    return make


def section(data: dict[str, Any], title: str) -> Any:
    """Return what a section of a letter holds."""
    [found] = [part for part in data["bagian"] if part["judul"] == title]
    return found.get("isian") or found.get("baris") or found.get("teks")


def titles(data: dict[str, Any]) -> list[str]:
    return [part["judul"] for part in data["bagian"]]


def test_the_request_is_addressed_to_who_decides_and_signed_by_who_asked(printed: Callable[..., Printed]) -> None:
    text, data = printed("surat-permohonan", at_row(2))
    assert data["alamat"] == [["Kepada", "Direktur Teknologi Informasi KI"], ["Melalui", "Kasubag Tata Usaha TI"]]
    assert [box["nama"] for box in data["tanda_tangan"]] == ["Wulan Anggraini", "Tono Subagyo"]
    assert data["tanda_tangan"][0]["keterangan"] == "pada baris pemasangan.1"
    assert ["Disk gb", "100"] in section(data, "Kebutuhan")
    assert ["Kontak email", "wulan@dinkes.example.go.id"] in section(data, "Narahubung")
    assert "Unit Bidang Pelayanan" in text


def test_the_request_may_be_filled_while_the_ticket_is_opened(printed: Callable[..., Printed]) -> None:
    trail = installation.installation()
    opened = Occasion(
        procedure=trail.procedure,
        step=trail.procedure.steps[0],
        action=Action(verb=Verb.OPEN, person="wulan", position="pengguna-admin", at=BEGIN),
        before=trail.ticket,
        after=trail.ticket,
        reader=cast(Reader, Books()),
        facts={},
    )
    _, data = printed("surat-permohonan", opened)
    assert [(box["sebagai"], box["nama"]) for box in data["tanda_tangan"]] == [("Pemohon,", "Wulan Anggraini")]


def test_the_dispositions_of_four_rows_stand_on_one_sheet(printed: Callable[..., Printed]) -> None:
    _, data = printed("lembar-disposisi", at_row(6))
    assert [row["dari"]["nama"] for row in data["disposisi"]] == [
        "Dewa Mahendra",
        "Tono Subagyo",
        "Indah Lestari",
        "Kartika Sari",
    ]
    assert data["disposisi"][-1]["kepada"] == "JFU"


def test_the_material_tells_what_was_found_and_each_answer(printed: Callable[..., Printed]) -> None:
    trail = installation.installation()
    trail.jump("pemasangan.8").act(Verb.REJECT, note="memori kurang")
    _, data = printed("bahan-laporan-ketersediaan", at_row(8, trail))
    assert section(data, "Catatan para pelaksana") == [
        ["Hasil pengecekan (baris pemasangan.7)", "dua server Dell R650 kosong"]
    ]
    assert [row[:4] for row in section(data, "Pemeriksaan dan keputusan")] == [
        ["pemasangan.8", "Tidak setuju", "memori kurang", "Yusuf Ramadhan"],
        ["pemasangan.8", "Setuju", "tersedia", "Yusuf Ramadhan"],
    ]
    assert data["alamat"][0] == ["Kepada", "Kasie Layanan dan Pemeliharaan Infrastruktur"]


def test_the_report_of_availability_names_the_plan_by_its_digest(printed: Callable[..., Printed]) -> None:
    _, data = printed("laporan-ketersediaan", at_row(9))
    assert section(data, "Rencana pekerjaan mesin (SHA-256)") == [
        ["Baris pemasangan.15", f"{record().plan.digest} (rencana.json)"]
    ]
    assert ["Posisi perangkat (baris pemasangan.9)", "ruang server lantai 2, rak R2"] in section(
        data, "Posisi perangkat"
    )


def test_the_report_of_installation_holds_server_place_profile_and_the_plan(printed: Callable[..., Printed]) -> None:
    text, data = printed("laporan-pemasangan", at_row(10, installation.installation(installation.registered())))
    assert ["Nomor seri", "VM-0271"] in section(data, "Perangkat server")
    assert ["Rak", "R1, unit 3 sampai 4"] in section(data, "Posisi perangkat")
    assert ["Memori gb", "8"] in section(data, "Kebutuhan")
    assert [row[0] for row in section(data, "Catatan para pelaksana")] == ["Hasil pengecekan (baris pemasangan.7)"]
    plan = dict(section(data, "Rencana pekerjaan mesin, baris pemasangan.15"))
    assert (plan["SHA-256 rencana"], plan["SHA-256 perintah kerja"]) == (record().plan.digest, "0d" * 32)
    assert (plan["Dibuat oleh"], plan["Disetujui oleh"]) == ("Kartika Sari", "Indah Lestari")
    assert section(data, "Parameter")[0] == ["playbook", "harden.yml"]
    assert section(data, "Berkas yang dipakai") == [["playbooks/harden.yml", "cd" * 32]]
    assert "+PermitRootLogin no" in text
    assert "sysctl | Ignore redirects" in text
    assert [box["nama"] for box in data["tanda_tangan"]] == ["Kartika Sari", "Indah Lestari"]


def test_a_plan_without_changes_says_so(printed: Callable[..., Printed]) -> None:
    text, data = printed("laporan-pemasangan", at_row(10, plan=record(lines=(), diff="")))
    assert "Yang dijalankan, berurutan (0)" in text
    assert "Tidak ada yang perlu diubah." in text
    assert "Yang berubah" not in titles(data)


def test_a_long_plan_goes_over_pages_and_tells_how_much_more_there_is(printed: Callable[..., Printed]) -> None:
    diff = "\n".join(f"+    baris-{number:05}" for number in range(MOST_LINES + 500))
    text, data = printed("laporan-pemasangan", at_row(10, plan=record(diff=diff)))
    assert len(section(data, "Yang berubah")) == MOST_LINES
    assert section(data, "Yang berubah")[0] == "+    baris-00000"
    assert f"baris-{MOST_LINES - 1:05}" in text
    assert f"baris-{MOST_LINES:05}" not in text
    assert "dan 500 baris lainnya, semuanya di rencana.json (SHA-256 " in text
    assert "halaman 10 dari" in text


def test_a_line_of_a_plan_is_bounded_and_its_control_characters_are_escaped(printed: Callable[..., Printed]) -> None:
    _, data = printed("laporan-pemasangan", at_row(10, plan=record(diff="+\ta\x1b[31m\u202e\r\n" + "W" * 10_000)))
    first, second = section(data, "Yang berubah")
    assert first == "+   a\\x1b[31m\\u202e\\r"
    assert len(second) == LONGEST_LINE + 1


@pytest.mark.parametrize("text", MARKUP)
def test_markup_in_a_plan_is_printed_as_it_is(text: str, printed: Callable[..., Printed]) -> None:
    plan = record(lines=(text,), diff=f"+{text}", parameters={"x": text}, targets=(text,))
    found, _ = printed("laporan-pemasangan", at_row(10, plan=plan))
    assert found.count(text) >= 4


@pytest.mark.parametrize("form", ["jurnal-harian", *LETTERS])
def test_markup_in_letter_notes_and_statements_is_printed_as_it_is(form: str, printed: Callable[..., Printed]) -> None:
    text = '#panic() $x$ *b* "); #read(" \\'
    changes: dict[str, Any] = dict.fromkeys(("perihal", "keperluan", "unit"), text)
    stated = {row: dict.fromkeys(values, text) for row, values in installation.STATED.items()}
    row = next(row for row, name in installation.FORMS_BY_ROW.items() if name == form)
    found, _ = printed(form, at_row(row, installation.installation(**changes), stated=stated))
    assert found.count(text) >= 2


def test_a_word_without_end_keeps_a_report_on_the_page(forms: Forms, need: Callable[[str], str]) -> None:
    endless = "W" * 900
    trail = installation.installation(perihal=endless)
    stated = {7: {"hasil": endless}, 9: {"posisi": endless}}
    pdf, _ = forms.make("laporan-pemasangan", at_row(10, trail, stated=stated, plan=record(diff=endless)))
    assert max(edges(pdf.content, need)) <= LAST_COLUMN


def test_the_bast_names_both_parties_and_signs_for_both(printed: Callable[..., Printed]) -> None:
    text, data = printed("bast-penggunaan", at_row(12))
    assert section(data, "Pihak pertama, yang menyerahkan")[0] == ["Nama", "Umar Said"]
    assert section(data, "Pihak kedua, yang menerima") == [
        ["Nama", "Wulan Anggraini"],
        ["Unit kerja", "Dinas Kesehatan"],
    ]
    assert [(box["nama"], box["kunci"]) for box in data["tanda_tangan"]] == [
        ("Umar Said", [fingerprint(public_key("umar"))]),
        ("Wulan Anggraini", [fingerprint(public_key("wulan"))]),
    ]
    assert data["tanda_tangan"][0]["keterangan"] == "pada baris pemasangan.11"
    assert ["laporan-pemasangan.pdf", "pemasangan.10", "ab" * 32] in section(data, "Dokumen tiket ini")
    assert "diterima untuk layanan antrean" in text


def test_after_a_return_the_first_party_is_who_passed_the_ticket_on_last(printed: Callable[..., Printed]) -> None:
    trail = installation.installation()
    at_row(10, trail)
    trail.act(Verb.REJECT, note="posisi kurang jelas")
    _, data = printed("laporan-pemasangan", pass_row(trail, plan=None))
    assert [box["nama"] for box in data["tanda_tangan"]] == ["Kartika Sari", "Indah Lestari"]


def test_who_passed_the_ticket_on_twice_stands_with_the_later_time(printed: Callable[..., Printed]) -> None:
    trail = installation.installation()
    at_row(9, trail)
    trail.act(Verb.REJECT, note="lengkapi posisi")
    again = at_row(9, trail).action.at
    _, data = printed("laporan-pemasangan", pass_row(trail, plan=None))
    assert f"pukul {again:%H.%M}" in data["tanda_tangan"][0]["waktu"]


def test_a_bast_to_which_nobody_passed_the_ticket_is_refused(forms: Forms) -> None:
    trail = installation.installation().jump("pemasangan.12")
    with pytest.raises(BadInput, match=rf"{TICKET} pemasangan\.12: nobody passed the ticket on"):
        forms.make("bast-penggunaan", pass_row(trail, plan=None))


@pytest.mark.parametrize(("row", "ordered"), [(14, "penyiapan Operating sistem"), (17, "Mendokumentasikan kegiatan")])
def test_an_instruction_orders_the_next_row(row: int, ordered: str, printed: Callable[..., Printed]) -> None:
    text, data = printed("instruksi", at_row(row))
    assert ordered in dict(section(data, "Isi instruksi"))["Kegiatan"]
    assert data["alamat"][0] == ["Kepada", "JFU"]
    assert installation.NOTES[row] in text


def test_the_instruction_for_machine_work_allows_the_approved_plan_only(printed: Callable[..., Printed]) -> None:
    _, at_work = printed("instruksi", at_row(14))
    _, later = printed("instruksi", at_row(17))
    allowed = "Hanya menurut rencana dengan SHA-256"
    assert dict(section(at_work, "Isi instruksi"))[allowed] == record().plan.digest
    assert allowed not in dict(section(later, "Isi instruksi"))


def test_the_report_of_the_work_tells_each_attempt_result_and_evidence(printed: Callable[..., Printed]) -> None:
    trail = installation.installation()
    at_row(14, trail)
    run(trail, Outcome.FAILED, note="check mode failed", order="99" * 32)
    run(trail, Outcome.UNKNOWN, note="connection lost")
    trail.act(Verb.SETTLE, outcome=Outcome.NOT_BEGUN, note="nothing was changed", position="jfu")
    text, data = printed("laporan-pelaksanaan", at_row(16, trail))
    assert [(row[0], row[4], row[5]) for row in section(data, "Percobaan")] == [
        ("1", "gagal", "rencana sebelumnya"),
        ("2", "hasil tidak diketahui", "ya"),
        ("3", "selesai", "ya"),
    ]
    assert [row[2:] for row in section(data, "Hasil")] == [
        ["dijalankan: gagal", "check mode failed"],
        ["dijalankan: hasil tidak diketahui", "connection lost"],
        ["hasil dipastikan: tidak dimulai", "nothing was changed"],
        ["dijalankan: selesai", "2 tasks changed antrean-01"],
    ]
    assert ["bukti-pengamanan.pdf", "3e" * 32] in section(data, "Berkas bukti")
    assert section(data, "Keterangan") == [["Hasil penyiapan", "server siap, 62 kontrol sesuai"]]
    assert "dua server Dell R650" not in text


def test_planning_at_the_row_itself_is_no_result_of_the_work(printed: Callable[..., Printed]) -> None:
    trail = installation.installation().jump("pemasangan.15")
    work = Technical(modules=("playbook.run",), executor="jfu", approver="kasie-infrastruktur")
    steps = (replace(step, technical=work) if step.technical else step for step in trail.procedure.steps)
    trail.procedure = replace(trail.procedure, steps=tuple(steps))
    attach_plan(trail, record(), position="jfu")
    _, data = printed("laporan-pelaksanaan", pass_row(trail.jump("pemasangan.16"), plan=None))
    assert "Hasil" not in titles(data)


def test_machine_work_that_was_not_done_is_told(printed: Callable[..., Printed]) -> None:
    trail = installation.installation().jump("pemasangan.16")
    _, data = printed("laporan-pelaksanaan", pass_row(trail, plan=None))
    assert ["Hasil", "belum dijalankan"] in section(data, "Pekerjaan mesin, baris pemasangan.15")


def journal(trail: Trail) -> Occasion:
    return at_row(18, trail)


def test_the_journal_tells_every_entry_by_day_the_present_one_last(printed: Callable[..., Printed]) -> None:
    text, data = printed("jurnal-harian", journal(installation.installation()))
    lines = [line for day in data["hari"] for line in day["entri"]]
    assert [day["tanggal"] for day in data["hari"]] == ["Senin, 23 November 2026", "Selasa, 24 November 2026"]
    assert [line["nomor"] for line in lines] == [str(number) for number in range(1, 20)]
    assert (lines[0]["tindakan"], lines[0]["oleh"], lines[0]["jabatan"]) == (
        "mengajukan permohonan",
        "Wulan Anggraini",
        "Pengguna/Admin",
    )
    assert [line["tindakan"] for line in lines if line["baris"] == "pemasangan.9"] == ["rencana dilampirkan", "Setuju"]
    assert lines[-1]["baris"] == "pemasangan.18"
    assert lines[-1]["kunci"] == f"{fingerprint(public_key('yusuf'))[:SHORT_KEY]}…"
    assert dict(data["rantai"])["Dibuat dari"] == "18 entri jurnal dan entri ini"
    assert "dijalankan: selesai" in text


def test_the_journal_holds_the_time_used_against_the_limit(printed: Callable[..., Printed]) -> None:
    _, data = printed("jurnal-harian", journal(installation.installation()))
    lines = {line["nomor"]: line for day in data["hari"] for line in day["entri"]}
    told = {number: (line["dipakai"], line["waktu"]) for number, line in lines.items()}
    assert told["1"] == ("", "15 Menit")
    assert told["2"] == ("1 jam 0 menit (terlambat)", "15 Menit")  # 08.30 to 09.30
    assert told["4"] == ("1 jam 0 menit", "1 jam")
    assert told["5"] == ("30 menit (terlambat)", "15 Menit")  # 11.30 to 12.30: noon is no office time
    assert told["9"] == ("", "")  # a plan is attached, the row goes on
    assert told["10"] == ("30 menit (terlambat)", "15 menit")  # 15.30 to 17.30: the office closed at 16.00
    assert told["12"] == ("0 menit", "1 jam")  # in the evening


def test_without_office_hours_the_journal_tells_the_limit_alone(tmp_path: Path) -> None:
    forms = Forms(forms_of_all(), occasions.settings(tmp_path), occasions.people())
    _, data = forms.make("jurnal-harian", journal(installation.installation()))
    lines = [line for day in json.loads(data.content)["hari"] for line in day["entri"]]
    assert {line["dipakai"] for line in lines} == {""}
    assert lines[1]["waktu"] == "15 Menit"


def test_a_journal_of_many_entries_is_printed_in_part_and_kept_whole(printed: Callable[..., Printed]) -> None:
    trail = installation.installation()
    at_row(8, trail)
    for number in range(700):
        attach_plan(trail, record(diff=str(number)))
    text, data = printed("jurnal-harian", journal(trail))
    assert sum(len(day["entri"]) for day in data["hari"]) == 719
    assert "lainnya" in text


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2026-11-23 08:00", "2026-11-23 08:45", 45),
        ("2026-11-23 11:30", "2026-11-23 13:30", 60),
        ("2026-11-23 15:00", "2026-11-24 08:00", 90),
        ("2026-11-20 16:00", "2026-11-23 08:00", 60),  # a week-end between
        ("2026-12-24 15:30", "2026-12-28 07:30", 30),  # Christmas and a week-end between
        ("2026-11-23 08:45", "2026-11-23 08:00", 0),
    ],
)
def test_office_time_is_counted_in_office_hours(start: str, end: str, minutes: int) -> None:
    moments = [datetime.fromisoformat(text).replace(tzinfo=ZONE) for text in (start, end)]
    assert office_time(HOURS, *moments) == timedelta(minutes=minutes)


def test_the_confirmation_is_the_applicants(printed: Callable[..., Printed]) -> None:
    text, data = printed("konfirmasi-kesiapan", at_row(19))
    assert [box["nama"] for box in data["tanda_tangan"]] == ["Wulan Anggraini"]
    assert section(data, "Keterangan") == [["Catatan penerimaan", "layanan sudah dicoba"]]
    names = [row[0] for row in section(data, "Dokumen tiket ini")]
    assert {"bukti-pengamanan.pdf", "laporan-pelaksanaan.pdf", "jurnal-harian.pdf"} <= set(names)
    assert "menerima konfirmasi kesiapan" in text


@pytest.mark.parametrize("form", ["jurnal-harian", *LETTERS])
def test_what_nobody_stated_is_left_out(form: str, printed: Callable[..., Printed]) -> None:
    trail = installation.installation(**dict.fromkeys((*OPTIONAL, "perihal", "kontak_nama", "kontak_email")))
    row = next(row for row, name in installation.FORMS_BY_ROW.items() if name == form)
    _, data = printed(form, at_row(row, trail, stated={}))
    absent = {"Perangkat server", "Kebutuhan", "Narahubung", "Catatan para pelaksana"}
    assert absent.isdisjoint(titles(data))
    assert not [part for part in data["bagian"] if not (part.get("isian") or part.get("baris") or part.get("teks"))]


def test_a_position_that_nobody_stated_is_told_as_such(printed: Callable[..., Printed]) -> None:
    _, data = printed("laporan-pemasangan", at_row(10, stated={}))
    assert section(data, "Posisi perangkat") == [["Posisi", "belum dicatat"]]


def test_an_agency_replaces_the_template_of_all_letters_or_of_one(tmp_path: Path, need: Callable[[str], str]) -> None:
    own = tmp_path / "templates" / "documents"
    own.mkdir(parents=True)
    forms = Forms(forms_of_all(), occasions.settings(tmp_path), occasions.people())
    (own / "naskah.typ").write_text('#import "kop.typ": *\n#show: lembar\nSEMUA')
    (own / "instruksi.typ").write_text('#import "kop.typ": *\n#show: lembar\nSATU')
    made = {form: read_pdf(forms.make(form, installation.of_form(form))[0].content, need) for form in LETTERS}
    assert {form for form, text in made.items() if "SEMUA" in text} == set(LETTERS) - {"instruksi"}
    assert "SATU" in made["instruksi"]
