"""OpenSSH's signature format SSHSIG (PROTOCOL.sshsig), verified in the process with `cryptography`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

NAMESPACE: Final = "sopauto"
"""What our signatures are for: one made for another purpose does not count."""
MAGIC: Final = b"SSHSIG"
BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
END: Final = "-----END SSH SIGNATURE-----"
LONGEST: Final = 20_000
"""Characters of an armored signature; an RSA one of 16,384 bits has about 6,000."""
HASHES: Final = {"sha512": hashlib.sha512, "sha256": hashlib.sha256}
CURVES: Final = {
    "nistp256": ("SECP256R1", "SHA256"),
    "nistp384": ("SECP384R1", "SHA384"),
    "nistp521": ("SECP521R1", "SHA512"),
}
RSA: Final = {"rsa-sha2-512": "SHA512", "rsa-sha2-256": "SHA256"}
PRESENT: Final = 0x01
"""Flag of a FIDO key: somebody touched it."""


class BadSignatureError(ValueError):
    """A signature does not hold; the text says why."""


@dataclass(slots=True)
class _Wire:
    """Reads SSH's wire format."""

    data: bytes

    def take(self, count: int) -> bytes:
        if len(self.data) < count:
            raise BadSignatureError("the signature is cut off")
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def text(self) -> bytes:
        return self.take(self.number())

    def end(self) -> None:
        if self.data:
            raise BadSignatureError("the signature has something behind its end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The parts of an SSHSIG."""

    key: bytes
    namespace: str
    hash: str
    signature: bytes

    @property
    def public_key(self) -> str:
        """The signing key as OpenSSH writes it: type and blob."""
        return f"{_Wire(self.key).text().decode()} {base64.b64encode(self.key).decode()}"


def parse(armored: str) -> Signature:
    """Return the parts of an armored signature; raises BadSignatureError."""
    lines = armored.strip().splitlines()
    if len(armored) > LONGEST or len(lines) < 3 or lines[0] != BEGIN or lines[-1] != END:  # noqa: PLR2004
        raise BadSignatureError("this is no SSH signature")
    try:
        wire = _Wire(base64.b64decode("".join(lines[1:-1]), validate=True))
    except binascii.Error:
        raise BadSignatureError("this is no SSH signature") from None
    if wire.take(6) != MAGIC or wire.number() != 1:
        raise BadSignatureError("this is no SSH signature of version 1")
    key, namespace, reserved, hash_name, signature = (wire.text() for _ in range(5))
    wire.end()
    if reserved:
        raise BadSignatureError("the signature has a reserved part")
    try:
        return Signature(key=key, namespace=namespace.decode(), hash=hash_name.decode(), signature=signature)
    except UnicodeDecodeError:
        raise BadSignatureError("the signature is not readable") from None


def verify(message: bytes, armored: str, key: str, *, namespace: str = NAMESPACE) -> None:
    """Check that this key signed this message for this namespace.

    Raises: BadSignatureError, with what is wrong.
    """
    signature = parse(armored)
    if signature.public_key != " ".join(key.split()[:2]):
        raise BadSignatureError("it was made with another key")
    if signature.namespace != namespace:
        raise BadSignatureError(f"it was made for {signature.namespace!r}, not for {namespace!r}")
    if signature.hash not in HASHES:
        raise BadSignatureError(f"it uses the hash {signature.hash!r}")
    digest = HASHES[signature.hash](message).digest()
    signed = MAGIC + b"".join(_string(part) for part in (namespace.encode(), b"", signature.hash.encode(), digest))
    wire = _Wire(signature.signature)
    algorithm, blob = wire.text().decode("ascii", "replace"), wire.text()
    check = _checker(signature.key)
    check(algorithm, blob, signed, wire)


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


Check = Callable[[str, bytes, bytes, _Wire], None]
"""Checks (algorithm, signature blob, signed bytes, what follows the blob); raises BadSignatureError."""


@lru_cache(maxsize=1024)
def _checker(blob: bytes) -> Check:
    """Return the check of a public key; parsing a key costs more than using it."""
    wire = _Wire(blob)
    kind = wire.text().decode("ascii", "replace")
    if kind not in KINDS:
        raise BadSignatureError(f"keys of the type {kind!r} are not accepted")
    return KINDS[kind](wire)


def _ed25519(wire: _Wire) -> Check:
    key = _ed25519_key(wire.text())

    def check(algorithm: str, blob: bytes, signed: bytes, rest: _Wire) -> None:
        rest.end()
        _expect(algorithm, "ssh-ed25519")
        _hold(lambda: key.verify(blob, signed))

    return check


def _rsa(wire: _Wire) -> Check:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    exponent, modulus = (int.from_bytes(wire.text(), "big") for _ in range(2))
    key = rsa.RSAPublicNumbers(exponent, modulus).public_key()

    def check(algorithm: str, blob: bytes, signed: bytes, rest: _Wire) -> None:
        rest.end()
        _expect(algorithm, *RSA)
        _hold(lambda: key.verify(blob, signed, padding.PKCS1v15(), getattr(hashes, RSA[algorithm])()))

    return check


def _ecdsa(wire: _Wire) -> Check:
    curve = wire.text().decode("ascii", "replace")
    key = _ecdsa_key(curve, wire.text())

    def check(algorithm: str, blob: bytes, signed: bytes, rest: _Wire) -> None:
        rest.end()
        _expect(algorithm, f"ecdsa-sha2-{curve}")
        _hold(lambda: _verify_ecdsa(key, CURVES[curve][1], blob, signed))

    return check


def _fido(inner: str) -> Callable[[_Wire], Check]:
    """Return the reader of a FIDO key: what is signed is wrapped by the authenticator (PROTOCOL.u2f)."""

    def read(wire: _Wire) -> Check:
        if inner == "ssh-ed25519":
            verify_inner: Callable[[bytes, bytes], None] = _ed25519_key(wire.text()).verify
        else:
            curve = wire.text().decode("ascii", "replace")
            verify_inner = partial(_verify_ecdsa, _ecdsa_key(curve, wire.text()), CURVES[curve][1])
        application = wire.text()

        def check(algorithm: str, blob: bytes, signed: bytes, rest: _Wire) -> None:
            _expect(algorithm, f"sk-{inner}@openssh.com")
            flags, counter = rest.take(1), rest.take(4)
            rest.end()
            if not flags[0] & PRESENT:
                raise BadSignatureError("nobody touched the security key")
            told = hashlib.sha256(application).digest() + flags + counter + hashlib.sha256(signed).digest()
            _hold(lambda: verify_inner(blob, told))

        return check

    return read


def _ed25519_key(raw: bytes) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        raise BadSignatureError("the key is not readable") from None


def _ecdsa_key(curve: str, point: bytes) -> ec.EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(getattr(ec, CURVES[curve][0])(), point)
    except (KeyError, ValueError):
        raise BadSignatureError("the key is not readable") from None


def _verify_ecdsa(key: ec.EllipticCurvePublicKey, hash_name: str, blob: bytes, signed: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    wire = _Wire(blob)
    r, s = (int.from_bytes(wire.text(), "big") for _ in range(2))
    wire.end()
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(getattr(hashes, hash_name)()))


def _expect(algorithm: str, *allowed: str) -> None:
    if algorithm not in allowed:
        raise BadSignatureError(f"it uses the algorithm {algorithm!r}")


def _hold(check: Callable[[], None]) -> None:
    from cryptography.exceptions import InvalidSignature

    try:
        check()
    except InvalidSignature:
        raise BadSignatureError("it does not belong to what was signed") from None


KINDS: Final[Mapping[str, Callable[[_Wire], Check]]] = {
    "ssh-ed25519": _ed25519,
    "ssh-rsa": _rsa,
    "ecdsa-sha2-nistp256": _ecdsa,
    "ecdsa-sha2-nistp384": _ecdsa,
    "ecdsa-sha2-nistp521": _ecdsa,
    "sk-ssh-ed25519@openssh.com": _fido("ssh-ed25519"),
    "sk-ecdsa-sha2-nistp256@openssh.com": _fido("ecdsa-sha2-nistp256"),
}
"""How the keys of each type are read."""
