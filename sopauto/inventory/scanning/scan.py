"""A scan: one script on many servers, so many at once, each bounded; what came is kept as it comes.

A server that hangs, floods or trickles costs one place in the pool for its own bounded time; the others go on beside
it. Nothing is changed on any server and nobody approves a reading, so there is no work order; only servers that a
ticket placed, or that the agency imported, are read, and only with a pinned host key.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock, Thread
from typing import Any, Final, Protocol

from sopauto.errors import StepFailed
from sopauto.inventory.kept.history import BY_FORM, History, Reading, Scan
from sopauto.inventory.reading.answer import TooLarge

MAX_BYTES: Final = 2 * 1024 * 1024
"""Of one server's answer: a thousand services, 250 interfaces and 4,000 packages make about 0.5 MiB."""
AT_ONCE: Final = 100
"""Servers that are written in one transaction, where so many came meanwhile."""
PATIENCE: Final = 0.5
"""Seconds to wait for the next server before the display is asked to show the time."""

REASONS: Final[Mapping[str, str]] = {
    "dns": "the name is not known",
    "refused": "nothing listens there",
    "timeout": "no answer in time",
    "unreachable": "no way leads there",
    "reset": "the connection was cut",
    "not-ssh": "that is no SSH server",
    "host-key": "the host key changed: nothing was sent",
    "too-old": "its SSH is too old to be talked to safely",
    "login": "the login was refused",
    "flood": "sent more than it may",
    "broke-off": "the answer broke off",
    "no-key": "no host key is pinned",
    BY_FORM: "recorded by form",
}
"""Why a server was not read."""
STOPPED: Final = "stopped"
"""The scan was ended while the server was being read: nothing is kept of it."""


class Unread(Exception):
    """A server could not be read: `reason` is one of REASONS (or STOPPED), `detail` says more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server to be read: where it answers, its pinned host key (None: none yet), and the login's name.

    `by_form`: nobody logs in there, a person fills a form.
    """

    server: str
    address: str
    port: int
    host_key: str | None
    credentials: str
    by_form: bool = False


class Shell(Protocol):
    """Runs a script on servers, from several threads at once."""

    def run(
        self, target: Target, script: bytes, *, max_bytes: int, seconds: float, stop: Event
    ) -> tuple[bytes, str | None]:
        """Return what `sh -s` prints for this script, and the host key where none was pinned.

        Raises: BadInput (there is no such login), Unread (why there is no answer; `stopped` once `stop` is set).
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many servers are read at once, and for how many seconds each; `pin` trusts a first contact."""

    parallel: int
    seconds: float
    pin: bool = False


@dataclass(slots=True, kw_only=True)
class Tally:
    """How far a scan came: servers wanted, read, unread by reason; and whether it was interrupted."""

    wanted: int
    read: int = 0
    unread: dict[str, int]
    interrupted: bool = False

    @property
    def done(self) -> int:
        """Servers of which something is known now."""
        return self.read + sum(self.unread.values())

    def add(self, reading: Reading) -> None:
        """Count a server."""
        if reading.snapshot is not None:
            self.read += 1
        else:
            self.unread[reading.reason] = self.unread.get(reading.reason, 0) + 1


class Scanner:
    """Scans servers. `parse` turns an answer into a plain snapshot; `show` is called as the tally changes."""

    def __init__(
        self,
        shell: Shell,
        history: History,
        *,
        script: bytes,
        parse: Callable[[bytes, datetime], Mapping[str, Any]],
        now: Callable[[], datetime],
        show: Callable[[Tally], None],
    ) -> None:
        self._shell = shell
        self._history = history
        self._script = script
        self._parse = parse
        self._now = now
        self._show = show

    def run(self, scan: Scan, targets: Sequence[Target], limits: Limits) -> Tally:
        """Read the servers and keep what comes, as it comes; Ctrl-C ends it and keeps what came.

        Raises: BadInput (there is no such login), and what the store raises: what came before is kept.
        """
        tally = Tally(wanted=len(targets), unread={})
        crew = _Crew(targets, limits.parallel, lambda target, stop: self._read(target, limits, stop))
        try:
            self._keep(scan, crew, tally)
        except KeyboardInterrupt:
            tally.interrupted = True
            crew.stop.set()
            self._keep(scan, crew, tally)
        finally:
            crew.dismiss()
        if not tally.interrupted:
            self._history.end(scan.id, self._now())
        return tally

    def _read(self, target: Target, limits: Limits, stop: Event) -> Reading:
        """Return what came of one server."""
        if target.by_form:
            return self._unread(target, BY_FORM, "")
        if target.host_key is None and not limits.pin:
            return self._unread(target, "no-key", "`inv inventory.scan --pin` trusts the first contact")
        try:
            answer, shown = self._shell.run(
                target, self._script, max_bytes=MAX_BYTES, seconds=limits.seconds, stop=stop
            )
            now = self._now()
            return Reading(server=target.server, taken_at=now, snapshot=self._parse(answer, now), pinned=shown)
        except Unread as unread:
            return self._unread(target, unread.reason, unread.detail)
        except TooLarge as error:
            return self._unread(target, "flood", error.what)
        except StepFailed as error:
            return self._unread(target, "broke-off", error.what)

    def _unread(self, target: Target, reason: str, detail: str) -> Reading:
        return Reading(server=target.server, taken_at=self._now(), reason=reason, detail=detail)

    def _keep(self, scan: Scan, crew: _Crew, tally: Tally) -> None:
        """Write what comes until nobody is at work; what was stopped half-way is left for `--resume`."""
        self._show(tally)
        for came in crew.results():
            readings = [reading for reading in came if reading.reason != STOPPED]
            if readings:
                self._history.record(scan.id, readings)
            for reading in readings:
                tally.add(reading)
            self._show(tally)


class _Crew:
    """Threads that read servers, each one server after the other. What they read waits in a short queue."""

    def __init__(self, targets: Sequence[Target], size: int, read: Callable[[Target, Event], Reading]) -> None:
        self.stop = Event()
        self._read = read
        self._todo = iter(targets)
        self._lock = Lock()
        # Bounded, so that a slow database slows down the reading and does not fill the memory.
        self._come: queue.Queue[Reading | BaseException | None] = queue.Queue(maxsize=size)
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(min(size, len(targets)))]
        for thread in self._threads:
            thread.start()

    def results(self) -> Iterator[Sequence[Reading]]:
        """Yield what came, in bundles; an empty one where nothing came for half a second. Raises what a thread met."""
        while self._at_work():
            came = [one for one in self._waiting() if one is not None]
            for one in came:
                if isinstance(one, BaseException):
                    raise one
            yield [one for one in came if isinstance(one, Reading)]

    def dismiss(self) -> None:
        """End all that is still at work."""
        self.stop.set()
        while self._at_work():
            list(self._waiting())

    def _at_work(self) -> bool:
        return any(thread.is_alive() for thread in self._threads) or not self._come.empty()

    def _work(self) -> None:
        try:
            while not self.stop.is_set():
                with self._lock:
                    target = next(self._todo, None)
                if target is None:
                    break
                self._come.put(self._read(target, self.stop))
        except BaseException as error:
            self._come.put(error)
        finally:
            self._come.put(None)  # wakes up whoever waits

    def _waiting(self) -> Iterator[Reading | BaseException | None]:
        """Wait for something, and yield it with what came beside it."""
        with suppress(queue.Empty):
            yield self._come.get(timeout=PATIENCE)
            for _ in range(AT_ONCE):
                yield self._come.get_nowait()
