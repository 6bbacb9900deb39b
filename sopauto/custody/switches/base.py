"""What the platforms share: what a session has to do, and how it is done by netmiko."""

from __future__ import annotations

import io
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from sopauto.custody.port_state import PortState
from sopauto.procedures.fields import one_line, visible
from sopauto.work import Report

SENT: Final = "line sent"
"""What `send` reports of each line that was taken."""
ANSWER_SECONDS: Final = 30
MAX_LOG: Final = 256 * 1024
MAX_WORDS: Final = 300
"""How many characters of a switch's own words an error tells."""

T = TypeVar("T")


class SessionLostError(Exception):
    """The session with the switch dropped; nobody knows what it took."""


class LineRefusedError(Exception):
    """The switch refused a line, or is not in the state that the lines should lead to."""


class Session(Protocol):
    """A login on a switch. All of it may raise SessionLostError."""

    def read(self, port: str) -> PortState:
        """Return a port's running state; raises BadInput (no such port)."""

    def saved(self, port: str) -> PortState:
        """Return the state that the port has after a restart."""

    def send(self, lines: Sequence[str], report: Report) -> None:
        """Send configuration lines one by one; raises LineRefusedError."""

    def save(self) -> None:
        """Save the running configuration; raises LineRefusedError."""

    def log(self) -> str:
        """Return what was said in the session, without secrets and control characters."""


class NetmikoSession(ABC):
    """A login by netmiko; a platform's driver says the rest. Fulfils `Session`."""

    def __init__(self, connection: Any, log: io.BytesIO) -> None:
        self._connection = connection
        self._log = log

    @abstractmethod
    def read(self, port: str) -> PortState:
        """Return a port's running state; raises BadInput (no such port)."""

    @abstractmethod
    def saved(self, port: str) -> PortState:
        """Return the state that the port has after a restart."""

    @abstractmethod
    def send(self, lines: Sequence[str], report: Report) -> None:
        """Send configuration lines one by one; raises LineRefusedError."""

    @abstractmethod
    def save(self) -> None:
        """Save the running configuration; raises LineRefusedError."""

    def log(self) -> str:
        """Return what was said in the session, without secrets and control characters."""
        text = self._log.getvalue()[-MAX_LOG:].decode(errors="replace").replace("\r", "")
        return "\n".join("".join(c if c.isprintable() else visible(c) for c in line) for line in text.split("\n"))

    def _ask(self, command: str, *, seconds: int = ANSWER_SECONDS) -> str:
        """Return what the switch answers to a command, up to its next prompt."""
        # Told what ends the answer, netmiko need not find out the prompt by asking for it and waiting.
        prompt = rf"{re.escape(self._connection.base_prompt)}[^\r\n]*[#>$]\s*$"
        return self._guarded(
            lambda: str(self._connection.send_command(command, expect_string=prompt, read_timeout=seconds))
        )

    def _guarded(self, talk: Callable[[], T]) -> T:
        """Talk to the switch; a session that drops or falls silent is lost."""
        from netmiko.exceptions import ConfigInvalidException, NetmikoBaseException
        from paramiko import SSHException

        try:
            return talk()
        except ConfigInvalidException as error:
            raise LineRefusedError(one_line(str(error), MAX_WORDS)) from None
        except (NetmikoBaseException, SSHException, OSError, EOFError, ValueError) as error:
            raise SessionLostError(one_line(str(error), MAX_WORDS) or type(error).__name__) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A platform: how its switches are talked to, and whether a port without a server can be shut down there."""

    session: type[NetmikoSession]
    shuts: bool


def report_taken(lines: Sequence[str], report: Report) -> Iterator[str]:
    """Yield lines to what sends them; when the next one is asked for, the one before was taken."""
    for line in lines:
        yield line
        report(f"{SENT}: {line}")
