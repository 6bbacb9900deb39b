"""`custody.connect` and `custody.disconnect`: the switch port of a custody server (SOP 001, konfigurasi.1)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from sopauto.custody.change import READING, Change
from sopauto.custody.live_port import PAUSE, LivePort, Switches
from sopauto.custody.port_state import PortState, difference
from sopauto.custody.port_work import PortWork, refuse_foreign
from sopauto.custody.switches.base import SessionLostError
from sopauto.custody.switches.template import TEMPLATE, read_template
from sopauto.errors import BadInput, StepFailed
from sopauto.work import Json, Plan, Probe, Report, Result, WorkOrder


class _PortModule(ABC):
    """What both directions share: plan, apply, probe and undo towards a wanted state."""

    name: str
    mutates = True

    def __init__(self, switches: Switches, *, templates: Path, pause: float = PAUSE) -> None:
        self._switches = switches
        self._templates = templates
        self._pause = pause

    @abstractmethod
    def wanted(self, work: PortWork) -> PortState:
        """Return the state that the step leads to."""

    def materials(self, parameters: Json) -> Mapping[str, bytes]:
        """Return the platform's template."""
        platform = PortWork.from_json(parameters).switch.platform
        return {f"templates/{platform}/{TEMPLATE}": read_template(platform, self._templates)}

    def plan(self, parameters: Json, report: Report) -> Plan:
        """Read the port and return what would be sent.

        Raises: BadInput (no such port), Refused (it serves another server, is a trunk, …), StepFailed (unreachable).
        """
        port = self._port(parameters)
        report(f"{READING} {port.target}")
        try:
            with port.session() as session:
                before = port.running(session)
        except SessionLostError as error:
            raise StepFailed(f"the session dropped ({error})", where=port.target, mend="plan again") from None
        refuse_foreign(port.work, before)
        after = self.wanted(port.work)
        return Plan(
            module=self.name,
            targets=(port.target,),
            parameters=parameters,
            before=before.as_json(),
            lines=port.lines(after) if before != after else (),
            after=after.as_json(),
            diff=difference(port.target, before, after),
        )

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Send the plan's lines, prove them and save; see `TechnicalModule.apply`."""
        return self._change(order, report).apply(_plan(order).lines)

    def probe(self, order: WorkOrder, report: Report) -> Probe:
        """Tell what the switch says of an attempt without a result.

        Running as approved but not saved counts as not begun: running it again then sends nothing and saves.
        Raises: StepFailed, when the switch cannot be asked now.
        """
        port = self._port(order.parameters)
        before, after = _states(order)
        report(f"{READING} {port.target}")
        try:
            with port.session() as session:
                running, saved = port.running(session), port.saved(session)
        except SessionLostError as error:
            raise StepFailed(f"the session dropped ({error})", where=port.target, mend="run again") from None
        if running == saved == after:
            return Probe.DONE
        return Probe.NOT_BEGUN if running in (before, after) else Probe.UNKNOWN

    def undo(self, order: WorkOrder, report: Report) -> Result:
        """Bring back the state that the plan began from, save it and prove it."""
        return self._change(order, report).undo()

    def _port(self, parameters: Json) -> LivePort:
        work = PortWork.from_json(parameters)
        return LivePort(work, self._switches, templates=self._templates, pause=self._pause)

    def _change(self, order: WorkOrder, report: Report) -> Change:
        before, after = _states(order)
        return Change(self._port(order.parameters), before=before, after=after, ticket=order.ticket, report=report)


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


def _plan(order: WorkOrder) -> Plan:
    """Return the order's plan; raises BadInput (it has none)."""
    if order.plan is None:
        raise BadInput("the order has no plan", where=order.ticket, mend="plan it first")
    return order.plan


def _states(order: WorkOrder) -> tuple[PortState, PortState]:
    """Return the state before and the state after that an order's plan names; raises BadInput (it has no plan)."""
    plan = _plan(order)
    return PortState.from_json(plan.before), PortState.from_json(plan.after)
