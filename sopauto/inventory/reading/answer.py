"""A server's answer to `collect.sh`, taken apart as hostile text (design rule 7).

Whoever owns the server decides what it answers. Each text is bounded and its control characters are escaped, each
number is checked, each list is cut at a limit that no honest server meets, and a cut is recorded as missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from ipaddress import ip_address, ip_interface, ip_network
from typing import Final, TypeVar

from sopauto.errors import StepFailed

MAX_TEXT: Final = 200
"""Characters of one text that are kept."""
MAX_ITEMS: Final = 2000
"""Entries of one list that are kept."""
DIGITS: Final = re.compile(r"[0-9]{1,15}")
"""Counted in KiB this is still a 64-bit number of bytes."""
ZONE: Final = re.compile(r"%[^/]*")
"""What `ipaddress` would take as it is and at any length: the interface of an IPv6 address (`fe80::1%eth0/64`)."""


class TooLarge(StepFailed):
    """An answer makes an inventory that is larger than any honest one."""


T = TypeVar("T", bound=Hashable)


class Answer:
    """The lines of an answer by section, and what is missing."""

    def __init__(self, sections: dict[str, list[str]]) -> None:
        self._sections = sections
        self.missing = [text(line) for line in sections.get("missing", [])[:MAX_ITEMS]]

    def lines(self, section: str) -> Sequence[str]:
        """Return the lines of a section, as the server sent them."""
        return self._sections.get(section, [])

    def rows(self, section: str, width: int) -> Iterable[list[str]]:
        """Return the lines of a section that hold exactly so many fields, split at tabs."""
        return (row for row in (line.split("\t") for line in self.lines(section)) if len(row) == width)

    def things(self, section: str, width: int) -> Iterator[list[str]]:
        """Return the rows of a section as `rows` does, the first of each name only (the first field).

        What belongs to a name is looked up by it: under a name that came a thousand times it would stand as often.
        """
        seen: set[str] = set()
        for row in self.rows(section, width):
            name = text(row[0])
            if name not in seen:
                seen.add(name)
                yield row

    def first(self, *sections: str) -> str | None:
        """Return the first line with something in it of the first section that has one."""
        return next((line for name in sections for line in self.lines(name) if line.strip()), None)

    def bounded(self, name: str, items: Iterable[T], limit: int = MAX_ITEMS) -> tuple[T, ...]:
        """Return each item once, in order, up to the limit; what was cut off is recorded as missing."""
        kept: dict[T, None] = {}
        for item in items:
            if len(kept) == limit and item not in kept:
                self.missing.append(f"{name}: more than {limit} entries")
                break
            kept[item] = None
        return tuple(kept)


def read_answer(output: bytes) -> Answer:
    """Return the sections of the script's output; lines that belong to none (a login message) are left out.

    Raises: StepFailed, when the script did not come to its end.
    """
    sections: dict[str, list[str]] = {}
    for line in output.decode("utf-8", "backslashreplace").split("\n"):
        name, tab, rest = line.partition("\t")
        if tab:
            sections.setdefault(name, []).append(rest.removesuffix("\r"))
    if "end" not in sections:
        last = output.decode("utf-8", "backslashreplace").strip().rpartition("\n")[2]
        raise StepFailed(
            f"the inventory broke off; the last line was {text(last)!r}",
            mend="see whether `sh` runs there, collect again",
        )
    return Answer(sections)


def text(value: str) -> str:
    """Return a text without blanks around it, at most 200 characters of it, those that cannot be seen escaped."""
    stripped = value.strip()
    if len(stripped) <= MAX_TEXT and stripped.isprintable():
        return stripped
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in stripped[:MAX_TEXT])
    return f"{shown}…" if len(stripped) > MAX_TEXT else shown


def text_or_none(value: str | None) -> str | None:
    """Return a text as `text` does, or None when there is nothing in it."""
    return text(value or "") or None


def number(value: str | None) -> int | None:
    """Return a whole number of at most 15 digits; None for anything else."""
    digits = (value or "").strip()
    return int(digits) if DIGITS.fullmatch(digits) else None


def address(value: str) -> str | None:
    """Return an IP address in its usual form, without a zone; None for anything else."""
    return _parsed(_unmapped, ZONE.sub("", value))


def _unmapped(value: str) -> object:
    """Return `::ffff:192.0.2.2` as the IPv4 address that it is; Python versions differ in writing the former."""
    parsed = ip_address(value)
    return getattr(parsed, "ipv4_mapped", None) or parsed


def interface_address(value: str) -> str | None:
    """Return an IP address with its prefix length, without a zone; None for anything else."""
    return _parsed(ip_interface, ZONE.sub("", value))


def destination(value: str) -> str | None:
    """Return a network in its usual form, without a zone, or `default`; None for anything else."""
    return value if value == "default" else _parsed(ip_network, ZONE.sub("", value))


def _parsed(parse: Callable[[str], object], value: str) -> str | None:
    try:
        return str(parse(value))
    except ValueError:
        return None
