"""What a letter or a row has to state: every fault at once, in one line."""

from __future__ import annotations

import pytest

from sopauto.errors import BadInput
from sopauto.procedures.fields import MAX_FAULTS, validate
from sopauto.procedures.model import Field

FIELDS = (
    Field(name="tanggal", label="Tanggal", kind="tanggal"),
    Field(name="tinggi", label="Tinggi", kind="bilangan", minimum=1, maximum=48),
    Field(name="surel", label="E-mail", kind="email"),
    Field(name="catatan", label="Catatan", required=False),
)


def told(data: object, where: object = "surat.yaml") -> str:
    with pytest.raises(BadInput) as caught:
        validate(FIELDS, data, where)  # type: ignore[arg-type]
    return str(caught.value)


def test_all_faults_are_told_at_once_in_one_line() -> None:
    line = told({"tanggal": "20-11-2026", "tinggi": 99, "warna": "biru\n"})
    assert line.isprintable()
    assert line.split("; ") == [
        "surat.yaml warna: unknown field 'warna'",
        "known: catatan, surel, tanggal, tinggi",
        "surat.yaml tanggal: 'Tanggal' is not a date: '20-11-2026'",
        "write year-month-day, e.g. 2026-11-21",
        "surat.yaml tinggi: 'Tinggi' is outside its bounds",
        "write a number from 1 to 48",
        "surat.yaml surel: 'E-mail' is missing",
        "state `surel`",
    ]


def test_one_fault_is_told_as_before() -> None:
    good = {"tanggal": "2026-11-20", "tinggi": 1, "surel": "a@b.id"}
    assert told({**good, "tinggi": "x"}) == "surat.yaml tinggi: 'Tinggi' is not a whole number; write digits only"
    assert validate(FIELDS, good, "surat.yaml")["tinggi"] == 1


def test_each_fault_stands_at_its_own_place() -> None:
    assert "x:tinggi: " in told({}, lambda name: f"x:{name}")


def test_of_very_many_faults_the_first_are_told() -> None:
    line = told({f"f{number}": 1 for number in range(1000)})
    assert line.count("unknown field") == MAX_FAULTS
    assert line.endswith(f"and {1003 - MAX_FAULTS} more")


@pytest.mark.parametrize("digits", ["0" * 16, "1" * 18, "9999 9999 9999 9999"])
def test_one_digit_over_and_over_is_nobodys_number(digits: str) -> None:
    field = Field(name="nip", label="NIP", kind="identitas")
    with pytest.raises(BadInput, match="is neither a NIP nor a NIK"):
        validate((field,), {"nip": digits}, "surat.yaml")
    assert validate((field,), {"nip": "19870312 201001 2 004"}, "surat.yaml") == {"nip": "198703122010012004"}
