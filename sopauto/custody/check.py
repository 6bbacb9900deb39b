"""`custody.check`: greet the server where it was connected, and prove that it is the same one (SOP 001, konfigurasi.4).

What is found is evidence: a person decides the row. A server that does not answer is therefore a finding, not a
failure; only a changed host key stops the step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sopauto.errors import Refused
from sopauto.machines.host_keys import fingerprint, key_type, refuse_changed
from sopauto.machines.met import Greeting, ServerAt, Silence
from sopauto.procedures.fields import visible
from sopauto.technical.reading import reading_plan
from sopauto.work import Json, Plan, Probe, Report, Result, WorkOrder

SECONDS = 10.0
"""How long a server has for connecting, its banner and the key exchange together."""


class Greeter(Protocol):
    """Greets SSH servers without logging in."""

    def greet(self, address: str, port: int, *, pinned: str | None, seconds: float) -> Greeting | Silence:
        """Connect, read the banner and have the host key proven; the pinned key's type is asked for first."""


class Reach:
    """The technical module `custody.check`."""

    name = "custody.check"
    mutates = False

    def __init__(self, ssh: Greeter) -> None:
        self._ssh = ssh

    def materials(self, parameters: Json) -> Mapping[str, bytes]:  # noqa: ARG002 - the Protocol's signature
        """Return nothing: a greeting needs no file."""
        return {}

    def plan(self, parameters: Json, report: Report) -> Plan:  # noqa: ARG002 - the Protocol's signature
        """Return a plan without lines: nothing is changed."""
        return reading_plan(self.name, parameters)

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Greet the server and return what it showed; raises StepFailed (another host key than the pinned one)."""
        asked = ServerAt.from_json(order.parameters)
        report(f"greeting {asked.server} on {asked.place}")
        met = self._ssh.greet(asked.address, asked.port, pinned=asked.host_key, seconds=SECONDS)
        if isinstance(met, Silence):
            return _unreachable(asked, met)
        refuse_changed(asked.host_key, met.host_key, server=asked.server)
        return _reachable(asked, met)

    def probe(self, order: WorkOrder, report: Report) -> Probe:  # noqa: ARG002 - the Protocol's signature
        """Tell that nothing was changed: a reading leaves no trace."""
        return Probe.NOT_BEGUN

    def undo(self, order: WorkOrder, report: Report) -> Result:  # noqa: ARG002 - the Protocol's signature
        """Refuse: there is nothing to undo."""
        raise Refused("custody.check changes nothing that could be undone", where=order.ticket)


def _unreachable(asked: ServerAt, met: Silence) -> Result:
    facts: dict[str, Any] = {"reachable": False, "reason": met.reason, "tcp_ms": met.tcp_ms}
    return Result(changed=False, summary=f"{asked.server} does not answer on {asked.place}: {met.reason}", facts=facts)


def _reachable(asked: ServerAt, met: Greeting) -> Result:
    seen = fingerprint(met.host_key)
    known = "first contact, to be pinned" if asked.host_key is None else "as pinned"
    return Result(
        changed=False,
        summary=f"{asked.server} answers on {asked.place} in {met.tcp_ms:g} ms; host key {seen} ({known})",
        facts={
            "reachable": True,
            "tcp_ms": met.tcp_ms,
            "ssh_banner": visible(met.banner),
            "host_key": met.host_key,
            "host_key_type": key_type(met.host_key),
            "fingerprint": seen,
        },
    )
