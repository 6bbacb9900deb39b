"""What tickets order and technical modules carry out: plan, work order, result.

These words are shared by `tickets/` (which alone makes a `WorkOrder`), `technical/` and `drivers/`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Protocol

Json = Mapping[str, Any]
"""A JSON object: keys are strings, values are what `json` can write."""

Report = Callable[[str], None]
"""Receives one short line of progress for a person to read."""


def canonical(value: Any) -> bytes:
    """Return the one JSON form of a value that digests and signatures are made over (UTF-8, sorted keys)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256(content: bytes) -> str:
    """Return the SHA-256 of the content as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


class Foresight(StrEnum):
    """When a task whose effect cannot be foreseen runs."""

    WILL = "will"
    MAY = "may"
    """Depending on what is done before it."""
    IF_FAILED = "if-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unforeseen:
    """A task that runs, or may run, and of which no check mode can tell the effect: what the approver signs of it.

    `place` is its file and line, `why` why nobody knows. `leaves_nothing` is the playbook's own word that nothing of it
    stays, and why: it may be run again. `part` is the module, where a step has several.
    """

    kind: Foresight
    task: str
    module: str
    arguments: str
    why: str
    place: str
    leaves_nothing: str = ""
    part: str = ""

    def as_json(self) -> dict[str, str]:
        """Return it as a JSON object, without what is empty."""
        return {name: str(value) for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> Unforeseen:
        """Return what `as_json` wrote."""
        told: dict[str, Any] = {"arguments": "", **data, "kind": Foresight(data["kind"])}
        return cls(**told)

    @property
    def once(self) -> bool:
        """Whether it must not run a second time under the same approval."""
        return not self.leaves_nothing and self.kind is not Foresight.IF_FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a technical step would change, as the approver sees it.

    `before` is the state that was read, `lines` what would be sent (in order), `after` the state expected then.
    `targets` names the machines. `unforeseen` are the tasks whose effect cannot be told, `varies` what was declared to
    differ from run to run. Empty `lines` and no such task mean that the machine already is as wanted.
    """

    module: str
    targets: tuple[str, ...]
    parameters: Json
    before: Json
    lines: tuple[str, ...]
    after: Json
    diff: str = ""
    unforeseen: tuple[Unforeseen, ...] = ()
    varies: tuple[str, ...] = ()

    @property
    def once(self) -> tuple[Unforeseen, ...]:
        """The tasks that run at most once under an approval: whether they did cannot be read back."""
        return tuple(task for task in self.unforeseen if task.once)

    def as_json(self) -> dict[str, Any]:
        """Return the plan as a JSON object, the form that is digested, signed and kept."""
        # Left out where there is none: plans of before it was told keep their digests.
        unforeseen = {"unforeseen": [task.as_json() for task in self.unforeseen]} if self.unforeseen else {}
        return {
            **unforeseen,
            **({"varies": list(self.varies)} if self.varies else {}),
            "module": self.module,
            "targets": list(self.targets),
            "parameters": dict(self.parameters),
            "before": dict(self.before),
            "lines": list(self.lines),
            "after": dict(self.after),
            "diff": self.diff,
        }

    @classmethod
    def from_json(cls, data: Json) -> Plan:
        """Return the plan that `as_json` wrote."""
        listed = {name: tuple(data[name]) for name in ("targets", "lines", "varies") if name in data}
        unforeseen = tuple(map(Unforeseen.from_json, data.get("unforeseen", ())))
        return cls(**{**data, **listed, "unforeseen": unforeseen})

    @property
    def logins(self) -> tuple[str, ...]:
        """The logins of the settings that it takes: its own, a switch's, or those of its parts."""
        parts = [self.parameters, *(part for part in self.parameters.values() if isinstance(part, Mapping))]
        return tuple(dict.fromkeys(str(part["credentials"]) for part in parts if "credentials" in part))

    @property
    def digest(self) -> str:
        """SHA-256 over the plan's canonical JSON."""
        return sha256(canonical(self.as_json()))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """The leave to touch a machine, once, for one step of one ticket. Only `tickets/gate.py` makes one."""

    ticket: str
    step: str
    attempt: int
    person: str
    module: str
    parameters: Json
    targets: tuple[str, ...]
    procedure_digest: str
    materials: Mapping[str, str]
    plan: Plan | None

    @property
    def digest(self) -> str:
        """SHA-256 over all that was approved: SOP version, parameters, targets, materials and plan."""
        return sha256(
            canonical(
                {
                    "module": self.module,
                    "parameters": dict(self.parameters),
                    "targets": list(self.targets),
                    "procedure": self.procedure_digest,
                    "materials": dict(self.materials),
                    "plan": self.plan.digest if self.plan else None,
                }
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file kept as evidence: its name, media type and content."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a technical step did: whether anything changed, what it found, and the evidence.

    `complete` is False when a part of the step's work is still to be run.
    """

    changed: bool
    summary: str
    facts: Json = field(default_factory=dict)
    artifacts: Sequence[Artifact] = ()
    complete: bool = True


class Probe(StrEnum):
    """What the real machine says of an attempt that has no result."""

    DONE = "done"
    NOT_BEGUN = "not-begun"
    PARTLY = "partly"
    """A part was done, and all that is left was approved: it may go on."""
    UNKNOWN = "unknown"


class TechnicalModule(Protocol):
    """One technical step: how it is planned, applied, proven and undone.

    `mutates` is False for modules that only read (`custody.check`, `inventory.collect`): they need no plan.
    `parameters` are plain JSON, resolved from the ticket and its reserved assets before the plan is made.
    """

    name: str
    mutates: bool

    def materials(self, parameters: Json) -> Mapping[str, bytes]:
        """Return name and content of each template, playbook or role file that this step would use."""

    def plan(self, parameters: Json, report: Report) -> Plan:
        """Read the machine's state and return what would be done; change nothing.

        Raises: Refused (the port serves another asset, is an uplink, ...), StepFailed (not reachable).
        """

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Do what the order's plan says, prove it, and save it.

        The current state is read first: as in `plan.before` → apply; as in `plan.after` → nothing is sent;
        anything else → Stale (a Refused that sends the ticket back to be planned again). A fault in the middle
        restores `plan.before` and raises StepFailed, or raises OutcomeUnknown when the way back could not be proven.
        """

    def probe(self, order: WorkOrder, report: Report) -> Probe:
        """Tell what the real machine says of an attempt that ended without a result; change nothing."""

    def undo(self, order: WorkOrder, report: Report) -> Result:
        """Bring back `plan.before` and prove it."""


class OnDemand(Mapping[str, TechnicalModule]):
    """Technical modules by name, each made when it is first asked for: what a command does not need is not loaded."""

    def __init__(self, names: Collection[str], make: Callable[[str], TechnicalModule]) -> None:
        self._names = frozenset(names)
        self._make = make
        self._made: dict[str, TechnicalModule] = {}

    def __getitem__(self, name: str) -> TechnicalModule:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
