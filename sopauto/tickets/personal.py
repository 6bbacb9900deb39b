"""Personal numbers (NIK, NIP) in what is shown: of each its end only; the whole stands in the form (UU 27/2022)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sopauto.journal.entry import Entry, read_body
from sopauto.procedures.model import Procedure

KIND: Final = "identitas"
SHORTEST: Final = 8
"""Shorter texts are no number of a person, and would hide half of what is shown."""
BETWEEN: Final = r"[\W_]{0,3}"
"""What may stand between two digits of one number: ` - ` at most."""
WIDE: Final = ord("\uff10") - ord("0")

Mask = Callable[[Any], Any]
"""Returns a value, and all that is in it, with personal numbers masked."""


def mask_of(procedure: Procedure, entries: Sequence[Entry]) -> Mask:
    """Return what masks the personal numbers that a ticket's letter and rows were ever told, wherever they stand."""
    numbers = set(_numbers(procedure, [read_body(entry.body)["data"] for entry in entries]))
    if not numbers:
        return lambda value: value
    # Longer ones first: a NIK may stand at the beginning of a NIP.
    anywhere = re.compile("|".join(map(_however_written, sorted(numbers, key=len, reverse=True))))

    def mask(value: Any) -> Any:
        if isinstance(value, str):
            return anywhere.sub(lambda match: masked(re.sub(r"\D", "", match[0])), value)
        if isinstance(value, Mapping):
            return {mask(name): mask(inner) for name, inner in value.items()}
        if isinstance(value, Iterable):
            return [mask(inner) for inner in value]
        if isinstance(value, int) and not isinstance(value, bool) and str(value) in numbers:
            return masked(str(value))
        return value

    return mask


def _however_written(number: str) -> str:
    """Return the pattern of a number in groups, and in the wide digits of Asian keyboards."""
    return BETWEEN.join(f"[{digit}{chr(ord(digit) + WIDE)}]" for digit in number)


def _numbers(procedure: Procedure, said: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    letter = {field.name for field in procedure.letter if field.kind == KIND}
    rows = {field.name for step in procedure.steps for field in step.fields if field.kind == KIND}
    for data in said:
        told = [data.get(name) for name in rows]
        inside = data.get("letter")
        if isinstance(inside, Mapping):
            told += [inside.get(name) for name in letter]
        for value in told:
            digits = re.sub(r"\D", "", str(value or ""))
            if len(digits) >= SHORTEST:
                yield digits


def masked(identity: str) -> str:
    """Return an identity number as lists show it: its last four digits (UU 27/2022)."""
    return "*" * max(len(identity) - 4, 4) + identity[-4:] if len(identity) > 4 else "****"  # noqa: PLR2004 - see above
