"""Cells of a spreadsheet: what anybody outside says must not be taken for a formula (design rule 7)."""

from __future__ import annotations

from typing import Final

from sopauto.procedures.fields import one_line

FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet would calculate, the last four in full width."""
LINES: Final = "\t\n"
"""What a text of several lines or columns may hold."""
LONGEST: Final = 32_000
"""Characters; a spreadsheet's cell holds 32,767."""


def safe(value: object) -> object:
    """Return a value for a cell: numbers as they are, text bounded, what begins like a formula behind an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    text = "".join(c if c.isprintable() or c in LINES else one_line(c) for c in str(value)[:LONGEST])
    return f"'{text}" if text.startswith("\t") or text.lstrip().startswith(FORMULA) else text


def harmless(text: str, longest: int = LONGEST) -> str:
    """Return a text as one bounded line that no spreadsheet takes for a formula."""
    line = one_line(text, longest)
    return f"'{line}" if line.startswith(FORMULA) else line
