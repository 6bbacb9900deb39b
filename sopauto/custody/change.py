"""One change of one port, and its way back.

The order of a safe change: read, compare with what was approved, send, read again, save, read what was saved. Whatever
goes wrong in between, the port is as before, as approved, or its outcome is called unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sopauto.custody.live_port import LivePort
from sopauto.custody.port_state import PortState, say_difference
from sopauto.custody.switches.base import LineRefusedError, Session, SessionLostError
from sopauto.errors import BadInput, OutcomeUnknown, SopautoError, Stale, StepFailed
from sopauto.work import Artifact, Report, Result

READING: Final = "reading the port"
SENDING: Final = "sending"
VERIFYING: Final = "reading back"
SAVING: Final = "saving"
SAVED: Final = "saved and proven"
RECONNECTING: Final = "the session dropped; reconnecting"
RESTORING: Final = "restoring the state from before"


class Change:
    """Brings a port from the state `before` to the state `after`, as a ticket ordered."""

    def __init__(self, port: LivePort, *, before: PortState, after: PortState, ticket: str, report: Report) -> None:
        self._port = port
        self._before = before
        self._after = after
        self._ticket = ticket
        self._report = report
        self._logs: list[str] = []

    def apply(self, lines: Sequence[str]) -> Result:
        """Bring the port from before to after by the approved lines, or back when that fails."""
        try:
            found = self._towards(self._after, lines)
        except LineRefusedError as error:
            raise self._way_back(str(error)) from None
        except SessionLostError as error:
            found = self._after_drop(str(error))
        return self._result(self._after, found)

    def undo(self) -> Result:
        """Bring the port back to before, from whatever it is."""
        try:
            found = self._towards(self._before, self._port.lines(self._before))
        except (LineRefusedError, SessionLostError) as error:
            raise self._unknown(f"the way back failed: {error}") from None
        return self._result(self._before, found)

    def _towards(self, wanted: PortState, lines: Sequence[str]) -> PortState:
        """Bring the port to a state, prove and save it; return the state in which it was found."""
        now: PortState | None = None
        with self._port.session() as session:
            try:
                self._report(f"{READING} {self._port.target}")
                now = self._port.running(session)
                if now != wanted:
                    self._refuse_stale(now, wanted)
                    self._report(f"{SENDING} {len(lines)} lines to {self._port.target}")
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
                f"{self._port.target} is not as the approver saw it: {say_difference(now, self._before)}",
                where=self._ticket,
                mend=f"nothing was sent; make a new plan with `inv ticket.plan {self._ticket}`",
            )

    def _prove(self, session: Session, wanted: PortState) -> None:
        """Read back, save, and read what was saved; raises LineRefusedError."""
        self._report(f"{VERIFYING} {self._port.target}")
        running = self._port.running(session)
        if running != wanted:
            raise LineRefusedError(f"{self._port.target} is not as approved: {say_difference(running, wanted)}")
        self._report(SAVING)
        session.save()
        kept = self._port.saved(session)
        if kept != wanted:
            raise LineRefusedError(f"{self._port.target} was not saved: {say_difference(kept, wanted)}")
        self._report(SAVED)

    def _after_drop(self, why: str) -> PortState:
        """Decide by what is there after a session dropped: as before, as approved, or something else.

        Return the state from before when everything turns out as approved.
        """
        self._report(RECONNECTING)
        try:
            with self._port.session_again() as session:
                try:
                    now = self._port.running(session)
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
        before, port = self._before, self._port
        try:
            with self._port.session_again() as session:
                try:
                    if port.running(session) != before:
                        session.send(port.lines(before), self._report)
                    if port.saved(session) != before:
                        session.save()
                    left, kept = port.running(session), port.saved(session)
                finally:
                    self._logs.append(session.log())
        except (SopautoError, SessionLostError, LineRefusedError) as error:
            return self._unknown(f"{why}; the way back failed: {error}")
        if left != before or kept != before:
            differs = say_difference(left, before) or say_difference(kept, before)
            return self._unknown(f"{why}; the way back did not hold: {differs}")
        return self._failed(f"{why}; the port is as before")

    def _evidence(self) -> tuple[Artifact, ...]:
        log = "\n".join(self._logs)
        return (Artifact(name="sesi-switch.log", media_type="text/plain", content=log.encode()),)

    def _failed(self, what: str) -> StepFailed:
        mend = "see sesi-switch.log, then run again"
        return StepFailed(what, where=self._port.target, mend=mend, evidence=self._evidence())

    def _unknown(self, what: str) -> OutcomeUnknown:
        mend = f"look at the switch, then `inv ticket.settle {self._ticket}`"
        return OutcomeUnknown(what, where=self._port.target, mend=mend, evidence=self._evidence())

    def _result(self, wanted: PortState, before: PortState) -> Result:
        changed = before != wanted
        done = "set, read back and saved" if changed else "already as wanted; nothing was sent"
        where = f"VLAN {wanted.vlan}" + ("" if wanted.enabled else ", shut down")
        return Result(
            changed=changed,
            summary=f"{self._port.target} ({where}): {done}",
            facts={"port": self._port.target, "before": before.as_json(), "after": wanted.as_json()},
            artifacts=self._evidence(),
        )
