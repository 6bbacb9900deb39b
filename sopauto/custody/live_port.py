"""A port on its switch: read, saved and told in the words of the template."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final, Protocol

from sopauto.assets.model import Switch
from sopauto.custody.port_state import PortState
from sopauto.custody.port_work import PortWork
from sopauto.custody.switches.base import Session, SessionLostError
from sopauto.custody.switches.template import read_template, render
from sopauto.errors import StepFailed

TRIES: Final = 4
PAUSE: Final = 1.0
"""Seconds between tries to reconnect."""


class Switches(Protocol):
    """Logs in on switches, one at a time on each."""

    def session(self, switch: Switch) -> AbstractContextManager[Session]:
        """Open a session.

        Raises: StepFailed (not reachable, wrong host key, login refused), Refused (somebody else works there).
        """


class LivePort:
    """The port of a switch step. `templates` is the agency's folder, `pause` the seconds before a further try."""

    def __init__(self, work: PortWork, switches: Switches, *, templates: Path, pause: float = PAUSE) -> None:
        self.work = work
        self._switches = switches
        self._templates = templates
        self._pause = pause

    @property
    def target(self) -> str:
        """The port as people say it."""
        return self.work.target

    def session(self) -> AbstractContextManager[Session]:
        """Open a session on the port's switch; raises what `Switches.session` does."""
        return self._switches.session(self.work.switch)

    @contextmanager
    def session_again(self) -> Iterator[Session]:
        """Open a session after one dropped: it may take a few tries. Raises what `Switches.session` does."""
        with ExitStack() as opened:
            for _ in range(TRIES - 1):
                try:
                    session = opened.enter_context(self.session())
                    break
                except (StepFailed, SessionLostError):
                    time.sleep(self._pause)
            else:
                session = opened.enter_context(self.session())
            yield session

    def running(self, session: Session) -> PortState:
        """Return the running state as the template knows it."""
        return self._as_templated(session.read(self.work.port))

    def saved(self, session: Session) -> PortState:
        """Return the saved state as the template knows it."""
        return self._as_templated(session.saved(self.work.port))

    def lines(self, state: PortState) -> tuple[str, ...]:
        """Return the lines that set the port to a state."""
        return render(read_template(self.work.switch.platform, self._templates), self.work.port, state)

    def _as_templated(self, state: PortState) -> PortState:
        """Return a state without what the agency's own template writes: that makes no port foreign."""
        if not state.other_lines:
            return state
        return state.without((*self.lines(self.work.connected()), *self.lines(self.work.disconnected())))
