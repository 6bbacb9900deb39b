"""What is stated is held against the day, the unit, other fields, and against words that are no answer."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sopauto.errors import BadInput
from sopauto.procedures.bounds import Asked
from sopauto.procedures.check import check
from sopauto.procedures.fields import validate
from sopauto.procedures.known import Known
from sopauto.procedures.library import Library
from sopauto.procedures.model import Field

NOW = datetime(2026, 11, 26, 9, 0, 30, tzinfo=ZoneInfo("Asia/Jakarta"))
ASKED = Asked(now=NOW, unit=("dinkes", "Dinas Kesehatan"), stated={"tanggal": "2026-11-20"})


def field(kind: str = "tanggal", **more: object) -> Field:
    return Field(name="isi", label="Isi", kind=kind, **more)  # type: ignore[arg-type]


def stated(value: object, of: Field) -> object:
    return validate([of], {"isi": value}, "surat", asked=ASKED).get("isi")


@pytest.mark.parametrize(
    ("value", "of"),
    [
        ("2026-11-26", field(latest="hari-ini")),
        ("2026-11-26", field(latest="sekarang")),
        ("2026-11-26", field(earliest="sekarang")),
        ("2026-11-26 09:00", field("tanggal-jam", earliest="sekarang", latest="sekarang")),
        ("2026-11-26 00:00", field("tanggal-jam", earliest="hari-ini")),
        ("2026-11-26 02:01Z", field("tanggal-jam", earliest="sekarang")),
        ("2026-11-26 23:59", field("tanggal-jam", latest="hari-ini")),
        ("2026-12-26", field(latest="hari-ini+30")),
        ("2026-11-20", field(earliest="tanggal", latest="tanggal")),
        ("2026-11-20 00:00", field("tanggal-jam", earliest="tanggal")),
        ("1990-01-01", field()),
    ],
)
def test_what_lies_within_its_bounds_is_taken(value: str, of: Field) -> None:
    assert stated(value, of) is not None


@pytest.mark.parametrize(
    ("value", "of", "told"),
    [
        (
            "2030-01-01",
            field(latest="hari-ini"),
            "after hari-ini (2026-11-26): 2030-01-01; write 2026-11-26 or earlier",
        ),
        ("2026-11-27", field(latest="hari-ini"), "lies after"),
        ("2020-01-01 09:00", field("tanggal-jam", earliest="sekarang"), "lies before sekarang (2026-11-26 09:00)"),
        ("2026-11-26 08:59", field("tanggal-jam", earliest="sekarang"), "lies before"),
        ("2026-11-26 01:59Z", field("tanggal-jam", earliest="sekarang"), "lies before"),
        ("2026-11-26 09:01", field("tanggal-jam", latest="sekarang"), "lies after"),
        ("2026-12-27", field(latest="hari-ini+30"), "lies after hari-ini+30 (2026-12-26)"),
        ("2026-11-19", field(earliest="tanggal"), "lies before tanggal (2026-11-20)"),
        ("2026-11-19 23:59", field("tanggal-jam", earliest="tanggal"), "lies before tanggal"),
        ("2025-12-31", field(earliest="2026-01-01"), "lies before 2026-01-01"),
    ],
)
def test_what_lies_outside_is_refused_with_the_bound(value: str, of: Field, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        stated(value, of)
    assert told in str(refused.value)


def test_fields_of_one_letter_are_held_against_each_other() -> None:
    fields = [
        Field(name="dari", label="Dari", kind="tanggal"),
        Field(name="sampai", label="Sampai", kind="tanggal", required=False, earliest="dari"),
    ]
    assert validate(fields, {"dari": "2026-12-01"}, "surat", asked=ASKED) == {"dari": "2026-12-01"}
    with pytest.raises(BadInput, match="'Sampai' lies before dari"):
        validate(fields, {"dari": "2026-12-01", "sampai": "2026-11-30"}, "surat", asked=ASKED)


@pytest.mark.parametrize("name", ["dinkes", "Dinas Kesehatan", "dinas  kesehatan "])
def test_the_unit_of_a_letter_is_the_one_that_opens_the_ticket(name: str) -> None:
    assert stated(name, field("opd")) == "Dinas Kesehatan"


@pytest.mark.parametrize("name", ["Bappeda", "Dinas Kesehatan Kota", "kominfo", "-"])
def test_another_unit_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="the ticket is opened for 'Dinas Kesehatan'"):
        stated(name, field("opd"))


NO_ANSWERS = ["-", "--", ".", "…", "?", "n/a", "N.A.", "xxx", "XX", "tidak ada", "(Tidak ada)", "nihil", "TBD", "* * *"]
NO_ANSWERS += ["\u3164", "\u115f \u1160", "\uffa0", "\u2800"]


@pytest.mark.parametrize("text", NO_ANSWERS)
def test_a_text_that_only_stands_in_for_an_answer_is_refused_or_left_blank(text: str) -> None:
    with pytest.raises(BadInput, match="that is no answer"):
        stated(text, field("teks"))
    assert stated(text, field("teks", required=False)) is None
    assert stated(text, field("teks", placeholders=True)) == text


@pytest.mark.parametrize("text", ["hitam", "A", "0", "7", "tidak ada kunci rak", "-A-", "x86", "Naomi", "X"])
def test_short_answers_are_answers(text: str) -> None:
    assert stated(text, field("teks")) == text


def test_the_shipped_procedures_bound_their_letters_and_moments() -> None:
    library = Library(())
    for procedure in library.all():
        dated = {each.name: each for each in procedure.letter}
        assert dated["tanggal"].latest == "hari-ini", procedure.code
    units = {p.code for p in library.all() for each in p.letter if each.kind == "opd"}
    assert units == {p.code for p in library.all()} - {"review-akses"}
    drop_off = {each.name: each for step in library.get("penitipan-server").steps for each in step.fields}
    assert drop_off["waktu_penitipan"].earliest == "sekarang"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("paling_lambat: besok pagi", "'besok pagi' is no bound"),
        ("paling_lambat: 2026-13-01", "is no bound"),
        ("paling_awal: perihal", "is held against 'perihal', which is no day of the letter"),
        ("paling_awal: tidak_dikenal", "is held against 'tidak_dikenal'"),
    ],
)
def test_bounds_that_mean_nothing_are_found(tmp_path: Path, line: str, told: str) -> None:
    path = next(path for path in Library(()).files() if path.name == "review_akses.yaml")
    text = path.read_text().replace("jenis: tanggal, paling_lambat: hari-ini}", f"jenis: tanggal, {line}}}", 1)
    found = check(text.encode(), str(tmp_path / "a.yaml"), Known())
    assert any(told in finding.what for finding in found), found
