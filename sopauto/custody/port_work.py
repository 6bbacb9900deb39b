"""The parameters of a switch step: which server, which port of which switch, which VLAN; and whose port may be set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from sopauto.assets.model import Switch
from sopauto.custody.port_state import ACCESS, PortState
from sopauto.custody.switches.platforms import platform_of
from sopauto.errors import BadInput, Refused
from sopauto.work import Json

PORT: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/:-]{0,79}", re.ASCII)
LABEL: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}", re.ASCII)
TICKET: Final = re.compile(r"[A-Z]{2,6}-\d{4}-\d{4,8}|-", re.ASCII)
LAST_VLAN: Final = 4094
MAX_TOLD: Final = 200
"""How many characters of a foreign port's lines a refusal tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortWork:
    """Parameters of a switch step. Those that `from_json` returns are checked.

    `vlan` is the server's, `unused_vlan` the one in which ports without a server stand, `mac` the server's address.
    """

    server: str
    ticket: str
    switch: Switch
    port: str
    vlan: int
    unused_vlan: int
    mac: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the parameters as plain JSON: the form in which plans keep them."""
        return asdict(self)

    @classmethod
    def from_json(cls, parameters: Json) -> PortWork:
        """Return checked parameters: nothing in them can be more than a word of a line.

        Raises: BadInput.
        """
        work = cls(**{**parameters, "switch": Switch(**parameters["switch"])})
        words = ((work.server, LABEL, "server"), (work.ticket, TICKET, "ticket"), (work.port, PORT, "port"))
        for word, pattern, name in words:
            if not pattern.fullmatch(word):
                raise BadInput(f"{word[:80]!r} is no {name}", where=f"parameter {name}", mend="correct the assets")
        for number, name in ((work.vlan, "vlan"), (work.unused_vlan, "unused_vlan")):
            if not isinstance(number, int) or not 1 <= number <= LAST_VLAN:
                raise BadInput(f"{number!r} is no VLAN", where=f"parameter {name}", mend="write 1 to 4094")
        platform_of(work.switch)
        return work

    @property
    def target(self) -> str:
        """The port as people say it."""
        return f"{self.switch.id}/{self.port}"

    @property
    def owner(self) -> str:
        """The description of the port while it serves the server."""
        return f"{self.server}/{self.ticket}"

    def connected(self) -> PortState:
        """Return the state in which the server is on the network."""
        return PortState(mode=ACCESS, vlan=self.vlan, description=self.owner, enabled=True)

    def disconnected(self) -> PortState:
        """Return the state in which no server is on the port."""
        shut = platform_of(self.switch).shuts
        return PortState(mode=ACCESS, vlan=self.unused_vlan, description="", enabled=not shut)


def refuse_foreign(work: PortWork, state: PortState) -> None:
    """Refuse a port that is neither free nor this server's own; raises Refused."""
    hindrance = next(_hindrances(work, state), None)
    if hindrance:
        what, mend = hindrance
        raise Refused(f"{work.target} {what}", mend=mend)


def _hindrances(work: PortWork, state: PortState) -> Iterator[tuple[str, str]]:
    """Yield what tells that a port is in use, and how to mend it."""
    lines = "; ".join(state.other_lines)[:MAX_TOLD]
    free = f"free ports are access ports in VLAN {work.unused_vlan} without a description"
    if state.mode != ACCESS:
        yield f"is a {state.mode} port ({lines})", f"{free}; correct the assets"
    if state.description not in {"", work.owner}:
        yield f"serves {state.description!r}", "give the server another port"
    if lines:
        yield f"is set to more than the template writes ({lines})", "take it off, or give the server another port"
    if not state.description and state.vlan != work.unused_vlan:
        yield f"stands in VLAN {state.vlan} and nothing says for whom", f"{free}; free it, or choose another port"
