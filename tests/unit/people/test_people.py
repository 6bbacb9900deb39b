"""Who held which position and key on which day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from sopauto.errors import BadInput
from sopauto.people import load_people, public_key

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEN+o4GSbBCIWbOx9kgW5j8ZNb5W7KY7bVZjpEfl/wj3"
FILE = f"""\
jabatan:
  - {{id: kadis, nama: Kepala Dinas}}
  - {{id: kabid, nama: Kepala Bidang, atasan: kadis}}
unit:
  - {{id: kominfo, nama: Kominfo}}
  - {{id: dinkes, nama: Dinkes}}
orang:
  - id: siti
    nama: Siti
    nip: "0071"
    email: siti@x.go.id
    kunci:
      - {{publik: "{KEY} siti@laptop", sejak: 2026-01-01, sampai: 2026-06-30}}
    memegang:
      - {{jabatan: kadis, unit: kominfo, sejak: 2026-01-01, sampai: 2026-03-31}}
      - {{jabatan: kabid, unit: dinkes, sejak: 2026-04-01}}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "people.yaml"
    path.write_text(text)
    return path


def test_positions_are_held_from_their_first_to_their_last_day(tmp_path: Path) -> None:
    people = load_people(write(tmp_path, FILE))
    assert not people.holds("siti", "kadis", date(2025, 12, 31))
    assert people.holds("siti", "kadis", date(2026, 1, 1))
    assert people.holds("siti", "kadis", date(2026, 3, 31))
    assert not people.holds("siti", "kadis", date(2026, 4, 1))
    assert people.holds("siti", "kabid", date(2030, 1, 1))


def test_a_position_of_another_unit_does_not_count(tmp_path: Path) -> None:
    people = load_people(write(tmp_path, FILE))
    assert people.holds("siti", "kabid", date(2026, 5, 1), unit="dinkes")
    assert not people.holds("siti", "kabid", date(2026, 5, 1), unit="kominfo")
    assert people.holders("kabid", date(2026, 5, 1), unit="kominfo") == []


def test_keys_are_theirs_for_their_days_and_without_comment(tmp_path: Path) -> None:
    people = load_people(write(tmp_path, FILE))
    assert [key.public for key in people.keys("siti", date(2026, 6, 30))] == [KEY]
    assert people.keys("siti", date(2026, 7, 1)) == []


def test_a_nip_keeps_its_zeros(tmp_path: Path) -> None:
    assert load_people(write(tmp_path, FILE)).person("siti").nip == "0071"


def test_an_unknown_name_is_bad_input_with_the_nearest_one(tmp_path: Path) -> None:
    people = load_people(write(tmp_path, FILE))
    with pytest.raises(BadInput, match="did you mean 'siti'"):
        people.person("sitti")
    with pytest.raises(BadInput, match="unknown position"):
        people.position("walikota")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("memegang:", "megang:", "did you mean 'memegang'"),
        ("id: siti", "id: 'siti; rm'", "is no id"),
        ("id: siti", "id: 'a,b*'", "is no id"),
        ("jabatan: kadis,", "jabatan: kadiss,", "unknown position"),
        ("unit: kominfo, sejak", "unit: komimfo, sejak", "unknown unit"),
        ("atasan: kadis", "atasan: bupati", "unknown position"),
        ("2026-03-31", "31-03-2026", "is not a date"),
        ("ssh-ed25519", "ssh-dss", "no public key of a known type"),
        (KEY, "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIEN+o4GSbBCIWbOx9kgW5j8ZNb5W7KY7bVZjpEfl/wj3", "do not belong together"),
        (KEY, "ssh-ed25519 ????", "not base64"),
        ("nama: Siti", "nama: ''", "'nama' is missing"),
        ("orang:", "orang: x\nlain:", "unknown key"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in FILE
    with pytest.raises(BadInput, match=told):
        load_people(write(tmp_path, FILE.replace(old, new, 1)))


def test_a_short_rsa_key_is_refused() -> None:
    import base64

    blob = b"\x00\x00\x00\x07ssh-rsa" + b"\x00\x00\x00\x03\x01\x00\x01" + b"\x00\x00\x01\x01" + b"\x00" * 257
    with pytest.raises(ValueError, match="less than 3072 bits"):
        public_key(f"ssh-rsa {base64.b64encode(blob).decode()}")
