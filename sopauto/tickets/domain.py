"""What a domain offers to tickets: machine work, effects of rows, refusals, forms, tables and timers.

A domain (`access/`, `custody/`, …) is one folder, and its `domain.py` the table of contents: one `Domain`. The core
names none of them; `app.py` lists them, and `offers.py` finds in them what a row names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from sopauto.clock import Clock
from sopauto.people import People
from sopauto.procedures.known import Fault, Mark, Module
from sopauto.procedures.model import Procedure, Step
from sopauto.schedule import Job
from sopauto.settings import Settings
from sopauto.tickets.model import Action, Letter, Ticket
from sopauto.tickets.storage import Change, Part, Reader
from sopauto.work import Artifact, Json, TechnicalModule, WorkOrder

F = TypeVar("F")
"""What fills a form: known to `documents/`, never called by the core."""


EVERYTHING: Final = frozenset({"*"})
"""As what a step explains: whatever changed on the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What an agency set and who its people are: all that a domain's parts are made of."""

    settings: Settings
    people: People
    clock: Clock

    @property
    def today(self) -> date:
        """The date at the office."""
        return self.clock.now().date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Changes of the store, what they add to the signed entry, and the tickets that they wake, each with its data.

    `silent`: the row sends no e-mail this time, since it would not be true.
    """

    changes: tuple[Change, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    wakes: tuple[tuple[Ticket, Change, Json], ...] = ()
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A letter that is to open a ticket; `where` is its file."""

    reader: Reader
    workspace: Workspace
    procedure: Procedure
    letter: Letter
    where: str

    @property
    def effects(self) -> frozenset[str]:
        """The effects that the SOP's rows have."""
        return frozenset(step.effect for step in self.procedure.steps if step.effect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stating:
    """What a person is about to state at a row; `where` names ticket and row."""

    workspace: Workspace
    procedure: Procedure
    ticket: Ticket
    stated: Json
    where: str

    @property
    def modules(self) -> frozenset[str]:
        """The technical modules of all rows of the SOP."""
        return frozenset(module for step in self.procedure.steps if step.technical for module in step.technical.modules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The completion of a row that has an effect. `data` is all that was stated so far, here as well."""

    reader: Reader
    workspace: Workspace
    ticket: Ticket
    action: Action
    answer: bool | None
    data: Json

    @property
    def today(self) -> date:
        """The day of the action at the office."""
        return self.action.at.date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a technical module's parameters are resolved from. `stated` is the row's `parameter`, checked."""

    module: str
    reader: Reader
    workspace: Workspace
    ticket: Ticket
    step: Step
    stated: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What machine work found, to be kept in the transaction of its entry."""

    order: WorkOrder
    facts: Json
    artifacts: Sequence[Artifact]
    at: datetime


def nothing(*_: object) -> None:
    """Refuse nothing."""


def no_effect(_: Reader, __: Ticket) -> Effect:
    """Return no effect."""
    return Effect()


def no_changes(_: Reading) -> tuple[Change, ...]:
    """Return no change."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineStep:
    """Machine work that a row may name (`teknis`).

    `known` is what an SOP has to know of it; `make` makes the module that does it; `resolve` returns its parameters as
    plain JSON and raises Refused, while something is not settled yet, or BadInput. `keep` returns what its findings add
    to the store. `explains` are the topics of the inventory that its evidence may explain (`EVERYTHING`: all).
    `carried` yields what is wrong with its playbook, looked for in folders, by its parameters.
    """

    known: Module
    make: Callable[[Workspace, str], TechnicalModule]
    resolve: Callable[[Need], Json]
    keep: Callable[[Reading], tuple[Change, ...]] = no_changes
    explains: frozenset[str] = frozenset()
    carried: Callable[[Sequence[Path], Json], Iterable[Fault]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowEffect:
    """What completing a row does (`aset`).

    `take` raises Refused or BadInput where it cannot be. At a no it is asked only if it acts `at_no`.
    """

    known: Mark
    take: Callable[[Case], Effect]
    at_no: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain(Generic[F]):
    """All that one domain offers.

    `waits` are the reasons to wait (`menunggu`), each with what looks for a way on anew (raises Refused: there is
    none). `refuse_letter` and `refuse_statement` raise BadInput; `cancel` is the effect of cancelling a ticket and
    raises Refused. `forms` loads the forms by name, `parts` makes the domain's own part of a transaction from the
    store's connection, `jobs` are its timers.
    """

    name: str
    steps: Mapping[str, MachineStep] = field(default_factory=dict)
    effects: Mapping[str, RowEffect] = field(default_factory=dict)
    waits: Mapping[str, Callable[[Reader, Ticket], Effect]] = field(default_factory=dict)
    refuse_letter: Callable[[Opening], None] = nothing
    refuse_statement: Callable[[Stating], None] = nothing
    cancel: Callable[[Reader, Ticket], Effect] = no_effect
    forms: Callable[[], Mapping[str, F]] = dict
    parts: Mapping[Part[Any], Callable[[Any], Any]] = field(default_factory=dict)
    jobs: tuple[Job, ...] = ()
