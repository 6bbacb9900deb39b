"""Bad input: one clear line, exit code 2, and nothing is written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cast import drop_off
from tests.acceptance.office import Office, open_office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("office")) as opened:
        opened.ticket_at("penitipan.5")
        yield opened


def everything(office: Office) -> list[tuple[object, ...]]:
    """Return all that is written in the database."""
    with sqlite3.connect(office.home / "sopauto.db") as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [row for name in sorted(names) for row in connection.execute(f'SELECT * FROM "{name}"').fetchall()]


def refused(office: Office, *arguments: str, as_: str = "siti") -> str:
    """Run a command that must end with exit code 2 and one line, and write nothing; return the line."""
    before = everything(office)
    answer = office.inv(*arguments, as_=as_, expect=2)
    assert everything(office) == before
    assert office.switch.received == []
    assert answer.stderr.isprintable() or answer.stderr.strip().isprintable()
    return answer.stderr


def letter(tmp_path: Path, text: str) -> str:
    path = tmp_path / "surat.yaml"
    path.write_text(text)
    return str(path)


def stated(**changes: object) -> str:
    fields = {**drop_off().fields, **changes}
    return json.dumps({"sop": "penitipan-server", "opd": "dinkes", "pemohon": "siti", "surat": fields})


GOOD = {"nama_host": "lain-02"}
LETTERS = {
    "malformed YAML": ("sop: [\n", "malformed YAML"),
    "unknown key": (
        "sop: penitipan-server\nopd: dinkes\npemohon: siti\nsurat: {}\nwarna: biru\n",
        "unknown field 'warna'",
    ),
    "unknown SOP": ("sop: penitipan-servr\nopd: dinkes\npemohon: siti\nsurat: {}\n", "did you mean 'penitipan-server'"),
    "no letter": ("sop: penitipan-server\nopd: dinkes\npemohon: siti\n", "`surat`"),
    "a list": ("- a\n", "not a mapping"),
    "two documents": ("a: 1\n---\nb: 2\n", "second document"),
    "unknown person": (stated(**GOOD).replace('"siti"', '"sitti"', 1), "did you mean 'siti'"),
    "unknown field": (stated(**GOOD, tinggi="2"), "unknown field 'tinggi'"),
    "wrong type": (stated(**GOOD, tinggi_u="dua"), "is not a whole number"),
    "out of bounds": (stated(**GOOD, tinggi_u=99), "from 1 to 48"),
    "missing": (stated(**GOOD, opd=""), "is missing"),
    "date": (stated(**GOOD, tanggal="20-11-2026"), "is not a date"),
    "e-mail": (stated(**GOOD, kontak_email="a@b\r\nBcc: c@d.id"), "control character"),
    "MAC": (stated(**GOOD, mac="01:00:5e:00:00:01"), "is not a server's MAC address"),
    "shell in the host name": (stated(nama_host="web;reboot"), "is not a host name"),
    "jinja in the host name": (stated(nama_host="{{ 7*7 }}"), "is not a host name"),
    "control characters in the host name": (stated(nama_host="web\x1b[2J"), "control character"),
    "a server that is here": (stated(nama_host="simpus-01"), "is already here"),
    "alias bomb": ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "aliases"),
    "tag": ("sop: !!python/object/apply:os.system [id]\n", "tags"),
    "deep nesting": ("[" * 5000, "nested deeper"),
    "not UTF-8": ("\udcff", "not UTF-8"),
}


@pytest.mark.parametrize("name", LETTERS)
def test_a_bad_letter_is_refused_in_one_line(office: Office, tmp_path: Path, name: str) -> None:
    text, told = LETTERS[name]
    if name == "a server that is here":
        ticket = office.newest_ticket()
        office.inv("ticket.approve", ticket, as_="bambang")
    path = tmp_path / "surat.yaml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    line = refused(office, "ticket.open", str(path))
    assert told in line
    assert str(path) in line or name in {"unknown SOP", "unknown person"}


def test_a_file_of_100_mb_is_refused_without_reading_it(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "besar.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    assert "larger than 1 MiB" in refused(office, "ticket.open", str(path))


def test_a_named_pipe_does_not_hold_the_command(office: Office, tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.yaml")
    assert "not a regular file" in refused(office, "ticket.open", str(tmp_path / "pipe.yaml"))


def test_a_file_that_is_not_there(office: Office) -> None:
    assert "No such file" in refused(office, "ticket.open", "nowhere.yaml")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ticket.show", "PS-2026-9999"], "there is no ticket"),
        (["ticket.verify", "x"], "there is no ticket"),
        (["ticket.list", "--state", "half"], "unknown state"),
        (["sop.show", "penitipan-serve"], "did you mean 'penitipan-server'"),
        (["assets.list", "cars"], "there is no kind"),
        (["assets.rack", "R9"], "there is no rack"),
        (["assets.add", "vlans", "--set", "id=5000", "--set", "name=x"], "from 1 to 4094"),
        (["assets.add", "racks", "--set", "id=R 2", "--set", "height=10"], "is no id"),
        (["assets.add", "racks", "--set", "id=R1", "--set", "height=10"], "exists already"),
        (["assets.add", "ports", "--set", "switch=sw9", "--set", "name=Gi1"], "does not exist"),
        (["assets.add", "units", "--set", "id=a", "--set", "name==cmd()"], "begins like a formula"),
        (["assets.remove", "racks", "R1"], "is in use"),
        (["assets.remove", "vlans", "nine"], "there is no vlans"),
    ],
)
def test_a_bad_argument_is_refused_in_one_line(office: Office, arguments: list[str], told: str) -> None:
    before = everything(office)
    assert told in office.inv(*arguments, expect=2).stderr
    assert everything(office) == before


@pytest.mark.real_start("an error before anything heavy is loaded")
def test_an_unknown_acting_person_is_refused(office: Office, tmp_path: Path) -> None:
    path = letter(tmp_path, stated(**GOOD))
    answer = office.inv("ticket.open", path, "--as", "nobody", expect=2)
    assert "unknown person 'nobody'" in answer.stderr


def test_assets_outside_their_network_are_refused_all_at_once(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "assets.yaml"
    path.write_text(
        "pools:\n"
        "  - {id: a, vlan: 30, network: 10.0.0.0/24, gateway: 10.0.0.1, first: 10.0.1.5, last: 10.0.0.9}\n"
        "  - {id: b, vlan: 30, network: 10.0.0.0/33, gateway: 10.0.0.1, first: 10.0.0.5, last: 10.0.0.9}\n"
    )
    before = everything(office)
    line = office.inv("assets.import", str(path), expect=2).stderr
    assert "assets.yaml:2 first: 10.0.1.5 is outside 10.0.0.0/24" in line
    assert "assets.yaml:3 network" in line
    assert everything(office) == before


def test_a_server_outside_its_pool_or_on_no_port_is_refused(office: Office, tmp_path: Path) -> None:
    server = {
        "id": "web-01",
        "unit": "dinkes",
        "brand": "x",
        "model": "y",
        "serial": "z",
        "height": 1,
        "rack": "R1",
        "bottom_unit": 30,
        "switch": "sw1",
        "port": "GigabitEthernet1/0/2",
        "vlan": 30,
        "pool": "titipan",
    }
    for changes, told in (
        ({"address": "127.0.31.99"}, "is outside pool titipan"),
        ({"address": "127.0.31.12", "port": "GigabitEthernet9/9/9"}, "there is no port"),
        ({"address": "127.0.31.12", "bottom_unit": 42, "height": 2}, "are not all free"),
    ):
        path = tmp_path / "assets.yaml"
        path.write_text(json.dumps({"servers": [{**server, **changes}]}))
        before = everything(office)
        assert told in office.inv("assets.import", str(path), expect=2).stderr
        assert everything(office) == before


def test_a_broken_setting_is_named_with_its_place(office: Office) -> None:
    for old, new, told in (
        ("unused_vlan", "unusd_vlan", "did you mean 'unused_vlan'"),
        ("unused_vlan = 999", 'unused_vlan = "x"', "custody.unused_vlan"),
        ('host = "127.0.0.1"', 'host = "127.0.0.1"\npassword = "x"', "secrets do not belong into a file"),
        ("[agency]", "[agency", "malformed TOML"),
    ):
        before = (office.home / "sopauto.toml").read_text()
        office.settings_replace(old, new)
        assert told in office.inv("ticket.list", expect=2).stderr
        (office.home / "sopauto.toml").write_text(before)


def test_a_port_that_does_not_exist_on_the_switch_is_refused(office: Office) -> None:
    walk = office.walk()
    ticket = walk.until(walk.open(drop_off(nama_host="web-09"), person="siti"), "konfigurasi.1")
    del office.switch.running.ports[walk_port(office, ticket.id)]
    answer = office.inv("ticket.plan", ticket.id, as_="joko", expect=2)
    assert "there is no port GigabitEthernet1/0/" in answer.stderr
    assert office.switch.configured() == []


def walk_port(office: Office, ticket: str) -> str:
    """Return the port that is reserved for a ticket's server."""
    with office.workspace.app().store.read() as reader:
        return next(s.place.port for s in reader.assets.servers() if s.ticket == ticket and s.place)
