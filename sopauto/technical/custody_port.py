"""`custody.connect` and `custody.disconnect`: the switch port of a custody server (SOP 001, konfigurasi.1).

The order of a safe change: read, compare with what was approved, send, read again, save, read what was saved. Whatever
goes wrong in between, the port is as before, as approved, or its outcome is called unknown.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol

from sopauto.errors import BadInput, OutcomeUnknown, SopautoError, Stale, StepFailed
from sopauto.technical.port_state import (
    TEMPLATE,
    PortState,
    PortWork,
    difference,
    from_json,
    read_template,
    refuse_foreign,
    render,
    told,
)
from sopauto.work import Artifact, Json, Plan, Probe, Report, Result, WorkOrder

READING: Final = "reading the port"
SENDING: Final = "sending"
SENT: Final = "line sent"
VERIFYING: Final = "reading back"
SAVING: Final = "saving"
SAVED: Final = "saved and proven"
RECONNECTING: Final = "the session dropped; reconnecting"
RESTORING: Final = "restoring the state from before"
MOMENTS: Final = (READING, SENDING, SENT, VERIFYING, SAVING, SAVED)
"""What `report` hears, in order."""
TRIES: Final = 4
PAUSE: Final = 1.0
"""Seconds between tries to reconnect."""


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


class Switches(Protocol):
    """Logs in on switches, one at a time on each."""

    def session(self, switch: Json) -> AbstractContextManager[Session]:
        """Open a session.

        Raises: StepFailed (not reachable, wrong host key, login refused), Refused (somebody else works there).
        """


class _PortModule(ABC):
    """What both directions share: plan, apply, probe and undo towards a wanted state."""

    name: str
    mutates = True

    def __init__(self, switches: Switches, *, templates: Path, sleep: float = PAUSE) -> None:
        self._switches = switches
        self._templates = templates
        self._sleep = sleep

    @abstractmethod
    def wanted(self, work: PortWork) -> PortState:
        """Return the state that the step leads to."""

    def materials(self, parameters: Json) -> Mapping[str, bytes]:
        """Return the platform's template."""
        platform = PortWork.of(parameters).platform
        return {f"templates/{platform}/{TEMPLATE}": read_template(platform, self._templates)}

    def plan(self, parameters: Json, report: Report) -> Plan:
        """Read the port and return what would be sent.

        Raises: BadInput (no such port), Refused (it serves another server, is a trunk, …), StepFailed (unreachable).
        """
        work = PortWork.of(parameters)
        report(f"{READING} {work.target}")
        try:
            with self._switches.session(work.switch) as session:
                before = self.running(session, work)
        except SessionLostError as error:
            raise StepFailed(f"the session dropped ({error})", where=work.target, mend="plan again") from None
        refuse_foreign(work, before)
        after = self.wanted(work)
        return Plan(
            module=self.name,
            targets=(work.target,),
            parameters=parameters,
            before=before.as_json(),
            lines=self._lines(work, after) if before != after else (),
            after=after.as_json(),
            diff=difference(work.target, before, after),
        )

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Send the plan's lines, prove them and save; see `TechnicalModule.apply`."""
        return _Change(self, order, report).apply()

    def probe(self, order: WorkOrder, report: Report) -> Probe:
        """Tell what the switch says of an attempt without a result.

        Running as approved but not saved counts as not begun: running it again then sends nothing and saves.
        Raises: StepFailed, when the switch cannot be asked now.
        """
        work, before, after = _states(order)
        report(f"{READING} {work.target}")
        try:
            with self._switches.session(work.switch) as session:
                running, saved = self.running(session, work), self.saved(session, work)
        except SessionLostError as error:
            raise StepFailed(f"the session dropped ({error})", where=work.target, mend="run again") from None
        if running == saved == after:
            return Probe.DONE
        return Probe.NOT_BEGUN if running in (before, after) else Probe.UNKNOWN

    def undo(self, order: WorkOrder, report: Report) -> Result:
        """Bring back the state that the plan began from, save it and prove it."""
        work, before, _ = _states(order)
        return _Change(self, order, report).undo(self._lines(work, before))

    def session(self, work: PortWork) -> AbstractContextManager[Session]:
        """Open a session on the work's switch."""
        return self._switches.session(work.switch)

    def wait(self) -> None:
        """Pause before reconnecting."""
        time.sleep(self._sleep)

    def running(self, session: Session, work: PortWork) -> PortState:
        """Return the port's running state as the template knows it."""
        return self._as_templated(work, session.read(work.port))

    def saved(self, session: Session, work: PortWork) -> PortState:
        """Return the port's saved state as the template knows it."""
        return self._as_templated(work, session.saved(work.port))

    def _as_templated(self, work: PortWork, state: PortState) -> PortState:
        """Return a state without what the agency's own template writes: that makes no port foreign."""
        if not state.other_lines:
            return state
        return state.without((*self._lines(work, work.connected()), *self._lines(work, work.disconnected())))

    def lines(self, work: PortWork, state: PortState) -> tuple[str, ...]:
        """Return the lines that set the port to a state."""
        return self._lines(work, state)

    def _lines(self, work: PortWork, state: PortState) -> tuple[str, ...]:
        return render(read_template(work.platform, self._templates), work.port, state)


