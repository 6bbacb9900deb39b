"""What a command prints never decides what it does: a reader that goes away, or a full disk, stops no action.

What only reads has failed all the same when a full disk took nothing of it: `lost_output` tells.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final, TextIO, cast

FORGIVEN: Final = (OSError, ValueError)
"""What writing raises when nobody takes it: a broken pipe, a full disk, a terminal that is gone, a closed file."""


class Unbroken:
    """A stream that goes on when nothing more can be written; what was lost is told on `sys.stderr`, once.

    A reader that has read enough (`| head -1`) is nothing to tell of.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost = False

    def write(self, text: str) -> int:
        """Write a text, or nothing where it cannot be written."""
        try:
            return self._stream.write(text)
        except FORGIVEN as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        """Write what still waits, or drop it where it cannot be written."""
        try:
            self._stream.flush()
        except FORGIVEN as error:
            self._give_up(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self, error: BaseException) -> None:
        """Send all that follows nowhere, so that Python's own flush at the end finds nothing to complain of."""
        number = self._stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
        self.lost = self.lost or not isinstance(error, BrokenPipeError)
        if self.lost and number != sys.__stderr__.fileno():  # type: ignore[union-attr]
            print(f"some of the output could not be written ({error}); the command went on", file=sys.stderr)


def guard_streams() -> None:
    """Let this process print through `Unbroken` from now on; characters that the terminal lacks are escaped."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it was closed before we began
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the whole process
        elif stream is getattr(sys, f"__{name}__"):
            stream.reconfigure(errors="backslashreplace")
            setattr(sys, name, cast(TextIO, Unbroken(stream)))


def lost_output() -> bool:
    """Tell whether some of the output could not be written, though somebody wanted it."""
    sys.stdout.flush()
    return isinstance(sys.stdout, Unbroken) and sys.stdout.lost
