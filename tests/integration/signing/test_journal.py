"""What does not hold about a journal: each fault by its own sentence."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sopauto.drivers.signing import SshKeygenSigner
from sopauto.journal.entry import Entry, compose_body, read_body
from sopauto.journal.verify import ZERO, findings_of, findings_of_openings
from sopauto.work import sha256

ZONE = ZoneInfo("Asia/Jakarta")
AT = datetime(2026, 11, 23, 9, 0, tzinfo=ZONE)
PAPER = b"%PDF"
KEPT = {sha256(PAPER): PAPER}


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> SshKeygenSigner:
    path = tmp_path_factory.mktemp("keys") / "siti"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    public = " ".join(path.with_name("siti.pub").read_text().split()[:2])
    return SshKeygenSigner(person="siti", allowed=[public], key=path)


def entry(signer: SshKeygenSigner, number: int, prev: str, *, at: datetime = AT, ticket: str = "PS-2026-0001") -> Entry:
    body = compose_body(
        ticket=ticket,
        number=number,
        prev=prev,
        at=at,
        person="siti",
        position="kadis",
        verb="done",
        step="satu.1",
        to="satu.2",
        note="",
        data={},
        documents=[{"name": "surat.pdf", "sha256": sha256(PAPER)}],
        procedure="0" * 64,
        plan=None,
        order=None,
    )
    signed = signer.sign(body)
    return Entry(ticket=ticket, number=number, prev=prev, body=body, signature=signed.signature, key=signed.key)


@pytest.fixture
def journal(signer: SshKeygenSigner) -> list[Entry]:
    first = entry(signer, 1, ZERO)
    second = entry(signer, 2, first.digest, at=AT + timedelta(minutes=5))
    return [first, second, entry(signer, 3, second.digest, at=AT + timedelta(minutes=9))]


def told(
    entries: list[Entry],
    *,
    keys: Callable[[str, date], list[str]] | None = None,
    holds: Callable[[str, str, date], bool] = lambda *_: True,
    document: Callable[[str], bytes | None] = KEPT.get,
) -> str:
    """Return all findings as one text."""
    known = entries[0].key if entries else ""
    return "; ".join(findings_of(entries, keys=keys or (lambda *_: [known]), holds=holds, document=document))


def test_a_sound_journal_has_no_findings(journal: list[Entry]) -> None:
    assert told(journal) == ""


def test_a_key_that_was_not_theirs_on_that_day(journal: list[Entry]) -> None:
    found = told(journal, keys=lambda _, on: [] if on == AT.date() else [journal[0].key])
    assert "entry 1: it was signed with a key that was not siti's on 2026-11-23" in found


def test_a_position_that_was_not_held_on_that_day(journal: list[Entry]) -> None:
    assert "siti did not hold kadis on 2026-11-23" in told(journal, holds=lambda *_: False)


def test_a_missing_and_a_replaced_document(journal: list[Entry]) -> None:
    assert "its document surat.pdf is missing" in told(journal, document=lambda _: None)
    assert "is not the one that was signed" in told(journal, document=lambda _: b"other")


def test_a_signature_of_another_entry(journal: list[Entry]) -> None:
    journal[1] = replace(journal[1], signature=journal[0].signature)
    assert "entry 2: its signature does not hold" in told(journal)


def test_an_entry_that_goes_back_in_time(signer: SshKeygenSigner, journal: list[Entry]) -> None:
    late = entry(signer, 2, journal[0].digest, at=AT - timedelta(days=1))
    assert "is older than the entry before it" in told([journal[0], late])


def test_an_entry_that_names_another_ticket(journal: list[Entry]) -> None:
    moved = [replace(found, ticket="PS-2026-0002") for found in journal]
    assert "is not the entry that its signed text says it is" in told(moved)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"v":1}', b"\xff", b"[" * 100_000])
def test_a_text_that_cannot_be_read(journal: list[Entry], body: bytes) -> None:
    assert "its text cannot be read" in told([replace(journal[0], body=body)])


def test_no_entries_at_all() -> None:
    assert told([]) == "the ticket has no entries"


def test_openings_in_order_and_one_missing(signer: SshKeygenSigner) -> None:
    first = entry(signer, 1, ZERO, ticket="PS-2026-0001")
    second = entry(signer, 1, first.digest, ticket="PS-2026-0002")
    third = entry(signer, 1, second.digest, ticket="KS-2026-0001")
    assert findings_of_openings([first, second, third]) == []
    assert "KS-2026-0001" in findings_of_openings([first, third])[0]
    assert len(findings_of_openings([second, first, third])) == 3


def test_the_signed_text_is_canonical(journal: list[Entry]) -> None:
    assert b", " not in journal[0].body
    assert list(read_body(journal[0].body)) == sorted(read_body(journal[0].body))
