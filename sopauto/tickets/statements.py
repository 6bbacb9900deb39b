"""What people state at a row: only what it asks for, and never the machine's own words (`known.machine_words`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sopauto.journal.entry import Entry, read_body
from sopauto.procedures.known import Mark, machine_words
from sopauto.procedures.model import Field, Procedure, Step
from sopauto.tickets.model import Verb

STATING: Final = frozenset({Verb.DONE, Verb.APPROVE, Verb.REJECT})
"""The actions by which a person states what a row asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing that an entry says: who stated it at which row, or that the machine wrote it there."""

    name: str
    value: Any
    person: str
    step: str
    at: str
    number: int
    by_machine: bool


def asked_of(step: Step, answer: bool | None, words: Collection[str]) -> tuple[Field, ...]:
    """Return what an actor states at a row. A no may state it, and need not: it goes back to be looked at again.

    What only the machine writes (`words`) is never asked, whatever an older SOP says.
    """
    fields = tuple(field for field in step.fields if field.name not in words)
    return fields if answer is not False else tuple(replace(field, required=False) for field in fields)


def statements(procedure: Procedure, entries: Sequence[Entry], marks: Mapping[str, Mark]) -> Iterator[Statement]:
    """Yield what was stated and written after the letter, in the order of the entries."""
    for entry in entries[1:]:
        body = read_body(entry.body)
        written = _written(procedure, body, marks)
        for name, value in body["data"].items():
            yield Statement(
                name=name,
                value=value,
                person=body["person"],
                step=body["step"],
                at=body["at"],
                number=entry.number,
                by_machine=name in written,
            )


def forged(procedure: Procedure, entries: Sequence[Entry], marks: Mapping[str, Mark]) -> list[str]:
    """Return where a person stated a word that only the machine writes, each as a sentence (older journals)."""
    words = machine_words(marks)
    return [
        f"{entries[0].ticket} entry {said.number}: {said.person} stated {said.name!r}, which only the machine writes"
        for said in statements(procedure, entries, marks)
        if said.name in words and not said.by_machine
    ]


def _written(procedure: Procedure, body: dict[str, Any], marks: Mapping[str, Mark]) -> frozenset[str]:
    """Return what the machine writes with an entry: a row's effect, or all that machine work says of itself."""
    if body["verb"] not in STATING:
        return frozenset(body["data"])
    step = next((step for step in procedure.steps if step.id == body["step"]), None)
    mark = marks.get(step.effect or "") if step is not None and body["verb"] != Verb.REJECT else None
    return mark.writes if mark else frozenset()
