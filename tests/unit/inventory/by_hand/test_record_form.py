"""The form of a server that no scan reads: what it makes, what it leaves open, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from sopauto.assets.model import Pool
from sopauto.data_file import parse_document
from sopauto.errors import BadInput
from sopauto.inventory.by_hand.blank_form import blank
from sopauto.inventory.by_hand.form import Form, read_form
from sopauto.inventory.comparing.difference import UNSAID, changes, unknown_facts
from sopauto.inventory.comparing.facts import READERS, facts_of
from sopauto.inventory.comparing.words import SENTENCES
from sopauto.inventory.kept.sections import join, split
from sopauto.inventory.reading.answer import MAX_TEXT
from tests.unit.inventory.placed import SERVER
from tests.unit.inventory.reading.test_snapshot import recorded

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LEAST = "jaringan: {antarmuka: [{nama: LAN, alamat: 192.0.2.30/24}]}\n"
WHOLE = """\
tanggal: 2026-11-18
perangkat: {merek: HPE, model: DL380 Gen10, nomor_seri: 007, tanggal_firmware: 2023-06-14}
prosesor: {model: Xeon Silver 4310, soket: 2, inti: 24, utas: 48}
memori: 64 GB
disk:
  - {nama: Disk 0, ukuran: "1,92 TB", model: PM893, nomor_seri: S64}
sistem_operasi: {nama: Windows Server, versi: 2022, id: windows-server}
jaringan:
  nama_host: WIN-01
  antarmuka:
    - {nama: Ethernet, mac: 00-11-22-AA-BB-CC, alamat: [192.0.2.30/24, "2001:db8::30/64"]}
  gateway: 192.0.2.1
  dns: [192.0.2.53]
perangkat_lunak:
  - {nama: SQL Server, versi: 16.0.1000.6}
  - {nama: 7-Zip, versi: 24}
layanan:
  - {nama: W3SVC, keadaan: running}
sertifikat:
  - {berkas: Default Web Site, subjek: CN = contoh.go.id, sampai: 2027-11-21}
"""


def read(text: str, root: Path, name: str = "win-01.yaml") -> dict[str, Any]:
    path = root / name
    path.write_text(text)
    return dict(json.loads(read_form(path, NOW).as_bytes()))


def fault(text: str, root: Path) -> str:
    with pytest.raises(BadInput) as caught:
        read(text, root)
    return str(caught.value).removeprefix(f"{root}/")


def told(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the differences of two snapshots in words, as `inventory.diff` tells them."""
    facts = [
        {fact: value for name in READERS for fact, value in facts_of(name, split(one)[name]).items()}
        for one in (before, after)
    ]
    return [one.words for one in changes(*facts, unknown_facts([*before["missing"], *after["missing"]]))]


def test_a_form_becomes_a_snapshot_like_any_other(tmp_path: Path) -> None:
    found = read(WHOLE, tmp_path)
    server, network = found["server"], found["network"]
    assert found["taken_at"] == "2026-11-18T23:59:59+00:00"
    assert (server["vendor"], server["model"], server["serial"]) == ("HPE", "DL380 Gen10", "007")
    assert server["bios_date"] == "2023-06-14"
    assert server["cpu"] == {"model": "Xeon Silver 4310", "sockets": 2, "cores": 24, "threads": 48}
    assert server["memory_bytes"] == 64 * 1024**3
    assert [(one["name"], one["size_bytes"]) for one in server["disks"]] == [("Disk 0", 1_920_000_000_000)]
    assert server["os"] == {"name": "Windows Server", "version": "2022", "id": "windows-server"}
    assert [one["name"] for one in server["packages"]] == ["7-Zip", "SQL Server"]
    assert server["packages_count"] == 2
    assert server["services"] == [{"name": "W3SVC", "state": "running", "starts": None}]
    assert server["certificates"][0]["expires"] == "2027-11-21T00:00:00+00:00"
    (card,) = network["interfaces"]
    assert (card["mac"], card["addresses"]) == ("00:11:22:aa:bb:cc", ["192.0.2.30/24", "2001:db8::30/64"])
    assert (network["host_name"], network["gateway"], network["dns"]) == ("WIN-01", "192.0.2.1", ["192.0.2.53"])
    assert join(split(found), found["taken_at"]) == found
    assert recorded("debian")["server"].keys() == server.keys()


def test_json_is_taken_too(tmp_path: Path) -> None:
    text = '{"jaringan": {"antarmuka": [{"nama": "LAN", "alamat": ["192.0.2.30/24"]}]}, "memori": "64 GiB"}'
    assert read(text, tmp_path, "win-01.json")["server"]["memory_bytes"] == 64 * 1024**3


