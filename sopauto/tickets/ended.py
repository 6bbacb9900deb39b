"""How an attempt ended, as it is kept outside of the database until its entry is written."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from sopauto.tickets.model import Attempt, Outcome
from sopauto.work import Artifact, Json, Report, Result

VERSION: Final = 1
BOUND: Final = ("ticket", "step", "number", "worker", "person", "order")
"""What of an attempt a kept result has to name alike, beside the moment at which it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The end of an attempt: its outcome, what is said of it, and its evidence."""

    attempt: Attempt
    outcome: Outcome
    note: str
    changed: bool = False
    facts: Json = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()

    @classmethod
    def by(cls, attempt: Attempt, result: Result) -> Ended:
        """Return the end that a result is."""
        return cls(
            attempt=attempt,
            outcome=Outcome.DONE if result.complete else Outcome.PARTLY,
            note=result.summary,
            changed=result.changed,
            facts=result.facts,
            artifacts=tuple(result.artifacts),
        )

    def result(self) -> Result:
        """Return what the technical module said."""
        return Result(
            changed=self.changed,
            summary=self.note,
            facts=self.facts,
            artifacts=self.artifacts,
            complete=self.outcome is Outcome.DONE,
        )

    def belongs_to(self, attempt: Attempt) -> bool:
        """Tell whether this very worker ended this very attempt."""
        return self.attempt.begun_at == attempt.begun_at and all(
            getattr(self.attempt, name) == getattr(attempt, name) for name in BOUND
        )

    def to_bytes(self) -> bytes:
        """Return the form in which it is kept."""
        kept = {
            "v": VERSION,
            "attempt": {name: getattr(self.attempt, name) for name in BOUND},
            "begun_at": self.attempt.begun_at.isoformat(),
            "outcome": self.outcome.value,
            "note": self.note,
            "changed": self.changed,
            "facts": dict(self.facts),
            "artifacts": [
                {
                    "name": artifact.name,
                    "media_type": artifact.media_type,
                    "content": base64.b64encode(artifact.content).decode(),
                }
                for artifact in self.artifacts
            ],
        }
        return json.dumps(kept, ensure_ascii=False, default=str).encode(errors="backslashreplace")

    @classmethod
    def from_bytes(cls, content: bytes) -> Ended:
        """Return what `to_bytes` wrote; raises ValueError, whatever else it is."""
        try:
            return cls._read(json.loads(content))
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError) as error:
            raise ValueError(f"not in the form of a kept result ({error})") from None

    @classmethod
    def _read(cls, data: Any) -> Ended:
        if data["v"] != VERSION or not isinstance(data["changed"], bool):
            raise ValueError("not a kept result of this version")
        begun = datetime.fromisoformat(data["begun_at"])
        attempt = Attempt(**data["attempt"], begun_at=begun, lease_until=begun)
        return cls(
            attempt=attempt,
            outcome=Outcome(data["outcome"]),
            note=str(data["note"]),
            changed=data["changed"],
            facts=dict(data["facts"]),
            artifacts=tuple(
                Artifact(
                    name=str(kept["name"]),
                    media_type=str(kept["media_type"]),
                    content=base64.b64decode(kept["content"], validate=True),
                )
                for kept in data["artifacts"]
            ),
        )


class KeptResults(Protocol):
    """Ends of attempts whose entries are not written yet, where they outlive the process and the database."""

    def reserve(self, attempt: Attempt) -> None:
        """Take the room for an end before the work begins; raises StepFailed (there is none)."""

    def keep(self, ended: Ended) -> str:
        """Write an end where it outlasts a power cut, and return where; raises StepFailed."""

    def of_step(self, ticket: str, step: str, report: Report) -> Sequence[Ended]:
        """Return the ends that are kept of a step's attempts; what cannot be believed is reported and left out."""

    def forget(self, attempt: Attempt) -> None:
        """Remove what is kept or reserved for an attempt."""
