"""The words of an SOP in code: `Procedure`, `Step`, actors, branches.

The YAML keeps the signed paper's own terms (`kegiatan`, `pelaksana`, `waktu`, …); `load.py` translates them once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

DONE = "selesai"
"""Terminator: the procedure ended as it should."""
REJECTED = "ditolak"
"""Terminator: the request was refused."""
ENDS = frozenset({DONE, REJECTED})
CONTACT = "kontak"
"""Addressee of a message: the contact person that the letter names."""


class StepKind(StrEnum):
    """The two kinds of step that an SOP has (Permen PAN-RB 35/2012)."""

    PROCESS = "proses"
    DECISION = "keputusan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A column of the table: the position (jabatan) that carries out steps.

    `applicant` marks the column of the requesting unit: only people of the ticket's own unit may act there.
    """

    id: str
    title: str
    applicant: bool = False
    inferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """Mutu baku waktu: the paper's text, and the same as office time (None where the paper leaves it blank)."""

    text: str
    office_time: timedelta | None = None
    office_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A target that depends on the answer given earlier at the decision `on` (SOP 003, row 9: 12 or 13)."""

    on: str
    yes: str
    no: str


Target = str | Fork
"""The id of a step, one of `ENDS`, or a `Fork` between two of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that a letter or a step's actor has to state. `kind` is one of `fields.KINDS`.

    `max_length` (characters) narrows the limit of the kind; `minimum` and `maximum` bound a number, both included,
    `earliest` and `latest` a day or moment (see `bounds.py`). `placeholders`: a text such as `-` is an answer here.
    """

    name: str
    label: str
    kind: str = "teks"
    required: bool = True
    choices: tuple[str, ...] = ()
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    earliest: str | None = None
    latest: str | None = None
    placeholders: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Technical:
    """The machine work of a step: which modules (one after the other), who runs it, who approves its plan.

    `approver` (a position) approves the plan at this very step; otherwise `plan_step` is the row that carries the
    plan and `approval_step` the row that signs it (SOP 000: rows 9 and 10). `recurring` names a step that goes on
    after the ticket is done (`bulanan`). `plan_of` names an earlier row whose approved plan holds this work too (SOP
    003: what row 5 plans says how rows 6 and 8 take the software back). On a decision a person still answers.
    """

    modules: tuple[str, ...]
    executor: str
    approver: str | None = None
    plan_step: str | None = None
    approval_step: str | None = None
    plan_of: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    recurring: str | None = None

    @property
    def module(self) -> str:
        """The modules in one word."""
        return "+".join(self.modules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The e-mail that completing a step sends: its template, and what the SOP says that it must contain.

    `to` is `CONTACT` or the id of an actor. `on` is the answer at which a decision sends it; None: at any completion.
    """

    template: str
    to: str
    required: tuple[str, ...] = ()
    on: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of an SOP's table.

    `id` is `table.number`. `next` holds for a process, `yes` and `no` for a decision. `back` is where a process step
    may be returned to (absent on paper: inferred). `approval` marks a row whose completion is an approval for the
    separation of duties. `waits` names what the ticket waits for after this step (`tempat`). `effect` is what
    completing it does to the assets (`siapkan`, `tempatkan`, `bebaskan`; see `assets/`). `inferred` holds the names
    of YAML keys that do not stand in the paper. `documents` are the forms that it fills, `documents_at_no` those of a
    decision that says no. `yes_label` and `no_label` are the paper's words for the two answers, `page` is the sheet of
    the paper on which the row stands. `direct_superior`: of the row's actors, only the applicant's direct superior.
    """

    id: str
    table: str
    number: int
    text: str
    actors: tuple[str, ...]
    kind: StepKind
    time_limit: TimeLimit
    requirements: str = ""
    output: str = ""
    remarks: str = ""
    next: Target | None = None
    yes: Target | None = None
    no: Target | None = None
    back: str | None = None
    approval: bool = False
    waits: str | None = None
    effect: str | None = None
    fields: tuple[Field, ...] = ()
    message: Message | None = None
    documents: tuple[str, ...] = ()
    documents_at_no: tuple[str, ...] = ()
    technical: Technical | None = None
    inferred: frozenset[str] = frozenset()
    line: int = 0
    yes_label: str = "Ya"
    no_label: str = "Tidak"
    page: int = 1
    direct_superior: bool = False

    def targets(self) -> Iterator[str]:
        """Yield every step id or terminator that this step can lead to."""
        for target in (self.next, self.yes, self.no, self.back):
            if isinstance(target, Fork):
                yield target.yes
                yield target.no
            elif target is not None:
                yield target


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One "Uraian Prosedur" table of the paper, with its heading.

    `columns` are the ids and headings of the actors where this table names them otherwise than the procedure does.
    """

    id: str
    title: str
    inferred: bool = False
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of the paper, word for word; blank boxes are empty.

    `inferred` holds the names of YAML keys that do not stand in the paper.
    """

    agency: str
    name: str
    number: str
    created: str
    revised: str
    effective: str
    approved_by: str
    legal_basis: tuple[str, ...]
    qualifications: tuple[str, ...]
    relations: tuple[str, ...]
    equipment: tuple[str, ...]
    warnings: tuple[str, ...]
    records: tuple[str, ...]
    total_time: str = ""
    inferred: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One SOP that a ticket can run: head, actors in the paper's order, steps in the paper's order.

    `digest` is the SHA-256 of the YAML file's bytes: the version that a ticket is bound to. `words` are the labels
    that this paper prints instead of the usual ones (`kegiatan` → "Aktivitas"). `inferred` holds the names of YAML keys
    that do not stand in the paper. `lines` tells the line of the file on which a thing stands: `table.number`,
    `table.number/key`, `kepala/key`, `pelaksana/id`, `tabel/id`, `surat/name`.
    """

    code: str
    prefix: str
    head: Head
    actors: tuple[Actor, ...]
    tables: tuple[Table, ...]
    steps: tuple[Step, ...]
    letter: tuple[Field, ...]
    source: str
    digest: str
    words: Mapping[str, str] = field(default_factory=dict)
    inferred: frozenset[str] = frozenset()
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def start(self) -> str:
        """The id of the first step."""
        return self.steps[0].id

    def step(self, step_id: str) -> Step:
        """Return a step by its id; raises KeyError."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def actor(self, actor_id: str) -> Actor:
        """Return an actor by its id; raises KeyError."""
        for actor in self.actors:
            if actor.id == actor_id:
                return actor
        raise KeyError(actor_id)
