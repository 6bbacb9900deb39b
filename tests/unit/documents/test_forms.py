"""The forms: what stands on the paper, what is missing, and what the JSON beside it holds."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lab.cast import drop_off
from sopauto.app import forms as forms_of_all
from sopauto.documents.forms import Forms
from sopauto.errors import BadInput
from sopauto.inventory.reports.sheet import size
from sopauto.machines.host_keys import fingerprint
from sopauto.servers.forms import LETTERS
from sopauto.tickets.desk import Occasion
from sopauto.tickets.model import Letter, Outcome, Verb
from tests.unit.documents import entering, installation, installing, occasions
from tests.unit.documents.occasions import Books, Register
from tests.unit.inventory.reading.test_snapshot import answer

Printed = tuple[str, dict[str, Any]]
"""The text of the PDF on one line, and the JSON."""

FORMS = forms_of_all()
OCCASIONS: dict[str, Callable[[], Occasion]] = {
    "lembar-disposisi": lambda: occasions.begin(drop_off()).act(Verb.APPROVE, note="Mohon diproses"),
    "serah-terima-barang": occasions.handed_over,
    "inventaris-server": occasions.inventoried,
    "bast-pengembalian": occasions.handed_back,
    "form-instalasi": installing.taken_back,
    "formulir-permintaan-akses": entering.asked,
    "formulir-daftar-akses": entering.registered,
    "formulir-penghapusan-akses": entering.removed,
    "formulir-review-akses": entering.reviewed,
    **{form: partial(installation.of_form, form) for form in ("jurnal-harian", *LETTERS)},
}


def test_every_form_has_an_occasion() -> None:
    assert OCCASIONS.keys() == FORMS.keys()


@pytest.fixture
def forms(tmp_path: Path) -> Forms:
    return Forms(FORMS, occasions.settings(tmp_path), occasions.people())


@pytest.fixture
def printed(forms: Forms, need: Callable[[str], str]) -> Callable[[str, Occasion], Printed]:
    def make(form: str, occasion: Occasion) -> Printed:
        pdf, data = forms.make(form, occasion)
        return read_pdf(pdf.content, need), json.loads(data.content)

    return make


def read_pdf(content: bytes, need: Callable[[str], str]) -> str:
    command = [need("pdftotext"), "-layout", "-", "-"]
    text = subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode()
    return " ".join(text.replace("\u200b", "").split())


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for part in value.values() if isinstance(value, dict) else value:
            yield from leaves(part)


def squeezed(text: str) -> str:
    return "".join(text.split()).casefold()


@pytest.mark.parametrize("form", FORMS)
def test_the_pdf_prints_everything_that_stands_in_the_json(form: str, forms: Forms, need: Callable[[str], str]) -> None:
    pdf, data = forms.make(form, OCCASIONS[form]())
    # Without -layout the text follows the cells, so that a broken line stays together.
    command = [need("pdftotext"), "-raw", "-", "-"]
    raw = subprocess.run(command, input=pdf.content, capture_output=True, check=True).stdout.decode()
    text = squeezed(raw.replace("\u200b", ""))
    assert [leaf for leaf in leaves(json.loads(data.content)) if squeezed(leaf) not in text] == []


@pytest.mark.parametrize("form", FORMS)
def test_a_form_bears_letterhead_title_number_and_the_sop(form: str, printed: Callable[..., Printed]) -> None:
    occasion = OCCASIONS[form]()
    text, data = printed(form, occasion)
    assert "DINAS KOMUNIKASI DAN INFORMATIKA" in text
    assert FORMS[form].title.upper() in text
    assert f"Nomor: {data['nomor']}" in text
    assert f"baris {occasion.step.id}" in text
    assert occasion.procedure.head.number in text
    assert "halaman 1 dari" in text


@pytest.mark.parametrize("form", FORMS)
def test_a_form_names_signer_position_time_and_key(form: str, printed: Callable[..., Printed]) -> None:
    occasion = OCCASIONS[form]()
    text, data = printed(form, occasion)
    person = occasions.people().person(occasion.action.person)
    [signed] = [box for box in data["tanda_tangan"] if box.get("nip") == person.nip]
    assert signed["nama"] == person.name
    assert signed["jabatan"] == occasions.people().position(occasion.action.position).title
    assert signed["kunci"] == [fingerprint(occasions.public_key(person.id))]
    assert "pukul" in signed["waktu"]
    assert signed["waktu"].endswith("WIB")
    assert "ditandatangani secara elektronik" in text
    assert "ssh-keygen -Y verify" in text


@pytest.mark.parametrize("form", FORMS)
def test_the_same_occasion_makes_the_same_bytes(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Forms(FORMS, occasions.settings(tmp_path), occasions.people()).make(form, OCCASIONS[form]())
    monkeypatch.setenv("TZ", "America/Lima")
    monkeypatch.chdir(tmp_path)
    again = Forms(FORMS, occasions.settings(tmp_path / "elsewhere"), occasions.people()).make(form, OCCASIONS[form]())
    assert [artifact.content for artifact in first] == [artifact.content for artifact in again]


def test_the_pdf_was_made_at_the_moment_of_the_action(forms: Forms, need: Callable[[str], str]) -> None:
    occasion = occasions.handed_over()
    pdf, _ = forms.make("serah-terima-barang", occasion)
    command = [need("pdfinfo"), "-isodates", "-"]
    told = subprocess.run(command, input=pdf.content, capture_output=True, check=True, env={"TZ": "UTC"}).stdout
    assert b"2026-11-23T04:30:00" in told  # 11.30 WIB


def test_the_disposition_sheet_grows_by_a_line_with_each_disposition(printed: Callable[..., Printed]) -> None:
    trail = occasions.begin(drop_off())
    _, first = printed("lembar-disposisi", trail.act(Verb.APPROVE, note="Mohon diproses sesuai SOP"))
    text, second = printed("lembar-disposisi", trail.act(Verb.APPROVE, note="Siapkan tempat"))
    assert first["disposisi"] == second["disposisi"][:1]
    assert [(row["dari"]["nama"], row["kepada"], row["catatan"]) for row in second["disposisi"]] == [
        ("Hadi Prasetyo", "Kabid Infrastruktur dan Aplikasi TIK", "Mohon diproses sesuai SOP"),
        ("Ratna Dewi", "Kasi Layanan Infrastruktur TIK", "Siapkan tempat"),
    ]
    assert second["disposisi"][0]["dari"]["kunci"] == [fingerprint(occasions.public_key("hadi"))]
    assert "20 November 2026" in text
    assert "Permohonan penitipan server SIMPUS" in text


def test_a_disposition_after_a_return_stands_below_the_earlier_one(printed: Callable[..., Printed]) -> None:
    trail = occasions.begin(drop_off())
    trail.act(Verb.APPROVE, note="pertama")
    trail.act(Verb.REJECT, note="kurang jelas")
    _, data = printed("lembar-disposisi", trail.act(Verb.APPROVE, note="kedua"))
    assert [row["catatan"] for row in data["disposisi"]] == ["pertama", "kedua"]


def test_the_disposition_sheet_serves_an_sop_whose_letter_has_no_subject(printed: Callable[..., Printed]) -> None:
    fields = {
        "nomor_surat": "FPA/7/2026",
        "tanggal": "2026-11-20",
        "opd": "Dinas Kesehatan",
        "nama_pengakses": "Siti",
        "nip_pengakses": "1",
        "jenis_akses": "tetap",
        "keperluan": "perawatan",
        "berlaku_dari": "2026-11-24",
        "kontak_email": "siti@dinkes.example.go.id",
    }
    letter = Letter(procedure="akses-ruang-server", unit="dinkes", applicant="siti", fields=fields)
    _, data = printed("lembar-disposisi", occasions.begin(letter).jump("akses.3").act(Verb.APPROVE, position="kadis"))
    assert ["Nomor formulir permintaan", "FPA/7/2026"] in data["surat"]


def test_the_hand_over_form_holds_features_place_and_both_parties(printed: Callable[..., Printed]) -> None:
    text, data = printed("serah-terima-barang", occasions.handed_over())
    assert ["Ciri-ciri server", "warna hitam, stiker inventaris 0271"] in data["ciri"]
    assert data["menyerahkan"] == [["Nama", "Agus Wibowo"], ["Unit kerja", "Dinas Kesehatan"]]
    assert data["menerima"] == [["Nama", "Joko Santoso"], ["Jabatan", "Technical Support"]]
    assert ["Rak", "R1, unit 3 sampai 4"] in data["tempat"]
    assert "10.20.30.10" in text
    assert text.index("Pihak yang menyerahkan") < text.index("Pihak yang menerima")


def test_who_hands_over_is_told_apart_from_who_signed_the_handing_over(printed: Callable[..., Printed]) -> None:
    _, data = printed("serah-terima-barang", occasions.handed_over())
    giver = data["tanda_tangan"][0]
    assert giver["nama"] == "Agus Wibowo"
    assert giver["keterangan"] == "baris penitipan.10, oleh Siti Rahmawati"
    assert giver["kunci"] == [fingerprint(occasions.public_key("siti"))]
    assert "nip" not in giver


def test_a_feature_of_full_length_is_printed_whole(printed: Callable[..., Printed]) -> None:
    features = {"spesifikasi": "x", "ciri": "stiker " * 142 + "ujung"}
    text, _ = printed("serah-terima-barang", occasions.handed_over(features=features))
    assert "ujung" in text


def test_a_server_without_a_place_has_no_hand_over_form(forms: Forms) -> None:
    books = Books(assets=Register([occasions.server(place=None)]))
    with pytest.raises(BadInput, match=r"PS-2026-0001 penitipan\.12: simpus-01 has no place"):
        forms.make("serah-terima-barang", occasions.handed_over(books))


def test_the_inventory_form_holds_server_and_network_data(printed: Callable[..., Printed]) -> None:
    text, data = printed("inventaris-server", occasions.inventoried())
    assert ["Prosesor", "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz (4 inti, 8 utas)"] in data["server"]
    assert ["Memori", "32.0 GiB"] in data["server"]
    assert ["Menyala selama", "1 hari 3 jam"] in data["server"]
    assert ["Gateway", "192.0.2.1"] in data["jaringan"]
    lists = {one["judul"]: one["baris"] for one in data["daftar_server"] + data["daftar_jaringan"]}
    assert ["sda", "3.6 TiB", "ST4000NM", "-", "PASSED"] in lists["Disk"]
    assert lists["Sistem berkas"][1][3] == "94 %"
    assert lists["Terhubung ke"] == [["eno1", "sw1", "GigabitEthernet1/0/7"]]
    assert "Selasa, 24 November 2026 pukul 09.00 WIB" in text
    assert "b0:7b:25:00:00:01" in text
    assert data["tidak_terbaca"] == ["server.serial: needs root"]


def test_a_long_list_is_printed_in_part_and_kept_whole(printed: Callable[..., Printed]) -> None:
    services = [{"name": f"layanan-{number:04}", "state": "running"} for number in range(2000)]
    text, data = printed("inventaris-server", occasions.inventoried(services=services))
    [kept] = [table for table in data["daftar_server"] if table["judul"] == "Layanan"]
    assert len(kept["baris"]) == 2000
    assert "Layanan (2000)" in text
    assert "layanan-0019" in text
    assert "layanan-0020" not in text
    assert "dan 1980 lainnya" in text


def test_a_server_that_tells_nothing_still_has_its_form(forms: Forms) -> None:
    trail = occasions.begin(drop_off()).jump("konfigurasi.7")
    occasion = trail.act(Verb.RUN, outcome=Outcome.DONE, facts={"snapshot": answer()})
    _, content = forms.make("inventaris-server", occasion)
    assert ["Memori", "-"] in json.loads(content.content)["server"]


def test_without_an_inventory_there_is_no_inventory_form(forms: Forms) -> None:
    trail = occasions.begin(drop_off()).jump("penitipan.10")
    with pytest.raises(BadInput, match="there is no inventory to fill in"):
        forms.make("inventaris-server", trail.act(Verb.DONE))


def test_the_return_stands_beside_the_drop_off(printed: Callable[..., Printed]) -> None:
    _, data = printed("bast-pengembalian", occasions.handed_back())
    assert {row["hal"]: row["hasil"] for row in data["banding"]} == {
        "Nama host": "sesuai",
        "Merek dan model": "sesuai",
        "Nomor seri": "sesuai",
        "Spesifikasi": "sesuai",
        "Ciri-ciri": "sesuai",
    }
    assert ["Formulir Serah Terima Barang", "PS-2026-0001"] in data["formulir_awal"]
    assert ["SHA-256", "ab" * 32] in data["formulir_awal"]
    assert data["keadaan"] == [["Keadaan server waktu dikembalikan", "baik dan lengkap"]]
    assert "baris pengembalian.9" in data["tanda_tangan"][1]["keterangan"]


def test_another_serial_number_on_return_is_told(printed: Callable[..., Printed]) -> None:
    text, data = printed("bast-pengembalian", occasions.handed_back(nomor_seri="VM-9999"))
    [line] = [row for row in data["banding"] if row["hal"] == "Nomor seri"]
    assert line == {"hal": "Nomor seri", "dititipkan": "VM-0271", "dikembalikan": "VM-9999", "hasil": "BERBEDA"}
    assert "BERBEDA" in text


def test_every_answer_of_the_check_is_told_with_its_note(printed: Callable[..., Printed]) -> None:
    trail = occasions.return_at_check(Books())
    trail.act(Verb.REJECT, note="penutup depan hilang")
    trail.jump("pengembalian.7").act(Verb.APPROVE, note="penutup ditemukan")
    _, data = printed("bast-pengembalian", trail.act(Verb.DONE, data=occasions.HANDED_BACK))
    assert [(check["hasil"], check["catatan"]) for check in data["pemeriksaan"]] == [
        ("tidak sesuai", "penutup depan hilang"),
        ("sesuai", "penutup ditemukan"),
    ]


@pytest.mark.parametrize("answers", [(), (Verb.REJECT,), (Verb.APPROVE, Verb.REJECT)])
def test_a_return_that_was_not_found_in_order_has_no_bast(answers: tuple[Verb, ...], forms: Forms) -> None:
    trail = occasions.return_at_check(Books())
    for verb in answers:
        trail.jump("pengembalian.7").act(verb)
    occasion = trail.jump("pengembalian.8").act(Verb.DONE, data=occasions.HANDED_BACK)
    with pytest.raises(BadInput, match="was not checked against its drop-off form"):
        forms.make("bast-pengembalian", occasion)


def test_a_return_that_names_the_ticket_of_another_server_has_no_bast(forms: Forms) -> None:
    books = Books(assets=Register([occasions.server(), occasions.server(id="lain-01")]))
    with pytest.raises(BadInput, match="PS-2026-0001 is not the drop-off of lain-01"):
        forms.make("bast-pengembalian", occasions.handed_back(books, nama_host="lain-01"))


def test_a_return_that_names_the_ticket_of_another_unit_has_no_bast(forms: Forms) -> None:
    books = Books()
    trail = occasions.return_at_check(books)
    books.tickets["PS-2026-0001"] = books.tickets["PS-2026-0001"].with_changes(unit="bappeda")
    trail.act(Verb.APPROVE)
    with pytest.raises(BadInput, match="PS-2026-0001 is not the drop-off of simpus-01"):
        forms.make("bast-pengembalian", trail.act(Verb.DONE, data=occasions.HANDED_BACK))


def test_a_return_that_names_no_known_ticket_has_no_bast(forms: Forms) -> None:
    with pytest.raises(BadInput, match="unknown ticket 'PS-2026-0077'"):
        forms.make("bast-pengembalian", occasions.handed_back(tiket_penitipan="PS-2026-0077"))


def test_a_return_without_the_form_of_the_drop_off_has_no_bast(forms: Forms) -> None:
    books = Books()
    trail = occasions.return_at_check(books)
    books.kept["PS-2026-0001"] = books.kept["PS-2026-0001"][:-1]
    trail.act(Verb.APPROVE)
    with pytest.raises(BadInput, match="PS-2026-0001 holds no Formulir Serah Terima Barang"):
        forms.make("bast-pengembalian", trail.act(Verb.DONE, data=occasions.HANDED_BACK))


@pytest.mark.parametrize("form", FORMS)
def test_what_a_form_needs_and_nobody_said_is_told_in_one_line(form: str, forms: Forms) -> None:
    for name in FORMS[form].required:
        occasion = OCCASIONS[form]()
        for where in (occasion.before, occasion.after):
            object.__setattr__(where, "letter", {k: v for k, v in where.letter.items() if k != name})
            object.__setattr__(where, "data", {k: v for k, v in where.data.items() if k != name})
        data = {k: v for k, v in occasion.action.data.items() if k != name}
        object.__setattr__(occasion.action, "data", data)
        with pytest.raises(BadInput, match=f"{form} needs '{name}'") as caught:
            forms.make(form, occasion)
        assert str(caught.value).startswith(f"{occasion.before.id} {occasion.step.id}: ")
        assert caught.value.mend


def test_an_unknown_form_is_refused_with_those_that_are_known(forms: Forms) -> None:
    with pytest.raises(BadInput, match=r"there is no form 'berita'; known: lembar-disposisi, jurnal-harian"):
        forms.make("berita", occasions.handed_over())


@pytest.mark.parametrize(
    ("count", "told"), [(None, "-"), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (960197124096, "894.3 GiB")]
)
def test_sizes_are_told_with_their_unit(count: int | None, told: str) -> None:
    assert size(count) == told
