"""A form that an SOP's `dokumen` names: what it needs, and who fills it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sopauto.documents.parts import Filling


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form: its title, what fills it, and the names that the letter and the SOP's actors have to state for it.

    `template` is the shipped template that it shares with other forms (empty: it has one of its own name).
    """

    title: str
    fill: Callable[[Filling], dict[str, Any]]
    template: str = ""
    letter: tuple[str, ...] = ()
    data: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """The names that a letter or an SOP's `isian` has to state before the form can be filled."""
        return self.letter + self.data
