"""Signatures of security keys (FIDO), made as an authenticator makes them (PROTOCOL.u2f): touched, untouched, wrong."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sopauto.journal.sshsig import BadSignatureError, verify

MESSAGE = b'{"v":2}'
TOUCHED, VERIFIED = b"\x01", b"\x05"


def wire(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def mpint(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


@dataclass
class Token:
    """A security key; `application` is what it believes to sign for."""

    kind: bytes
    application: bytes = b"ssh:"
    own: Any = field(init=False)

    def __post_init__(self) -> None:
        curve = b"ecdsa" in self.kind
        self.own = ec.generate_private_key(ec.SECP256R1()) if curve else Ed25519PrivateKey.generate()

    @property
    def blob(self) -> bytes:
        public = self.own.public_key()
        if b"ecdsa" in self.kind:
            point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            return wire(self.kind, b"nistp256", point, b"ssh:")
        return wire(self.kind, public.public_bytes(Encoding.Raw, PublicFormat.Raw), b"ssh:")

    @property
    def public(self) -> str:
        return f"{self.kind.decode()} {base64.b64encode(self.blob).decode()}"

    def raw(self, signed: bytes, flags: bytes) -> bytes:
        """Sign as the authenticator does: over the application, the flags, the counter and what it was given."""
        told = hashlib.sha256(self.application).digest() + flags + b"\0\0\0\7" + hashlib.sha256(signed).digest()
        if b"ecdsa" not in self.kind:
            return bytes(self.own.sign(told))
        return wire(*map(mpint, decode_dss_signature(self.own.sign(told, ec.ECDSA(hashes.SHA256())))))

    def sign(
        self,
        message: bytes = MESSAGE,
        *,
        flags: bytes = TOUCHED,
        told: bytes | None = None,
        behind: bytes = b"",
        reserved: bytes = b"",
        counter: bytes = b"\0\0\0\7",
        algorithm: bytes = b"",
    ) -> str:
        """Return an SSHSIG; `told` are the flags that it shows instead of those that were signed."""
        parts = (b"sopauto", reserved, b"sha512", hashlib.sha512(message).digest())
        inner = (
            wire(algorithm or self.kind, self.raw(b"SSHSIG" + wire(*parts), flags)) + (told or flags) + counter + behind
        )
        packed = b"SSHSIG" + b"\0\0\0\1" + wire(self.blob, b"sopauto", reserved, b"sha512", inner)
        return f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(packed).decode()}\n-----END SSH SIGNATURE-----"


@pytest.fixture(params=["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"])
def token(request: pytest.FixtureRequest) -> Token:
    return Token(request.param.encode())


@pytest.mark.parametrize("flags", [TOUCHED, VERIFIED])
def test_a_touched_key_signs(token: Token, flags: bytes) -> None:
    verify(MESSAGE, token.sign(flags=flags), token.public)


WRONG: list[tuple[str, Callable[[Token], str], str]] = [
    ("untouched", lambda t: t.sign(flags=b"\0"), "nobody touched the security key"),
    ("verified but untouched", lambda t: t.sign(flags=b"\x04"), "nobody touched the security key"),
    ("a touch that was not signed", lambda t: t.sign(flags=b"\0", told=TOUCHED), "does not belong to what was signed"),
    ("another counter", lambda t: t.sign(counter=b"\0\0\0\x08"), "does not belong to what was signed"),
    ("another message", lambda t: t.sign(b"other"), "does not belong to what was signed"),
    ("something behind", lambda t: t.sign(behind=b"\0"), "something behind its end"),
    ("cut off", lambda t: t.sign(counter=b"\0"), "cut off"),
    ("a reserved part", lambda t: t.sign(reserved=b"x"), "reserved part"),
    ("no algorithm of a token", lambda t: t.sign(algorithm=b"ssh-ed25519"), "it uses the algorithm 'ssh-ed25519'"),
]


@pytest.mark.parametrize(("made", "told"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_wrong_with_it_is_refused(token: Token, made: Callable[[Token], str], told: str) -> None:
    with pytest.raises(BadSignatureError, match=told):
        verify(MESSAGE, made(token), token.public)


def test_a_signature_of_another_token_or_for_another_application_is_refused(token: Token) -> None:
    with pytest.raises(BadSignatureError, match="made with another key"):
        verify(MESSAGE, Token(token.kind).sign(), token.public)
    token.application = b"https://elsewhere.example"
    with pytest.raises(BadSignatureError, match="does not belong to what was signed"):
        verify(MESSAGE, token.sign(), token.public)


def test_a_broken_point_is_refused_in_words(token: Token) -> None:
    changed = Token(token.kind)
    signature = changed.sign()
    changed.own = token.own
    with pytest.raises(BadSignatureError):
        verify(MESSAGE, signature, changed.public)
