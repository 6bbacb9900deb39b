"""Patterns that an agency writes: matched in time that grows with the text, never beyond it.

Python's own `re` tries ways again and again: `(a+)+b` against forty letters would hold a command for hours. Pydantic
brings an engine that does not, and that refuses what it could not match so (references back, looking ahead).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydantic_core import SchemaValidator

LONGEST: Final = 500
"""Characters of a pattern."""


def fits(pattern: str, text: str) -> bool:
    """Tell whether a pattern matches a whole text; raises ValueError (the pattern does not work)."""
    from pydantic_core import ValidationError

    try:
        _engine(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


def refuse_unusable(pattern: str) -> None:
    """Raise ValueError when a pattern does not work, with the reason."""
    _engine(pattern)


@cache
def _engine(pattern: str) -> SchemaValidator:
    from pydantic_core import SchemaError, SchemaValidator

    if len(pattern) > LONGEST:
        raise ValueError(f"it has more than {LONGEST} characters")
    try:
        # By itself first: a bracket too many must not end the group that stands for the whole text.
        SchemaValidator({"type": "str", "pattern": pattern, "regex_engine": "rust-regex"})
        whole = rf"\A(?:{pattern})\z"
        return SchemaValidator({"type": "str", "pattern": whole, "regex_engine": "rust-regex"})
    except SchemaError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ValueError(next((line for line in lines if line.startswith("error:")), lines[-1])) from None
