"""A people file in which one person is two, or that cannot be meant, is refused by file, line and what to do."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from sopauto.errors import BadInput
from sopauto.people import load_people, public_key, read_people

POINT = bytes(range(32))


def wire(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def key(*, point: bytes = POINT, application: bytes | None = None, behind: bytes = b"") -> str:
    """Return a public key as text; with an application it is a FIDO key."""
    kind = b"ssh-ed25519" if application is None else b"sk-ssh-ed25519@openssh.com"
    parts = [kind, point] if application is None else [kind, point, application]
    return f"{kind.decode()} {base64.b64encode(wire(*parts) + behind).decode()}"


def ecdsa(point: bytes) -> str:
    blob = wire(b"ecdsa-sha2-nistp256", b"nistp256", point)
    return f"ecdsa-sha2-nistp256 {base64.b64encode(blob).decode()}"


def rsa(modulus: bytes, exponent: bytes = b"\x01\x00\x01") -> str:
    return f"ssh-rsa {base64.b64encode(wire(b'ssh-rsa', exponent, modulus)).decode()}"


def person(name: str, *, nip: str = "", email: str = "", keys: str = "", held: str = "", further: str = "") -> str:
    return f"""\
  - id: {name}
    nama: {name}
    nip: "{nip or "NIP " + name}"
    email: {email or name + "@x.go.id"}
    kunci: [{keys}]
    memegang: [{held}]
{further}"""


def of(text: str, since: str = "2026-01-01", until: str = "") -> str:
    return f'{{publik: "{text}", sejak: {since}{", sampai: " + until if until else ""}}}'


def held(position: str = "kadis", since: str = "2026-01-01", until: str = "", unit: str = "kominfo") -> str:
    return f"{{jabatan: {position}, unit: {unit}, sejak: {since}{', sampai: ' + until if until else ''}}}"


HEAD = """\
jabatan:
  - {id: kadis, nama: Kepala Dinas}
  - {id: kabid, nama: Kepala Bidang, atasan: kadis}
unit:
  - {id: kominfo, nama: Kominfo}
