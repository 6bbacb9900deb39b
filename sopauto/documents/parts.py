"""Pieces that forms are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sopauto.errors import BadInput
from sopauto.journal.entry import read_body
from sopauto.procedures.fields import visible
from sopauto.tickets.desk import Occasion

Section = Mapping[str, Any]
"""A heading (`judul`) with labels and values (`isi`), or with a table (`kolom`, `baris`)."""

LONGEST: Final = 300


def shown(value: object) -> str:
    """Return any value as one line of bounded length, control characters escaped."""
    text = str(value)
    if len(text) > LONGEST:
        text = text[:LONGEST] + "…"
    return "".join(visible(character) if not character.isprintable() else character for character in text)


def stated(data: Mapping[str, Any], name: str) -> str:
    """Return a value that a form needs; raises BadInput when it is missing."""
    value = data.get(name)
    if value in {None, ""}:
        raise BadInput(f"the form needs {name!r}", mend=f"state it with `--set {name}=…`")
    return shown(value)


def entries(occasion: Occasion) -> Iterator[dict[str, Any]]:
    """Yield what the ticket's entries so far say."""
    for entry in occasion.reader.entries(occasion.before.id):
        yield read_body(entry.body)
