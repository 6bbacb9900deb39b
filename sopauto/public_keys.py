"""Public keys of OpenSSH: one form for each key, and what two forms of one key have in common."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

POINTS: Final = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
"""Bytes of an uncompressed point of each curve; a compressed one would be a second form of the same key."""
KEY_TYPES: Final = frozenset(
    {
        "ssh-ed25519",
        *(f"ecdsa-sha2-{curve}" for curve in POINTS),
        "ssh-rsa",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    }
)
ED25519: Final = 32
UNCOMPRESSED: Final = 4
SHORTEST_RSA: Final = 3072


@dataclass(slots=True)
class _Wire:
    """Reads SSH's wire format."""

    data: bytes

    def text(self) -> bytes:
        size = int.from_bytes(self.data[:4], "big")
        if len(self.data) < 4 + size:
            raise ValueError("is no public key: it is cut off")
        taken, self.data = self.data[4 : 4 + size], self.data[4 + size :]
        return taken


def public_key(text: str) -> str:
    """Return a public key as type and blob, without comment, in its one form.

    Raises: ValueError (not a key, a weak one, or a key written in another form than `ssh-keygen` writes).
    """
    parts = text.split()
    if len(parts) < 2 or parts[0] not in KEY_TYPES:  # noqa: PLR2004 - type and blob
        raise ValueError(f"is no public key of a known type ({', '.join(sorted(KEY_TYPES))})")
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except binascii.Error:
        raise ValueError("is no public key: its second word is not base64") from None
    name = parts[0].encode()
    if not blob.startswith(len(name).to_bytes(4, "big") + name):
        raise ValueError("is no public key: its two words do not belong together")
    material(f"{parts[0]} {parts[1]}")
    return f"{parts[0]} {base64.b64encode(blob).decode()}"


def material(public: str) -> bytes:
    """Return what makes a key the same key, whatever its type, application or exponent says; raises ValueError."""
    kind, blob = public.split()[:2]
    wire = _Wire(base64.b64decode(blob))
    wire.text()
    if kind == "ssh-rsa":
        found = _modulus(wire)
    elif "ecdsa" in kind:
        found = _point(wire, kind)
    else:
        found = wire.text()
        if len(found) != ED25519:
            raise ValueError("is no public key: it has not the length of its type")
    if kind.startswith("sk-"):
        wire.text()  # The application: the same key of a token may be written for several.
    if wire.data:
        raise ValueError("is no public key: something stands behind its end")
    return found


def _modulus(wire: _Wire) -> bytes:
    exponent, modulus = wire.text(), wire.text()
    if int.from_bytes(modulus, "big").bit_length() < SHORTEST_RSA:
        raise ValueError(f"is an RSA key of less than {SHORTEST_RSA} bits")
    for number in (exponent, modulus):
        value = int.from_bytes(number, "big")
        if number != value.to_bytes(value.bit_length() // 8 + 1, "big"):
            raise ValueError("is no public key: a number in it has zeros in front")
    return modulus


def _point(wire: _Wire, kind: str) -> bytes:
    curve, point = wire.text().decode("ascii", "replace"), wire.text()
    if f"ecdsa-sha2-{curve}" not in kind or len(point) != POINTS.get(curve) or point[0] != UNCOMPRESSED:
        raise ValueError("is no public key: its point is not one of its curve")
    return point
