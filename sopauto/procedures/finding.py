"""What is wrong with an SOP's YAML: where it stands and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

from sopauto.errors import BadInput
from sopauto.procedures.model import Procedure, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to mend: file, line, the field or step that it is about, what is wrong and how to put it right."""

    file: str
    line: int
    field: str
    what: str
    mend: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        return str(BadInput(self.what, where=self.where, mend=self.mend))

    @property
    def where(self) -> str:
        """The place as `file:line field`."""
        return f"{self.file}:{self.line} {self.field}".rstrip()

    def as_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return asdict(self)


def at_row(procedure: Procedure, step: Step, key: str, what: str, mend: str) -> Finding:
    """Return a finding about a key of a row (or about the row, where the key is left out)."""
    line = procedure.lines.get(f"{step.id}/{key}", procedure.lines.get(step.id, step.line))
    return Finding(file=procedure.source, line=line, field=step.id, what=what, mend=mend)


def refusal(findings: Sequence[Finding]) -> BadInput:
    """Return the first finding as an error that tells how many more there are."""
    first, others = findings[0], len(findings) - 1
    mend = f"{first.mend} (and {others} more: run sop.check {first.file})" if others else first.mend
    return BadInput(first.what, where=first.where, mend=mend)


def suggestion(word: str, known: Sequence[str]) -> str:
    """Return what to do about an unknown word: the nearest known one, or all of them."""
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