orang:
"""


def write(tmp_path: Path, *persons: str, head: str = HEAD) -> Path:
    path = tmp_path / "people.yaml"
    path.write_text(head + "".join(persons))
    return path


def refused(path: Path) -> str:
    """Return the one line of the refusal; the same file can still be read."""
    with pytest.raises(BadInput) as told:
        load_people(path)
    assert read_people(path).faults
    assert "\n" not in str(told.value)
    assert str(told.value).startswith(f"{path}:")
    return str(told.value).removeprefix(str(path))


SAME = [
    pytest.param(key(), f"{key()} siti@laptop", id="comment"),
    pytest.param(key(), key().replace(" ", "   "), id="blanks"),
    pytest.param(key(application=b"ssh:"), key(application=b"ssh:kantor"), id="application"),
    pytest.param(key(), key(application=b"ssh:"), id="type"),
    pytest.param(rsa(b"\x00" + b"\xff" * 384), rsa(b"\x00" + b"\xff" * 384, b"\x03"), id="exponent"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_key_of_two_persons_is_refused_in_whatever_form(tmp_path: Path, one: str, other: str) -> None:
    told = refused(write(tmp_path, person("siti", keys=of(one)), person("sita", keys=of(other))))
    assert told.startswith(":17: sita has the key of siti (line 11): a key is one person's; ")


def test_one_key_of_two_persons_is_refused_whatever_its_days(tmp_path: Path) -> None:
    early, late = of(key(), "2020-01-01", "2020-12-31"), of(key(), "2026-01-01")
    assert "has the key of" in refused(write(tmp_path, person("siti", keys=early), person("sita", keys=late)))


def test_one_key_twice_of_one_person_is_refused_for_the_same_days_alone(tmp_path: Path) -> None:
    twice = f"{of(key())}, {of(key() + ' again', '2026-03-01')}"
    assert "stands already on line 11" in refused(write(tmp_path, person("siti", keys=twice)))
    again = f"{of(key(), '2020-01-01', '2020-12-31')}, {of(key())}"
    assert len(load_people(write(tmp_path, person("siti", keys=again))).person("siti").keys) == 2


def test_a_key_has_one_form() -> None:
    # The last base64 letter before `=` holds bits that no byte needs.
    other = ecdsa(b"\x04" + b"\x01" * 64).removesuffix("=") + "="
    assert other[-2] != "F"
    assert public_key(f"{other[:-2]}F=") == public_key(other)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (key(behind=b"\x00"), "behind its end"),
        (key(point=b"\x01" * 31), "length of its type"),
        (key()[:-8], "cut off|not base64"),
        (ecdsa(b"\x02" + b"\x01" * 32), "not one of its curve"),
        (ecdsa(b"\x04" + b"\x01" * 63), "not one of its curve"),
        (rsa(b"\x00\x00" + b"\xff" * 384), "zeros in front"),
        (rsa(b"\x00" + b"\xff" * 384, b"\x00\x01\x00\x01"), "zeros in front"),
        (rsa(b"\x7f" * 300), "less than 3072 bits"),
    ],
)
def test_another_form_of_a_key_is_no_key(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        public_key(text)


@pytest.mark.parametrize(
    "nip",
    [
        "198703122010012004",
        "19870312 201001 2 004",
        "19870312.201001.2.004",
        "\uff11\uff19\uff18\uff1703122010012004",
        "NIP. 198703122010012004",
        "nip:198703122010012004",
        "I98703l220100I2OO4",
    ],
)
def test_one_nip_of_two_persons_is_refused_however_it_is_written(tmp_path: Path, nip: str) -> None:
    told = refused(write(tmp_path, person("siti", nip="198703122010012004"), person("sita", nip=nip)))
    assert told.startswith(":13: sita has the NIP of siti (line 7)")


def test_who_has_no_nip_is_nobodys_second_self(tmp_path: Path) -> None:
    load_people(write(tmp_path, person("siti", nip="-"), person("sita", nip="-")))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([person("siti", keys=of(key(), "2026-02-01", "2026-01-31"))], ":11: `sampai` 2026-01-31 lies before"),
        ([person("siti", held=held(since="2026-02-01", until="2025-02-01"))], ":12: `sampai` 2025-02-01 lies before"),
        (
            [person("siti", held=f"{held()}, {held(since='2026-05-01')}")],
            "holds kadis in kominfo on these days already",
        ),
        ([person("siti", held=held("kadiss"))], ":12: unknown position 'kadiss'; did you mean 'kadis'?"),
        ([person("siti", held=held(unit="dinkes"))], ":12: unknown unit 'dinkes'"),
        ([person("siti"), person("siti")], ":13: the person 'siti' is listed twice (line 7)"),
        ([person("budi.s"), person("budi-s", nip="2")], "'budi-s' looks like 'budi.s'"),
        ([person("joko"), person("j0ko", nip="2")], "'j0ko' looks like 'joko'"),
        ([person("siti", further="    atasan_langsung: siti\n")], "'siti' is its own superior"),
        ([person("siti", further="    atasan_langsung: sita\n")], "unknown person 'sita'"),
        (
            [
                person("siti", further="    atasan_langsung: budi\n"),
                person("budi", further="    atasan_langsung: siti\n"),
            ],
            ":7: the person 'siti' is its own superior (siti → budi → siti)",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, rows: list[str], told: str) -> None:
    assert told in refused(write(tmp_path, *rows))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("nama: Kepala Dinas}", "nama: Kepala Dinas, atasan: kabid}", "'kadis' is its own superior (kadis → kabid"),
        ("nama: Kepala Dinas}", "nama: Kepala Dinas, atasan: kadis}", "'kadis' is its own superior"),
        ("atasan: kadis", "atasan: bupati", ":3: unknown position 'bupati'"),
        ("id: kabid", "id: kadis", ":3: the position 'kadis' is listed twice (line 2)"),
        ("unit:\n", "unit:\n  - {id: kominfo, nama: Lain}\n", "the unit 'kominfo' is listed twice"),
    ],
)
def test_positions_and_units_are_sound_too(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in HEAD
    assert told in refused(write(tmp_path, person("siti"), head=HEAD.replace(old, new, 1)))


def test_several_faults_are_one_line_that_names_the_other_lines(tmp_path: Path) -> None:
    told = refused(write(tmp_path, person("siti", held=held("x")), person("siti", held=held("y"))))
    assert told.endswith("(and 2 more: line 13, 18)")


def test_two_positions_at_once_and_one_address_of_an_office_are_allowed(tmp_path: Path) -> None:
    both = f"{held()}, {held('kabid')}"
    shared = person("sita").replace("sita@", "siti@")
    people = load_people(write(tmp_path, person("siti", held=both), shared))
    assert people.remarks == ("siti and sita share the e-mail siti@x.go.id",)


@pytest.mark.parametrize(
    "email",
    ["siti", "siti@", "@x.go.id", "siti@x", "siti@x..go.id", "siti at x.go.id", f"{'s' * 65}@x.go.id", "s@x.go.id>"],
)
def test_an_e_mail_address_that_is_none_is_told_with_its_line(tmp_path: Path, email: str) -> None:
    told = refused(write(tmp_path, person("hadi"), person("siti", email=f'"{email}"')))
    assert told.startswith(":16: `email`: ")
    assert "is not an e-mail address" in told
