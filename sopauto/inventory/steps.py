"""`inventory.collect`: what a server is made of and how it stands in the network (SOP 001, konfigurasi.7).

Agentless: one session, one command, no Python and no root needed on the server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from sopauto.errors import Refused, StepFailed
from sopauto.machines.login import Login
from sopauto.technical.reading import reading_plan
from sopauto.work import Artifact, Json, Plan, Probe, Report, Result, WorkOrder, canonical

MAX_BYTES = 2 * 1024 * 1024
"""A server with a thousand services and 250 interfaces answers with about 0.3 MiB."""
SECONDS = 60.0
"""For connecting, login and answer together."""
SCRIPT = "collect.sh"


class Shell(Protocol):
    """Runs a script on a server."""

    def run(self, login: Login, script: bytes, *, max_bytes: int, seconds: float) -> bytes:
        """Return what `sh -s` prints for this script.

        Raises: BadInput (unusable credentials), StepFailed (not reachable, another host key, login refused, an answer
        over `max_bytes` or over `seconds`).
        """


class Collect:
    """The technical module `inventory.collect`. `parse` turns the script's output into a plain JSON snapshot."""

    name = "inventory.collect"
    mutates = False

    def __init__(
        self,
        ssh: Shell,
        *,
        script: bytes,
        parse: Callable[[bytes, datetime], Mapping[str, Any]],
        now: Callable[[], datetime],
    ) -> None:
        self._ssh = ssh
        self._script = script
        self._parse = parse
        self._now = now

    def materials(self, parameters: Json) -> Mapping[str, bytes]:  # noqa: ARG002 - the Protocol's signature
        """Return the script that the server will be given."""
        return {SCRIPT: self._script}

    def plan(self, parameters: Json, report: Report) -> Plan:  # noqa: ARG002 - the Protocol's signature
        """Return a plan without lines: nothing is changed."""
        return reading_plan(self.name, parameters)

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Collect, and return the snapshot as facts and as the artifact `inventaris.json`.

        Raises: Refused (no host key is pinned yet), BadInput (unusable credentials), StepFailed (see `Shell.run`; or
        the answer broke off).
        """
        login = _login(order)
        report(f"collecting the inventory of {login.server} on {login.address} port {login.port}")
        answer = self._ssh.run(login, self._script, max_bytes=MAX_BYTES, seconds=SECONDS)
        snapshot = self._parsed(answer, login.server)
        return Result(
            changed=False,
            summary=f"inventory of {login.server} taken, {len(answer)} bytes; missing: {_missing(snapshot)}",
            facts={"snapshot": snapshot, "host_key": login.host_key},
            artifacts=(Artifact(name="inventaris.json", media_type="application/json", content=canonical(snapshot)),),
        )

    def probe(self, order: WorkOrder, report: Report) -> Probe:  # noqa: ARG002 - the Protocol's signature
        """Tell that nothing was changed: a reading leaves no trace."""
        return Probe.NOT_BEGUN

    def undo(self, order: WorkOrder, report: Report) -> Result:  # noqa: ARG002 - the Protocol's signature
        """Refuse: there is nothing to undo."""
        raise Refused("inventory.collect changes nothing that could be undone", where=order.ticket)

    def _parsed(self, answer: bytes, server: str) -> dict[str, Any]:
        try:
            return dict(self._parse(answer, self._now()))
        except StepFailed as error:
            raise StepFailed(error.what, where=server, mend=error.mend) from None


def _login(order: WorkOrder) -> Login:
    asked = order.parameters
    if not asked.get("host_key"):
        raise Refused(f"no host key of {asked['server']} is pinned", where=order.ticket, mend="run custody.check first")
    return Login(
        server=str(asked["server"]),
        address=str(asked["address"]),
        port=int(asked["port"]),
        host_key=str(asked["host_key"]),
        credentials=str(asked["credentials"]),
    )


def _missing(snapshot: Mapping[str, Any]) -> str:
    return ", ".join(snapshot.get("missing", ())) or "nothing"
