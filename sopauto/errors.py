"""Every error that sopauto raises on purpose.

The domain knows no exit code and no HTTP: `cli/console.py` and `web/` translate these classes, once each.
Each message is one line: what is wrong, where, and what to do next.
"""

from __future__ import annotations

from typing import Any, Final

LONGEST: Final = 2500
"""Characters of what is told of a fault, and of how to mend it."""
LONGEST_PLACE: Final = 4500
"""A path may have 4096."""


class SopautoError(Exception):
    """An error that sopauto foresaw and can explain in one line.

    `evidence` holds artifacts (`work.Artifact`) of what went wrong, such as a session log.
    """

    def __init__(
        self, what: str, *, where: str | None = None, mend: str | None = None, evidence: tuple[Any, ...] = ()
    ) -> None:
        """Say what is wrong, where it stands (file, line, field) and how to mend it."""
        self.what = what
        self.where = where
        self.mend = mend
        self.evidence = evidence
        super().__init__(str(self))

    def __str__(self) -> str:
        """Return the whole message as one line."""
        what = _line(self.what, LONGEST)
        text = f"{_line(self.where, LONGEST_PLACE)}: {what}" if self.where else what
        return f"{text}; {_line(self.mend, LONGEST)}" if self.mend else text


def _line(text: str, longest: int) -> str:
    """Return a part of a message as one line of bounded length: values from outside may stand in it."""
    cut = f"{text[:longest]}…" if len(text) > longest else text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


class BadInput(SopautoError):
    """What the user gave cannot be used; nothing was written."""


class StepFailed(SopautoError):
    """The step ran and did not reach its end; what it says tells how the machine stands."""


class NotBegun(StepFailed):
    """The step failed before anything was changed: it may run again under the same approval."""


class Refused(SopautoError):
    """The gate refused: an approval, a signature, a duty or a plan does not hold; nothing was sent."""


class Stale(Refused):
    """What was approved is no longer what would run; the ticket goes back to be planned again."""


class StaleMidway(Stale):
    """A later part of a step is no longer what would run, after an earlier one had been done as approved."""


class OutcomeUnknown(SopautoError):
    """Nobody can tell whether the machine was changed: a named engineer has to look and decide."""


class NotRecorded(OutcomeUnknown):
    """The machine's work ended and its entry could not be written; what is known of it was kept beside the journal."""


class Conflict(SopautoError):
    """Somebody else acted on the same thing in the meantime; nothing was written."""


class Contended(Conflict):
    """Somebody else wrote at the same moment; the same may be prepared again and then hold. Nothing was written."""
