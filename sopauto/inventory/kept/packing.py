"""Sections as few bytes: against what the same server said the last time, or whole.

A long list is kept as the lines that went and came; anything else is compressed with its predecessor as the dictionary.
Both need the predecessor to be read again, so every twelfth is kept whole (`inventory/kept/store.py`).
"""

from __future__ import annotations

import json
import zlib
from typing import Any, Final

from sopauto.work import canonical

WHOLE: Final = b"w"
AGAINST: Final = b"a"
LINES: Final = b"l"
LEVEL: Final = 6
WINDOW: Final = 32 * 1024
"""Bytes that zlib can look back."""
MANY_LINES: Final = 8


def pack(content: bytes, base: bytes | None) -> bytes:
    """Return a section's content packed, against its predecessor's where there is one; the first byte tells how."""
    if base is None:
        return WHOLE + zlib.compress(content, LEVEL)
    if content.count(b"\n") >= MANY_LINES:
        return LINES + zlib.compress(_difference(content, base), LEVEL)
    squeeze = zlib.compressobj(LEVEL, zdict=base[-WINDOW:])
    return AGAINST + squeeze.compress(content) + squeeze.flush()


def unpack(packed: bytes, base: bytes | None) -> bytes:
    """Return the content that `pack` was given with the same predecessor."""
    kind, body = packed[:1], packed[1:]
    if kind == WHOLE:
        return zlib.decompress(body)
    assert base is not None
    if kind == LINES:
        return _applied(json.loads(zlib.decompress(body)), base)
    return zlib.decompressobj(zdict=base[-WINDOW:]).decompress(body)


def write(section: Any) -> bytes:
    """Return a section as bytes, the same for the same data: JSON, each object of a list on a line of its own."""
    # Canonical JSON holds no line break, so that each one can be taken out again.
    return canonical(section).replace(b"},{", b"},\n{")


def read(content: bytes) -> Any:
    """Return the section that `write` was given."""
    return json.loads(content.replace(b"\n", b""))


def _difference(content: bytes, base: bytes) -> bytes:
    """Return which lines of the base are left out, and which lines come at which place of the result."""
    new, old = content.split(b"\n"), base.split(b"\n")
    kept = set(new) & set(old)
    gone = [i for i, line in enumerate(old) if line not in kept]
    come = [[i, line.decode()] for i, line in enumerate(new) if line not in kept]
    told = canonical({"gone": gone, "come": come})
    # Lines that changed their order cannot be told this way.
    return told if _applied(json.loads(told), base) == content else canonical({"all": content.decode()})


def _applied(difference: dict[str, Any], base: bytes) -> bytes:
    if "all" in difference:
        return str(difference["all"]).encode()
    gone = set(difference["gone"])
    lines = [line for i, line in enumerate(base.split(b"\n")) if i not in gone]
    for i, line in difference["come"]:
        lines.insert(i, line.encode())
    return b"\n".join(lines)
