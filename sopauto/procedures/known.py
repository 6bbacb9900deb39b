"""The names that an SOP may use for what sopauto implements, and what each demands of the SOP. Values, handed over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Fault = tuple[str, str]
"""What is wrong, and how to mend it."""
OPENING: Final = frozenset({"letter", "unit", "applicant"})
"""What opening a ticket writes."""
OUTCOME: Final = "outcome"
"""How machine work ended. Entries keep it apart; older ones held it among what people state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """What an SOP has to know of a technical module that a row names in `teknis`.

    `parameters` are those that the row may state, each with what yields a value's faults. `needs` are the fields, with
    their kinds, that the letter has to state.
    """

    changes: bool
    parameters: Mapping[str, Callable[[Any], Iterator[Fault]]] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What an SOP has to know of an effect that completing a row has (`aset`).

    `needs` are the fields, with their kinds, that the letter has to state; `writes` the words that only the machine
    states with it. `module` is the machine work of the only row that may have it, `message` the e-mail that only such a
    row may send, `after` the effect that every way before it has.
    """

    needs: Mapping[str, str] = field(default_factory=dict)
    writes: frozenset[str] = frozenset()
    module: str | None = None
    message: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All names (None: any). `carried` tells, for a module and its parameters, what is wrong with its playbook."""

    modules: Mapping[str, Module] | None = None
    effects: Mapping[str, Mark] | None = None
    waits: Collection[str] | None = None
    forms: Collection[str] | None = None
    messages: Collection[str] | None = None
    carried: Callable[[str, Mapping[str, Any]], Iterable[Fault]] | None = None

    def changes(self, module: str) -> bool:
        """Tell whether a module changes a machine, so that somebody has to approve its plan."""
        return self.modules is not None and module in self.modules and self.modules[module].changes

    @property
    def marks(self) -> Mapping[str, Mark]:
        """What is known of the effects."""
        return self.effects or {}


def machine_words(marks: Mapping[str, Mark]) -> frozenset[str]:
    """Return the words that the machine writes into a ticket's data: nobody states them, and no SOP asks for them."""
    return OPENING.union({OUTCOME}, *(mark.writes for mark in marks.values()))