@pytest.mark.parametrize(("day", "at"), [("", "2026-11-20T09:30:00"), ("tanggal: 2026-11-20\n", "2026-11-20T09:30:00")])
def test_what_is_seen_today_was_seen_now(day: str, at: str, tmp_path: Path) -> None:
    assert read(day + LEAST, tmp_path)["taken_at"] == f"{at}+00:00"


def test_every_kind_of_fact_may_stay_unsaid_but_the_address() -> None:
    topics = {topic for facts in UNSAID.values() for topic, _ in facts}
    assert topics == SENTENCES.keys() - {"tempat", "alamat IP"}


def test_what_a_form_does_not_say_is_not_told_as_gone(tmp_path: Path) -> None:
    scanned, least, whole = recorded("debian"), read(LEAST, tmp_path), read(WHOLE, tmp_path)
    assert all(one.startswith("alamat IP") for one in told(scanned, least))
    assert all(one.startswith("alamat IP") for one in told(whole, least))
    assert all(one.startswith("alamat IP") for one in told(least, whole))


def test_what_a_form_says_is_compared(tmp_path: Path) -> None:
    before = read(WHOLE, tmp_path)
    after = WHOLE.replace("versi: 24", "versi: 25").replace("W3SVC, keadaan: running", "W3SVC, keadaan: stopped")
    assert told(before, read(WHOLE, tmp_path)) == []
    assert told(before, read(after, tmp_path)) == [
        "paket 7-Zip diperbarui dari versi 24 ke 25",
        "layanan W3SVC berubah dari running menjadi stopped",
    ]


def test_an_empty_list_says_that_there_is_none(tmp_path: Path) -> None:
    some = LEAST + "perangkat_lunak: [{nama: tor, versi: 0.4}]\n"
    assert told(read(some, tmp_path), read(LEAST + "perangkat_lunak: []\n", tmp_path)) == [
        "paket tor dihapus (versi 0.4)"
    ]
    assert told(read(some, tmp_path), read(LEAST + "perangkat_lunak:\n", tmp_path)) == []


def test_an_empty_key_says_nothing(tmp_path: Path) -> None:
    keys = sorted(Form.model_fields.keys() - {"jaringan"})
    empty = LEAST.replace("}]}", ", mac: }, {nama: iLO, alamat: }], nama_host: , gateway: , dns: }")
    found = read(empty + "".join(f"{key}:\n" for key in keys), tmp_path)
    assert set(found["missing"]) == {f"{name}: recorded by form" for name in UNSAID}
    parts = "perangkat: {merek: , model: , nomor_seri: , tanggal_firmware: }\nsistem_operasi: {nama: , versi: , id: }\n"
    assert read(f"{empty}{parts}prosesor: {{model: , soket: , inti: , utas: }}\n", tmp_path) == found


def test_the_order_of_software_in_the_file_is_no_difference(tmp_path: Path) -> None:
    rows = ["  - {nama: a, versi: 1}\n", "  - {nama: b, versi: 2}\n"]
    before, after = (read(f"{LEAST}perangkat_lunak:\n{''.join(order)}", tmp_path) for order in (rows, rows[::-1]))
    assert before == after


