"""The signed token of a card: valid, expired, revoked, forged; and the list for places without the register."""

from __future__ import annotations

import base64
import json
import stat
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sopauto.access.checking import refuse_by_list, refuse_by_register, token_of
from sopauto.access.model import Grant, Kind, Request, State
from sopauto.access.token import (
    make_key,
    private_key,
    public_key,
    public_path,
    read_card,
    read_list,
    sign_card,
    sign_list,
)
from sopauto.errors import BadInput, Refused

DAY = date(2026, 11, 24)
GRANT = Grant(
    ticket="AR-2026-0001",
    serial=1,
    card="KA-000001",
    unit="dinkes",
    request=Request(
        name="Siti",
        identity="198703122010012004",
        kind=Kind.TEMPORARY,
        purpose="x",
        zones=("ruang-server",),
        valid_from=date(2026, 11, 20),
        valid_until=date(2026, 11, 30),
    ),
    approved_by="ratna",
    approved_at=datetime(2026, 11, 20, tzinfo=UTC),
    state=State.ACTIVE,
)
TOKEN = token_of(GRANT)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "kartu.pem"
    make_key(path)
    return path


def test_a_card_says_what_was_signed_and_no_name(key: Path) -> None:
    code = sign_card(TOKEN, private_key(key))
    assert code == sign_card(TOKEN, private_key(key))
    assert read_card(code, public_key(public_path(key))) == TOKEN
    body = base64.urlsafe_b64decode(code.split(".")[1] + "==")
    assert set(json.loads(body)) == {"card", "zones", "from", "until"}


def test_an_altered_a_foreign_and_a_made_up_card_are_forged(key: Path, tmp_path: Path) -> None:
    public = public_key(public_path(key))
    code = sign_card(TOKEN, private_key(key))
    kind, body, signature = code.split(".")
    longer = json.loads(base64.urlsafe_b64decode(body + "==")) | {"until": "2036-11-30"}
    altered = base64.urlsafe_b64encode(json.dumps(longer).encode()).decode().rstrip("=")
    make_key(tmp_path / "other.pem")
    foreign = sign_card(TOKEN, private_key(tmp_path / "other.pem"))
    for forged in (f"{kind}.{altered}.{signature}", foreign, code[:-8] + "AAAAAAAA", f"{kind}.{body}.x", f"{kind}.é.é"):
        with pytest.raises(Refused, match="forged or altered"):
            read_card(forged, public)
    for nothing in ("", "KA-000001", f"KL1.{body}.{signature}", "KA1." + "A" * 5000 + ".x"):
        with pytest.raises(Refused, match="no signed card"):
            read_card(nothing, public)


@pytest.mark.parametrize(
    ("grant", "day", "told"),
    [
        (GRANT, date(2026, 12, 1), "expired on 2026-11-30"),
        (GRANT, date(2026, 11, 19), "valid from 2026-11-20"),
        (replace(GRANT, state=State.ENDED, reason="tiket HA-2026-0001"), DAY, r"revoked \(tiket HA-2026-0001\)"),
        (replace(GRANT, state=State.SUSPENDED), DAY, r"revoked \(suspended\)"),
        (replace(GRANT, state=State.ENDING), DAY, "revoked"),
        (replace(GRANT, state=State.APPROVED), DAY, "not active yet"),
        (replace(GRANT, card="KA-000002"), DAY, "register knows no such card"),
        (None, DAY, "register knows no such card"),
    ],
)
def test_the_register_refuses(grant: Grant | None, day: date, told: str) -> None:
    refuse_by_register(TOKEN, GRANT, DAY)
    with pytest.raises(Refused, match=told):
        refuse_by_register(TOKEN, grant, day)


def test_a_signed_list_does_where_there_is_no_register(key: Path, tmp_path: Path) -> None:
    public = public_key(public_path(key))
    text = sign_list(["KA-000001"], DAY, private_key(key))
    with pytest.raises(Refused, match="list of 2026-11-24"):
        refuse_by_list(TOKEN, read_list(text, public), DAY)
    refuse_by_list(TOKEN, read_list(sign_list([], DAY, private_key(key)), public), DAY)
    with pytest.raises(Refused):
        read_list(text[:-4] + "AAAA", public)
    with pytest.raises(Refused, match="no signed list"):
        read_list(sign_card(TOKEN, private_key(key)), public)


def test_the_key_is_made_once_and_kept_from_others(key: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with pytest.raises(BadInput, match="there is a key already"):
        make_key(key)
    key.chmod(0o644)
    with pytest.raises(BadInput, match="others may read"):
        private_key(key)
    with pytest.raises(BadInput, match="make-key"):
        private_key(tmp_path / "none.pem")
    public_path(key).write_text("nothing")
    with pytest.raises(BadInput, match="no public Ed25519 key"):
        public_key(public_path(key))
