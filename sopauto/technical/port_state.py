"""What a switch port is set to, and what it should be set to for a custody server."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from sopauto.errors import BadInput, Refused
from sopauto.work import Json

ACCESS: Final = "access"
SHIPPED: Final = Path(__file__).parent / "templates"
TEMPLATE: Final = "port.j2"
SHUTS: Final[Mapping[str, bool]] = {"cisco_ios": True, "ovs_linux": False}
"""The platforms, and whether a port without a server can be shut down there."""
PORT: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/:-]{0,79}", re.ASCII)
LABEL: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}", re.ASCII)
TICKET: Final = re.compile(r"[A-Z]{2,6}-\d{4}-\d{4,8}|-", re.ASCII)
LAST_VLAN: Final = 4094
MAX_TOLD: Final = 200
"""How many characters of a foreign port's lines a refusal tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortState:
    """One port: `mode` is access, or what else it serves as; `description` tells whose it is.

    `other_lines` are the settings that the shipped template does not write, as the switch shows them.
    """

    mode: str
    vlan: int | None
    description: str
    enabled: bool
    other_lines: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the state as plain JSON."""
        return {**asdict(self), "other_lines": list(self.other_lines)}

    def without(self, lines: Iterable[str]) -> PortState:
        """Return the state without the settings that a template's lines write."""
        written = frozenset(lines)
        # On some platforms one line sets many things, each of them by a `name=value`.
        written |= {word for line in written for word in line.split() if "=" in word}
        return replace(self, other_lines=tuple(line for line in self.other_lines if line not in written))


@dataclass(frozen=True, slots=True, kw_only=True)
class PortWork:
    """Checked parameters of a switch step."""

    server: str
    ticket: str
    switch: Json
    port: str
    vlan: int
    unused_vlan: int

    @classmethod
    def of(cls, parameters: Json) -> PortWork:
        """Return checked parameters: nothing in them can be more than a word of a line.

        Raises: BadInput.
        """
        server, ticket, port = (str(parameters[name]) for name in ("server", "ticket", "port"))
        for value, pattern, name in ((server, LABEL, "server"), (ticket, TICKET, "ticket"), (port, PORT, "port")):
            if not pattern.fullmatch(value):
                raise BadInput(f"{value[:80]!r} is no {name}", where=f"parameter {name}", mend="correct the assets")
        if parameters["switch"]["platform"] not in SHUTS:
            known = ", ".join(SHUTS)
            raise BadInput(
                f"switches of the platform {parameters['switch']['platform']!r} are not known",
                where=str(parameters["switch"]["id"]),
                mend=f"use one of {known}",
            )
        vlans = {name: parameters[name] for name in ("vlan", "unused_vlan")}
        for name, vlan in vlans.items():
            if not isinstance(vlan, int) or not 1 <= vlan <= LAST_VLAN:
                raise BadInput(f"{vlan!r} is no VLAN", where=f"parameter {name}", mend="write 1 to 4094")
        return cls(server=server, ticket=ticket, switch=parameters["switch"], port=port, **vlans)

    @property
    def platform(self) -> str:
        """The switch's platform."""
        return str(self.switch["platform"])

    @property
    def target(self) -> str:
        """The port as people say it."""
        return f"{self.switch['id']}/{self.port}"

    @property
    def owner(self) -> str:
        """The description of the port while it serves the server."""
        return f"{self.server}/{self.ticket}"

    def connected(self) -> PortState:
        """Return the state in which the server is on the network."""
        return PortState(mode=ACCESS, vlan=self.vlan, description=self.owner, enabled=True)

    def disconnected(self) -> PortState:
        """Return the state in which no server is on the port."""
        return PortState(mode=ACCESS, vlan=self.unused_vlan, description="", enabled=not SHUTS[self.platform])


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


def read_template(platform: str, templates: Path) -> bytes:
    """Return the platform's template, the agency's own before the shipped one."""
    for folder in (templates / "switch", SHIPPED):
        path = folder / platform / TEMPLATE
        if path.is_file():
            return path.read_bytes()
    raise BadInput(f"there is no template for {platform}", where=str(SHIPPED), mend=f"add {platform}/{TEMPLATE}")


def render(template: bytes, port: str, state: PortState) -> tuple[str, ...]:
    """Return the lines that set a port to a state; raises BadInput (the template does not work)."""
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    try:
        text = (
            SandboxedEnvironment(undefined=StrictUndefined)
            .from_string(template.decode())
            .render(port=port, vlan=state.vlan, description=state.description, enabled=state.enabled)
        )
    except (TemplateError, UnicodeDecodeError) as error:
        raise BadInput(f"the template does not work: {error}", where=TEMPLATE, mend="correct it") from None
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def difference(target: str, before: PortState, after: PortState) -> str:
    """Return what changes, as a unified diff."""
    old, new = (
        [f"{name}: {value}" for name, value in state.as_json().items() if value != []] for state in (before, after)
    )
    lines = difflib.unified_diff(old, new, f"{target} now", f"{target} then", lineterm="", n=3)
    return "\n".join(lines)


def told(state: PortState, other: PortState) -> str:
    """Return in which points a state differs from another."""
    mine, theirs = state.as_json(), other.as_json()
    return ", ".join(
        f"{name} is {mine[name]!r} instead of {theirs[name]!r}" for name in mine if mine[name] != theirs[name]
    )


def from_json(data: Json) -> PortState:
    """Return the state that `as_json` wrote."""
    lines = tuple(data.get("other_lines", ()))  # plans of before there were any
    return replace(PortState(mode="", vlan=None, description="", enabled=False), **{**data, "other_lines": lines})