@pytest.mark.parametrize(
    ("more", "line", "words"),
    [
        ("memory: 64 GiB\n", 2, ["memory", "unknown key", "inv inventory.blank"]),
        ("prosesor:\n  model: Xeon\n  core: 4\n", 4, ["prosesor.core", "unknown key"]),
        ("memori: -64 GiB\n", 2, ["memori", "is no size", "write e.g. 64 GiB"]),
        ("memori: 64\n", 2, ["is no size"]),
        ("memori: 0 GiB\n", 2, ["is no size"]),
        ("disk:\n  - nama: C\n    ukuran: 1.024 GB\n", 4, ["disk.0.ukuran", "is no size"]),
        ("disk:\n  - ukuran: 1 TB\n", 3, ["disk.0.nama", "required"]),
        ("disk: [{nama: C, ukuran: 1 TB}, {nama: C, ukuran: 2 TB}]\n", 2, ["'C' stands twice"]),
        ("prosesor: {soket: -1}\n", 2, ["prosesor.soket", "greater than or equal to 1"]),
        ("prosesor: {soket: true}\n", 2, ["prosesor.soket", "integer"]),
        ("prosesor: {soket: 2, inti: 1}\n", 2, ["count those of all sockets"]),
        ("perangkat: {merek: HPE}\n", 2, ["`merek` and `model` belong together"]),
        ("sistem_operasi: {nama: FortiOS}\n", 2, ["`nama` and `versi` belong together"]),
        ("sistem_operasi: {id: fortios}\n", 2, ["`nama` and `versi` belong together"]),
        ("tanggal: 2026-11-21\n", 2, ["tanggal", "2026-11-21 is yet to come"]),
        ("tanggal: kemarin\n", 2, ["tanggal", "is no day"]),
        ("tanggal: 0001-01-01\n", 2, ["is no day"]),
        ("sertifikat: [{berkas: a, sampai: 2026-02-30}]\n", 2, ["is no day"]),
        (f"perangkat: {{nomor_seri: {'S' * (MAX_TEXT + 1)}}}\n", 2, ["at most 200 characters"]),
        ("layanan:\n  - nama: ''\n    keadaan: x\n", 3, ["layanan.0.nama", "at least 1"]),
        (f"{'k' * 500}: 1\n", 2, ["unknown key", "…"]),
    ],
)
def test_a_fault_is_told_with_its_line(more: str, line: int, words: list[str], tmp_path: Path) -> None:
    told = fault(LEAST + more, tmp_path)
    assert told.startswith(f"win-01.yaml:{line} ")
    assert all(word in told for word in words), told
    assert len(told) < 500
    assert "\n" not in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no filled form"),
        ("- a\n", "is no filled form"),
        ("memori: 64 GiB\n", "jaringan"),
        ("jaringan: {antarmuka: [{nama: LAN}]}\n", "no address is said"),
        ("jaringan: {antarmuka: []}\n", "no address is said"),
        (LEAST.replace("/24", ""), "is no address with its prefix length"),
        ("jaringan: {antarmuka: {nama: LAN}}\n", "jaringan.antarmuka: is no list"),
        ("jaringan: LAN\n", "jaringan: is no mapping"),
        (LEAST.replace("}]}", ", mac: 00:11}]}"), "is no MAC address"),
        (LEAST.replace("}]}", "}], gateway: router}"), "is no IP address"),
        (LEAST.replace("192.0.2.30/24", "[]"), "no address is said"),
    ],
)
def test_what_is_no_form_or_has_no_address_is_refused(text: str, words: str, tmp_path: Path) -> None:
    assert words in fault(text, tmp_path)


def test_a_list_has_a_bound(tmp_path: Path) -> None:
    rows = "".join(f"  - {{nama: s{i}, keadaan: x}}\n" for i in range(2001))
    assert "at most 2000 items" in fault(f"{LEAST}layanan:\n{rows}", tmp_path)


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    text = LEAST + 'perangkat: {nomor_seri: "=1+1\\e[31m\\u202E<b>"}\nperangkat_lunak: [{nama: "@x", versi: "a\\nb"}]\n'
    found = read(text.replace("192.0.2.30/24", '"fe80::1%\\e[31m/64"'), tmp_path)
    server = found["server"]
    assert found["network"]["interfaces"][0]["addresses"] == ["fe80::1/64"]
    assert server["serial"] == r"=1+1\x1b[31m\u202e<b>"
    assert server["packages"] == [{"name": "@x", "version": r"a\nb"}]


POOL = Pool(
    id="titipan",
    vlan=30,
    network=IPv4Network("192.0.2.0/24"),
    gateway=IPv4Address("192.0.2.1"),
    first=IPv4Address("192.0.2.10"),
    last=IPv4Address("192.0.2.99"),
    dns=(IPv4Address("192.0.2.53"),),
)


def test_a_blank_form_says_what_the_assets_know_and_nothing_else(tmp_path: Path) -> None:
    assert SERVER.place is not None
    hostile = replace(SERVER, brand='De"ll: #\x1b', model="'{x}")
    found = read(blank(hostile, SERVER.place, [POOL], NOW.date()), tmp_path)
    server, network = found["server"], found["network"]
    assert (server["vendor"], server["model"], server["serial"]) == (r'De"ll: #\x1b', "'{x}", "=7XK2P93")
    assert [one["addresses"] for one in network["interfaces"]] == [["192.0.2.30/24"]]
    assert (network["gateway"], network["dns"]) == ("192.0.2.1", ["192.0.2.53"])
    assert (server["memory_bytes"], server["disks"], server["os"]["name"], server["bios_date"]) == (
        None,
        [],
        None,
        None,
    )
    assert "server.disks: recorded by form" in found["missing"]


def test_a_blank_form_has_every_key_and_only_keys_that_are_taken(tmp_path: Path) -> None:
    assert SERVER.place is not None
    lines = blank(SERVER, SERVER.place, [POOL], NOW.date()).splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("tanggal"))
    filled = "\n".join(line.removeprefix("# ") for line in lines[head:])
    assert parse_document(filled.encode(), "x.yaml")[0].keys() == Form.model_fields.keys()
    assert read(filled, tmp_path)["server"]["services"][0]["name"] == "W3SVC"
