"""What one entry of the journal is: the signed bytes, the signature, and the link to the entry before."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from sopauto.errors import BadInput, SopautoError

VERSION: Final = 2
"""Version 1 had no `people`: who held what was not kept with it."""
KEYS: Final[Mapping[str, tuple[type, ...]]] = {
    "v": (int,),
    "ticket": (str,),
    "number": (int,),
    "prev": (str,),
    "at": (str,),
    "person": (str,),
    "position": (str,),
    "verb": (str,),
    "step": (str,),
    "to": (str,),
    "note": (str,),
    "data": (dict,),
    "documents": (list,),
    "procedure": (str,),
    "plan": (str, type(None)),
    "order": (str, type(None)),
}
"""What a body holds, and of which type."""
OPTIONAL: Final[Mapping[str, tuple[type, ...]]] = {"outcome": (str,), "people": (str,)}
"""What a body holds only where there is something to say, so that older entries stay what they are.

`people` is the SHA-256 of the people file of that day; each entry from version 2 on has it.
"""
SHA256: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An armored SSHSIG signature, and the public key (`ssh-ed25519 AAAA…`) whose private half made it."""

    signature: str
    key: str


class Signer(Protocol):
    """Signs as one person."""

    def sign(self, message: bytes) -> Signed:
        """Sign; raises Refused (no key of this person is at hand).

        A signer that has `asks` and means it asks its person at each signature: for a touch, for a passphrase.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One signed action. `prev` is the digest of the entry before it in the same ticket.

    The first entry of a ticket has the digest of the first entry of the ticket opened before it instead, and the very
    first one 64 zeros.
    """

    ticket: str
    number: int
    prev: str
    body: bytes
    signature: str
    key: str

    @property
    def digest(self) -> str:
        """SHA-256 of the signed bytes."""
        return hashlib.sha256(self.body).hexdigest()


def compose_body(
    *,
    ticket: str,
    number: int,
    prev: str,
    at: datetime,
    person: str,
    position: str,
    verb: str,
    step: str,
    to: str,
    note: str,
    data: Mapping[str, Any],
    documents: Sequence[Mapping[str, str]],
    procedure: str,
    plan: str | None,
    order: str | None,
    outcome: str | None = None,
    people: str | None = None,
) -> bytes:
    """Return the canonical JSON that is signed: UTF-8, sorted keys, no blanks.

    `people` is the digest of the people file under which it is signed (None: version 1, which has none).
    Raises: BadInput (a text holds what is no character, such as half of an emoji).
    """
    body = {
        "v": 1 if people is None else VERSION,
        "ticket": ticket,
        "number": number,
        "prev": prev,
        "at": at.isoformat(),
        "person": person,
        "position": position,
        "verb": verb,
        "step": step,
        "to": to,
        "note": note,
        "data": dict(data),
        "documents": [dict(document) for document in documents],
        "procedure": procedure,
        "plan": plan,
        "order": order,
        **({"outcome": outcome} if outcome else {}),
        **({"people": people} if people else {}),
    }
    try:
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        what = "a text holds what is no character"
        raise BadInput(what, where=f"{ticket} {step}", mend="write it as UTF-8") from None


def read_body(body: bytes) -> dict[str, Any]:
    """Return what an entry's body says (`people` only from version 2 on).

    Raises: SopautoError (not a body of a version that is known).
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise SopautoError("an entry of the journal is not readable") from None
    known = {**KEYS, **OPTIONAL}
    if not isinstance(data, dict) or not KEYS.keys() <= data.keys() <= known.keys():
        raise SopautoError("an entry of the journal has not the keys of its version")
    if data["v"] != (VERSION if "people" in data else 1):
        raise SopautoError("an entry of the journal has not the keys of its version")
    for key in data:
        if not isinstance(data[key], known[key]) or (key == "people" and not SHA256.fullmatch(data[key])):
            raise SopautoError(f"an entry of the journal has a wrong {key}")
    return data
