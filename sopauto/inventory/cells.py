"""Cells of a spreadsheet: what a server says must not be taken for a formula (design rule 7)."""

from __future__ import annotations

from typing import Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
LONGEST: Final = 32_000
"""Characters; a spreadsheet's cell holds 32,767."""


def safe(value: object) -> object:
    """Return a value for a cell: numbers as they are, text bounded, what begins like a formula behind an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    text = str(value)[:LONGEST]
    return f"'{text}" if text.startswith(FORMULA) else text