class Connect(_PortModule):
    """The technical module `custody.connect`."""

    name = "custody.connect"

    def wanted(self, work: PortWork) -> PortState:
        """Return the state in which the server is on the network."""
        return work.connected()


class Disconnect(_PortModule):
    """The technical module `custody.disconnect`."""

    name = "custody.disconnect"

    def wanted(self, work: PortWork) -> PortState:
        """Return the state in which no server is on the port."""
        return work.disconnected()


class _Change:
    """One change of one port, and its way back."""

    def __init__(self, module: _PortModule, order: WorkOrder, report: Report) -> None:
        self._module = module
        self._order = order
        self._report = report
        self._work, self._before, self._after = _states(order)
        self._logs: list[str] = []

    def apply(self) -> Result:
        """Bring the port from before to after, or back when that fails."""
        assert self._order.plan is not None
        try:
            found = self._towards(self._after, self._order.plan.lines)
        except LineRefusedError as error:
            raise self._way_back(str(error)) from None
        except SessionLostError as error:
            found = self._after_drop(str(error))
        return self._result(self._after, found)

    def undo(self, lines: Sequence[str]) -> Result:
        """Bring the port back to before, from whatever it is."""
        try:
            found = self._towards(self._before, lines)
        except (LineRefusedError, SessionLostError) as error:
            raise self._unknown(f"the way back failed: {error}") from None
        return self._result(self._before, found)

    def _towards(self, wanted: PortState, lines: Sequence[str]) -> PortState:
        """Bring the port to a state, prove and save it; return the state in which it was found."""
        now: PortState | None = None
        with self._module.session(self._work) as session:
            try:
                self._report(f"{READING} {self._work.target}")
                now = self._module.running(session, self._work)
                if now != wanted:
                    self._refuse_stale(now, wanted)
                    self._report(f"{SENDING} {len(lines)} lines to {self._work.target}")
                    session.send(lines, self._report)
                self._prove(session, wanted)
            except BadInput as error:
                if now is None:
                    raise  # nothing was sent
                raise LineRefusedError(str(error)) from None
            finally:
                self._logs.append(session.log())
        return now

    def _refuse_stale(self, now: PortState, wanted: PortState) -> None:
        """Refuse to go on from a state that the approver did not see; the way back starts from any."""
        if wanted == self._after and now != self._before:
            raise Stale(
                f"{self._work.target} is not as the approver saw it: {told(now, self._before)}",
                where=self._order.ticket,
                mend=f"nothing was sent; make a new plan with `inv ticket.plan {self._order.ticket}`",
            )

    def _prove(self, session: Session, wanted: PortState) -> None:
        """Read back, save, and read what was saved; raises LineRefusedError."""
        self._report(f"{VERIFYING} {self._work.target}")
        running = self._module.running(session, self._work)
        if running != wanted:
            raise LineRefusedError(f"{self._work.target} is not as approved: {told(running, wanted)}")
        self._report(SAVING)
        session.save()
        kept = self._module.saved(session, self._work)
        if kept != wanted:
            raise LineRefusedError(f"{self._work.target} was not saved: {told(kept, wanted)}")
        self._report(SAVED)

    def _after_drop(self, why: str) -> PortState:
        """Decide by what is there after a session dropped: as before, as approved, or something else.

        Return the state from before when everything turns out as approved.
        """
        self._report(RECONNECTING)
        try:
            with self._reconnected() as session:
                try:
                    now = self._module.running(session, self._work)
                    if now == self._after:
                        self._prove(session, self._after)
                        return self._before
                finally:
                    self._logs.append(session.log())
        except (SopautoError, SessionLostError, LineRefusedError) as error:
            raise self._unknown(f"{why}; then {error}") from None
        if now == self._before:
            raise self._failed(f"the session dropped before anything was changed ({why})")
        raise self._way_back(why)

    def _way_back(self, why: str) -> SopautoError:
        """Restore the state from before and prove it; return the error that says what failed."""
        self._report(RESTORING)
        before, module, work = self._before, self._module, self._work
        try:
            with self._reconnected() as session:
                try:
                    if module.running(session, work) != before:
                        session.send(module.lines(work, before), self._report)
                    if module.saved(session, work) != before:
                        session.save()
                    left, kept = module.running(session, work), module.saved(session, work)
                finally:
                    self._logs.append(session.log())
        except (SopautoError, SessionLostError, LineRefusedError) as error:
            return self._unknown(f"{why}; the way back failed: {error}")
        if left != before or kept != before:
            return self._unknown(f"{why}; the way back did not hold: {told(left, before) or told(kept, before)}")
        return self._failed(f"{why}; the port is as before")

    def _reconnected(self) -> AbstractContextManager[Session]:
        for _ in range(TRIES - 1):
            try:
                context = self._module.session(self._work)
                return _Opened(context, context.__enter__())
            except (StepFailed, SessionLostError):
                self._module.wait()
        return self._module.session(self._work)

    def _evidence(self) -> tuple[Artifact, ...]:
        log = "\n".join(self._logs)
        return (Artifact(name="sesi-switch.log", media_type="text/plain", content=log.encode()),)

    def _failed(self, what: str) -> StepFailed:
        mend = "see sesi-switch.log, then run again"
        return StepFailed(what, where=self._work.target, mend=mend, evidence=self._evidence())

    def _unknown(self, what: str) -> OutcomeUnknown:
        mend = f"look at the switch, then `inv ticket.settle {self._order.ticket}`"
        return OutcomeUnknown(what, where=self._work.target, mend=mend, evidence=self._evidence())

    def _result(self, wanted: PortState, before: PortState) -> Result:
        changed = before != wanted
        done = "set, read back and saved" if changed else "already as wanted; nothing was sent"
        where = f"VLAN {wanted.vlan}" + ("" if wanted.enabled else ", shut down")
        return Result(
            changed=changed,
            summary=f"{self._work.target} ({where}): {done}",
            facts={"port": self._work.target, "before": before.as_json(), "after": wanted.as_json()},
            artifacts=self._evidence(),
        )


class _Opened(AbstractContextManager[Session]):
    """A session that was opened outside of its `with`."""

    def __init__(self, context: AbstractContextManager[Session], session: Session) -> None:
        self._context = context
        self._session = session

    def __enter__(self) -> Session:
        return self._session

    def __exit__(self, *failure: object) -> None:
        self._context.__exit__(*failure)  # type: ignore[arg-type]


def _states(order: WorkOrder) -> tuple[PortWork, PortState, PortState]:
    """Return the work, the state before and the state after that an order's plan names; raises BadInput."""
    if order.plan is None:
        raise BadInput("the order has no plan", where=order.ticket, mend="plan it first")
    return PortWork.of(order.parameters), from_json(order.plan.before), from_json(order.plan.after)
