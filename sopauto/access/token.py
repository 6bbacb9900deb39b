"""The signed token in a card's QR code: what the card opens until when, provable with the public key alone.

A token is `KA1.BODY.SIGNATURE`, both parts base64url without padding; the body is JSON, signed with Ed25519. No name
stands in it: who finds a card learns nothing of its holder.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sopauto.data_file import read_bounded
from sopauto.errors import BadInput, Refused
from sopauto.work import canonical

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

CARD: Final = "KA1"
LIST: Final = "KL1"
"""What kind of text is signed: a card, or the list of cards that are no longer good."""
LONGEST: Final = 4096
SCAN: Final = "scan it again; if it stays so, keep the card and call the operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardToken:
    """What a card says of itself. `valid_until` None: without end."""

    card: str
    zones: tuple[str, ...]
    valid_from: date
    valid_until: date | None

    def refuse_on(self, day: date) -> None:
        """Refuse a card on a day on which it is not valid; raises Refused."""
        if day < self.valid_from:
            raise Refused(f"the card is valid from {self.valid_from.isoformat()} on", where=self.card)
        if self.valid_until is not None and day > self.valid_until:
            raise Refused(f"the card expired on {self.valid_until.isoformat()}", where=self.card)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneList:
    """The cards that were given once and are no longer good, as of a day."""

    as_of: date
    cards: frozenset[str]


def make_key(path: Path) -> Path:
    """Make a signing key (private, mode 0600) and its public half beside it; return the public half's path.

    Raises: BadInput (there is one already: cards signed with it would become worthless).
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    except FileExistsError:
        raise BadInput("there is a key already", where=str(path), mend="cards are signed with it: keep it") from None
    public = public_path(path)
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return public


def public_path(path: Path) -> Path:
    """Return where the public half of a key lies."""
    return path.with_suffix(".pub.pem")


def private_key(path: Path) -> Ed25519PrivateKey:
    """Return the signing key in a file; raises BadInput (none, or others may read it)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not path.is_file():
        raise BadInput("there is no key for cards", where=str(path), mend="make one with `inv access.make-key`")
    if path.stat().st_mode & 0o077:
        raise BadInput("others may read this key", where=str(path), mend=f"chmod 600 {path}")
    try:
        key = load_pem_private_key(read_bounded(path), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInput("is no Ed25519 key in PEM", where=str(path), mend="make one with `inv access.make-key`")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """Return the public half in a file; raises BadInput."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(read_bounded(path))
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise BadInput("is no public Ed25519 key in PEM", where=str(path), mend="copy it from the workspace's keys")
    return key


def sign_card(token: CardToken, key: Ed25519PrivateKey) -> str:
    """Return the text of a card's QR code. Same card and key, same text."""
    body = {
        "card": token.card,
        "zones": list(token.zones),
        "from": token.valid_from.isoformat(),
        "until": token.valid_until.isoformat() if token.valid_until else None,
    }
    return _signed(CARD, body, key)


def read_card(text: str, key: Ed25519PublicKey) -> CardToken:
    """Return what a QR code says; raises Refused (forged, altered, or no card at all)."""
    body = _verified(CARD, text, key)
    try:
        return CardToken(
            card=str(body["card"]),
            zones=tuple(str(zone) for zone in body["zones"]),
            valid_from=date.fromisoformat(body["from"]),
            valid_until=date.fromisoformat(body["until"]) if body["until"] else None,
        )
    except (KeyError, TypeError, ValueError):
        raise Refused("the card is forged: what it says makes no sense", mend=SCAN) from None


def sign_list(cards: Iterable[str], as_of: date, key: Ed25519PrivateKey) -> str:
    """Return the signed list of cards that are no longer good, for places without the register."""
    return _signed(LIST, {"as_of": as_of.isoformat(), "cards": sorted(cards)}, key)


def read_list(text: str, key: Ed25519PublicKey) -> GoneList:
    """Return a signed list; raises Refused (forged or altered)."""
    body = _verified(LIST, text, key, longest=None)
    return GoneList(as_of=date.fromisoformat(body["as_of"]), cards=frozenset(body["cards"]))


def _signed(kind: str, body: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    said = f"{kind}.{_encoded(canonical(body))}"
    return f"{said}.{_encoded(key.sign(said.encode()))}"


def _verified(kind: str, text: str, key: Ed25519PublicKey, *, longest: int | None = LONGEST) -> Any:
    from cryptography.exceptions import InvalidSignature

    said, _, signature = text.strip().rpartition(".")
    if not said.startswith(f"{kind}.") or (longest is not None and len(text) > longest):
        raise Refused("this is no signed card" if kind == CARD else "this is no signed list", mend=SCAN)
    try:
        key.verify(_decoded(signature), said.encode())
        return json.loads(_decoded(said.removeprefix(f"{kind}.")))
    except (InvalidSignature, ValueError, binascii.Error, RecursionError):
        raise Refused("the card is forged or altered: its signature does not hold", mend=SCAN) from None


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
