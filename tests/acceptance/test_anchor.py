"""Anchors kept outside: a fork, a cut end, a missing or another ticket shows against them, and only against them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.office import make_office
from lab.cast import STATEMENTS, drop_off
from lab.walking import Walk
from lab.workspace import Workspace, make_key
from tests.acceptance.commands import Commands


def walk(commands: Commands) -> Walk:
    return Walk(app=commands.workspace.app(), keys=commands.keys, statements=STATEMENTS)


def open_ticket(commands: Commands, name: str, until: str = "") -> str:
    walking = walk(commands)
    ticket = walking.open(drop_off(nama_host=name), person="siti")
    if until:
        walking.until(ticket, until)
    walking.app.store.engine.dispose()
    return ticket.id


def go_on(commands: Commands, ticket: str, until: str) -> None:
    walking = walk(commands)
    with walking.app.store.read() as reader:
        found = reader.ticket(ticket)
    walking.until(found, until)
    walking.app.store.engine.dispose()


def copied(commands: Commands, to: Path) -> Commands:
    """Return a copy of an office, as somebody makes who copies the folder."""
    shutil.copytree(commands.home, to)
    return Commands(workspace=Workspace(home=to, keys=commands.keys))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Commands, Path]:
    """An office with two tickets, and the anchor of it that bambang signed."""
    home = tmp_path_factory.mktemp("office")
    commands = Commands(workspace=make_office(home))
    open_ticket(commands, "web-01", until="penitipan.2")
    open_ticket(commands, "web-02", until="penitipan.3")
    anchor = home / "outside" / "anchor.jsonl"
    told = commands.inv("ticket.anchor", "--to", str(anchor), as_="bambang").stdout
    assert "2 tickets, signed by bambang" in told
    return commands, anchor


@pytest.fixture
def office(original: tuple[Commands, Path], tmp_path: Path) -> Commands:
    return copied(original[0], tmp_path / "kominfo")


@pytest.fixture
def anchor(original: tuple[Commands, Path], tmp_path: Path) -> Path:
    shutil.copytree(original[1].parent, tmp_path / "outside")
    return tmp_path / "outside" / "anchor.jsonl"


def test_what_went_on_since_the_anchor_is_told_and_intact(office: Commands, anchor: Path) -> None:
    assert office.inv("ticket.verify", "all", "--anchor", str(anchor)).stdout.splitlines() == [
        "2 tickets, 3 entries: intact"
    ]
    go_on(office, "PS-2026-0001", "penitipan.3")
    open_ticket(office, "web-03")
    told = office.inv("ticket.verify", "all", "--anchor", str(anchor)).stdout
    assert "1 tickets and 2 entries are newer than anchor.jsonl" in told
    assert "PS-2026-0003" in told
    one = json.loads(office.inv("ticket.verify", "PS-2026-0001", "--anchor", str(anchor), "--json").stdout)
    assert "PS-2026-0001: 1 entries are newer" in one["notes"][0]


def test_two_copies_that_both_went_on_show_against_each_others_anchor(office: Commands, tmp_path: Path) -> None:
    twin = copied(office, tmp_path / "twin")
    for one, name in ((office, "here"), (twin, "there")):
        time.sleep(1)  # in one second the two would write the very same entry: no fork
        go_on(one, "PS-2026-0001", "penitipan.3")
        open_ticket(one, name)
        assert "intact" in one.inv("ticket.verify", "all").stdout
        one.inv("ticket.anchor", "--to", str(tmp_path / name))
    told = office.inv("ticket.verify", "all", "--anchor", str(tmp_path / "there"), expect=1).stdout
    assert "PS-2026-0001: entry 2 is another than the anchor has" in told
    assert "PS-2026-0003: was opened by another entry than the anchor has" in told
    several = ("--anchor", str(tmp_path / "there"), "--anchor", str(tmp_path / "here"))
    assert office.inv("ticket.verify", "all", *several, expect=1).stdout.count("(there)") == 2
    office.inv("ticket.verify", "PS-2026-0002", "--anchor", str(tmp_path / "there"))


def test_a_cut_end_and_a_missing_ticket_show(office: Commands, tmp_path: Path) -> None:
    earlier = copied(office, tmp_path / "earlier")
    go_on(office, "PS-2026-0002", "penitipan.4")
    open_ticket(office, "web-03")
    office.inv("ticket.anchor", "--to", str(tmp_path / "late"))
    assert "intact" in earlier.inv("ticket.verify", "all").stdout
    told = earlier.inv("ticket.verify", "all", "--anchor", str(tmp_path / "late"), expect=1).stdout
    assert "PS-2026-0002: entry 3 is missing; the anchor has it: the end was cut off" in told
    assert "PS-2026-0003: is missing; the anchor has it with 1 entries" in told


def test_stock_ssh_keygen_verifies_an_anchor(office: Commands, anchor: Path, tmp_path: Path) -> None:
    public = office.keys["bambang"].with_name("bambang.pub").read_text()
    (tmp_path / "allowed").write_text(f"bambang {public}")

    def verifies() -> bool:
        words = ["-Y", "verify", "-f", tmp_path / "allowed", "-I", "bambang", "-n", "sopauto-anchor"]
        command = ["ssh-keygen", *words, "-s", f"{anchor}.sig"]
        return subprocess.run(command, input=anchor.read_bytes(), capture_output=True, check=False).returncode == 0

    assert verifies()
    anchor.write_bytes(anchor.read_bytes().replace(b'"entries":2', b'"entries":1'))
    assert not verifies()
    told = office.inv("ticket.verify", "all", "--anchor", str(anchor), expect=1).stdout
    assert "anchor.jsonl: its signature does not hold" in told


def no_signature(anchor: Path) -> None:
    anchor.with_name("anchor.jsonl.sig").unlink()


def signed_by_another(anchor: Path) -> None:
    key = make_key(anchor.with_name("key"))
    anchor.with_name("anchor.jsonl.sig").unlink()
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "sopauto-anchor", "-f", key, anchor], check=True)


def signed_for_another_purpose(anchor: Path) -> None:
    key = make_key(anchor.with_name("key"))
    anchor.with_name("anchor.jsonl.sig").unlink()
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "sopauto", "-f", key, anchor], check=True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (no_signature, "names bambang, but there is no anchor.jsonl.sig beside it"),
        (signed_by_another, "it was signed with a key that was not bambang's"),
        (signed_for_another_purpose, "it was made for 'sopauto'"),
    ],
)
def test_an_anchor_without_its_signature_does_not_count(
    office: Commands, anchor: Path, change: Callable[[Path], None], told: str
) -> None:
    change(anchor)
    assert told in office.inv("ticket.verify", "all", "--anchor", str(anchor), expect=1).stdout


def test_an_anchor_that_nobody_signed_says_so(office: Commands, tmp_path: Path) -> None:
    told = office.inv("ticket.anchor").stdout
    (file,) = (office.home / "anchors").iterdir()
    assert f"wrote {file}: 2 tickets, not signed" in told
    assert "is not signed" in office.inv("ticket.verify", "all", "--anchor", str(file)).stdout


def test_what_is_no_anchor_is_bad_input(office: Commands, anchor: Path) -> None:
    anchor.write_text("no anchor\n")
    office.inv("ticket.verify", "all", "--anchor", str(anchor), expect=2)


def test_an_anchor_is_never_written_over(office: Commands, anchor: Path) -> None:
    before = anchor.read_bytes()
    office.inv("ticket.anchor", "--to", str(anchor), expect=2)
    assert anchor.read_bytes() == before


def change_database(office: Commands, *statements: str) -> None:
    with closing(sqlite3.connect(office.home / "sopauto.db")) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_broken_journal_is_not_anchored(office: Commands, tmp_path: Path) -> None:
    change_database(office, "DELETE FROM entries WHERE ticket = 'PS-2026-0002' AND number = 2")
    office.inv("ticket.anchor", "--to", str(tmp_path / "anchor"), expect=1)
    assert not (tmp_path / "anchor").exists()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM entries WHERE ticket = 'PS-2026-0002'", "PS-2026-0002: has no entries"),
        (
            "DELETE FROM tickets WHERE id = 'PS-2026-0002'",
            "PS-2026-0002: has entries, but the ticket itself is missing",
        ),
    ],
)
def test_the_newest_ticket_cannot_lose_its_entries_or_its_row_alone(
    office: Commands, statement: str, told: str
) -> None:
    change_database(office, "PRAGMA foreign_keys = OFF", statement)
    assert told in office.inv("ticket.verify", "all", expect=1).stdout


@pytest.mark.real_start("the timer starts it alone, too")
def test_an_anchor_is_mailed_to_the_addresses_of_the_settings(office: Commands) -> None:
    settings = office.home / "sopauto.toml"
    settings.write_text(settings.read_text() + '\n[anchors]\nfolder = "jangkar"\nmail_to = ["auditor@example.go.id"]\n')
    told = office.inv("ticket.anchor", as_="bambang").stdout
    assert "mailed to auditor@example.go.id" in told
    file = next(path for path in (office.home / "jangkar").iterdir() if path.suffix == ".jsonl")
    with office.workspace.app().store.outbox._store.connected(writes=False) as connection:
        body, attached = connection.exec_driver_sql(
            "SELECT body, content FROM outbox JOIN documents ON sha256 = attached"
        ).one()
    assert attached == file.read_bytes()
    assert "-----BEGIN SSH SIGNATURE-----" in body
