"""A switch in memory: one port, its running and its saved state, and what goes wrong at each question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sopauto.assets.model import Switch
from sopauto.custody.live_port import LivePort
from sopauto.custody.port_state import PortState
from sopauto.custody.port_work import PortWork
from sopauto.custody.switches.base import SENT
from sopauto.work import Report

SWITCH = Switch(id="sw1", platform="cisco_ios", host="192.0.2.1", port=22, credentials="switch", host_key="")
WORK = PortWork(
    server="web-01", ticket="PS-2026-0001", switch=SWITCH, port="Gi1/0/1", vlan=30, unused_vlan=999, mac=None
)
FREE = WORK.disconnected()
CONNECTED = WORK.connected()
HALF = replace(CONNECTED, vlan=999, enabled=False)
"""As it is when the switch took the description and nothing else."""

Fault = Exception | PortState | None
"""What comes instead of an answer; of `send` and `save` a state is what they lead to."""


@dataclass(slots=True)
class SwitchInMemory:
    """Logs in on itself. Fulfils `Switches` and `Session`. `faults` are taken one after the other, None is no fault.

    An exception of `send` leaves the state `half`.
    """

    running: PortState = FREE
    startup: PortState = FREE
    half: PortState = FREE
    faults: Mapping[str, list[Fault]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def port(self, templates: Path = Path("none")) -> LivePort:
        return LivePort(WORK, self, templates=templates, pause=0)

    @contextmanager
    def session(self, switch: Switch) -> Iterator[SwitchInMemory]:
        assert switch == SWITCH
        self._next("session")
        yield self

    def read(self, port: str) -> PortState:
        assert port == WORK.port
        return self._next("read") or self.running

    def saved(self, port: str) -> PortState:
        assert port == WORK.port
        return self._next("saved") or self.startup

    def send(self, lines: Sequence[str], report: Report) -> None:
        known = {self.port().lines(state): state for state in (FREE, CONNECTED)}
        try:
            self.running = self._next("send") or known[tuple(lines)]
        except Exception:
            self.running = self.half
            raise
        report(f"{SENT}: {lines[0]}")

    def save(self) -> None:
        self.startup = self._next("save") or self.running

    def log(self) -> str:
        return f"log {len(self.done)}"

    def _next(self, name: str) -> PortState | None:
        self.done.append(name)
        waiting = self.faults.get(name)
        fault = waiting.pop(0) if waiting else None
        if isinstance(fault, Exception):
            raise fault
        return fault
