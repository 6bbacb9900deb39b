"""A database that somebody changed is refused, by sopauto and by an auditor without it."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.office import Office, open_office


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, str]]:
    """An office with two tickets that stand at the drop-off form's row, and the first one's id."""
    with open_office(tmp_path_factory.mktemp("office")) as office:
        first = office.ticket_at("penitipan.13")
        office.ticket_at("penitipan.3", nama_host="lain-01")
        yield office, first


@contextmanager
def tampered(office: Office, change: Callable[[sqlite3.Connection], object]) -> Iterator[None]:
    """Change the database as somebody with the file could, triggers dropped; bring it back afterwards."""
    path = office.home / "sopauto.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    connection = sqlite3.connect(path)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    change(connection)
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    try:
        yield
    finally:
        path.write_bytes(before)
        for side in ("-wal", "-shm"):
            path.with_name(path.name + side).unlink(missing_ok=True)


def one_byte(connection: sqlite3.Connection) -> None:
    body = connection.execute("SELECT body FROM entries WHERE number = 4 AND ticket LIKE '%0001'").fetchone()[0]
    changed = body.replace(b'"note":""', b'"note":"x"')
    assert changed != body
    connection.execute("UPDATE entries SET body = ? WHERE number = 4 AND ticket LIKE '%0001'", (changed,))


def removed(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM entries WHERE number = 3 AND ticket LIKE '%0001'")


def removed_and_renumbered(connection: sqlite3.Connection) -> None:
    removed(connection)
    connection.execute("UPDATE entries SET number = number - 1 WHERE number > 3 AND ticket LIKE '%0001'")


def swapped(connection: sqlite3.Connection) -> None:
    for old, new in ((3, 103), (4, 3), (103, 4)):
        connection.execute("UPDATE entries SET number = ? WHERE number = ? AND ticket LIKE '%0001'", (new, old))


def last_removed(connection: sqlite3.Connection) -> None:
    connection.execute(
        "DELETE FROM entries WHERE ticket LIKE '%0001' AND number = "
        "(SELECT max(number) FROM entries WHERE ticket LIKE '%0001')"
    )


def document_replaced(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE documents SET content = CAST('other' AS BLOB) WHERE media_type = 'application/pdf'")


def document_removed(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM documents WHERE media_type = 'application/pdf'")


def foreign_signature(connection: sqlite3.Connection) -> None:
    connection.execute(
        "UPDATE entries SET signature = (SELECT signature FROM entries WHERE number = 2 AND ticket LIKE '%0001') "
        "WHERE number = 3 AND ticket LIKE '%0001'"
    )


def state_rewritten(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE tickets SET content = replace(content, 'penitipan.13', 'konfigurasi.1')")


def ticket_rewound(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE tickets SET entries = entries - 1 WHERE id LIKE '%0001'")


def ticket_removed(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM entries WHERE ticket LIKE '%0001'")
    connection.execute("DELETE FROM tickets WHERE id LIKE '%0001'")


CHANGES = [
    (one_byte, "its signature does not hold"),
    (removed, "entry 3 should stand here"),
    (removed_and_renumbered, "is not the entry that its signed text says it is"),
    (swapped, "does not follow the entry before it"),
    (last_removed, "is not what its journal says"),
    (document_replaced, "is not the one that was signed"),
    (document_removed, "is missing"),
    (foreign_signature, "its signature does not hold"),
    (state_rewritten, "is not what its journal says"),
    (ticket_removed, "one is missing"),
]


@pytest.mark.parametrize(("change", "told"), CHANGES, ids=[change.__name__ for change, _ in CHANGES])
def test_a_changed_database_is_refused(
    original: tuple[Office, str], change: Callable[[sqlite3.Connection], object], told: str
) -> None:
    office, _ = original
    with tampered(office, change):
        answer = office.inv("ticket.verify", "all", expect=1)
    assert told in answer.stdout


def test_an_untouched_database_is_intact(original: tuple[Office, str]) -> None:
    office, _ = original
    assert "2 tickets" in office.inv("ticket.verify", "all").stdout


def test_machine_work_is_refused_for_a_changed_journal(original: tuple[Office, str]) -> None:
    office, first = original
    with tampered(office, lambda c: (one_byte(c), state_rewritten(c))):
        answer = office.inv("ticket.plan", first, as_="joko", expect=3)
    assert "the journal of" in answer.stderr
    assert office.switch.received == []


@pytest.mark.parametrize("change", ["UPDATE entries SET note = 1", "DELETE FROM entries", "DELETE FROM documents"])
def test_the_database_itself_refuses_to_change_what_was_signed(original: tuple[Office, str], change: str) -> None:
    office, _ = original
    statement = change.replace("note = 1", "prev = ''")
    with sqlite3.connect(office.home / "sopauto.db") as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


@pytest.mark.parametrize("change", [last_removed, removed, ticket_rewound], ids=lambda change: change.__name__)
def test_a_changed_journal_is_not_exported(
    original: tuple[Office, str], change: Callable[[sqlite3.Connection], object], tmp_path: Path
) -> None:
    office, first = original
    with tampered(office, change):
        office.inv("ticket.export", first, "--out", str(tmp_path / "archive.tar.gz"), expect=1)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def archive(original: tuple[Office, str], tmp_path: Path) -> Path:
    """The exported archive of the first ticket, unpacked."""
    office, first = original
    out = tmp_path / "archive.tar.gz"
    office.inv("ticket.export", first, "--out", str(out), as_="bambang")
    assert out.stat().st_mode & 0o777 == 0o600
    with tarfile.open(out) as tar:
        tar.extractall(tmp_path, filter="data")
    return tmp_path / first


def audit(folder: Path) -> int:
    """Check as an auditor without sopauto: the digests are made anew, so that only signatures and chain speak."""
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    sums = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in names
        if name.name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return subprocess.run(["sh", str(folder / "periksa.sh")], capture_output=True, check=False).returncode


def test_an_auditor_agrees_with_stock_ssh_keygen(archive: Path) -> None:
    ended = subprocess.run(["sh", str(archive / "periksa.sh")], capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert "utuh" in ended.stdout
    assert "ditandatangani bambang" in ended.stdout


def test_the_archive_holds_the_text_of_each_e_mail_as_its_entry_was_signed_with(
    original: tuple[Office, str], archive: Path
) -> None:
    office, first = original
    sent = [row for row in office.workspace.app().outbox.rows(10) if row.ticket == first]
    kept = [path.read_text() for path in (archive / "dokumen").glob("*-surel.txt")]
    assert sorted(kept) == sorted(f"Kepada: {row.to}\nPerihal: {row.subject}\n\n{row.body}" for row in sent)
    assert kept
    bodies = "".join(path.read_text() for path in (archive / "entri").glob("*.json"))
    assert all(hashlib.sha256(text.encode()).hexdigest() in bodies for text in kept)


def test_an_auditor_sees_one_changed_byte(archive: Path) -> None:
    entry = archive / "entri" / "0003.json"
    entry.write_bytes(entry.read_bytes().replace(b'"note":""', b'"note":"x"'))
    assert audit(archive) != 0


def test_an_auditor_sees_a_signature_of_another_entry(archive: Path) -> None:
    (archive / "entri" / "0003.json.sig").write_bytes((archive / "entri" / "0002.json.sig").read_bytes())
    assert audit(archive) != 0


def test_an_auditor_sees_two_entries_swapped(archive: Path) -> None:
    for suffix in (".json", ".json.sig"):
        one, two = (archive / "entri" / f"{number:04}{suffix}" for number in (3, 5))
        first, second = one.read_bytes(), two.read_bytes()
        one.write_bytes(second)
        two.write_bytes(first)
    assert audit(archive) != 0


def test_an_auditor_sees_a_replaced_document(archive: Path) -> None:
    document = next(path for path in (archive / "dokumen").iterdir() if path.name != "DAFTAR.txt")
    document.write_bytes(b"other")
    assert audit(archive) != 0
