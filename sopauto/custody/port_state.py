"""What a switch port is set to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sopauto.work import Json

ACCESS: Final = "access"


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
        """Return the state as plain JSON: the form in which plans keep it."""
        return {**asdict(self), "other_lines": list(self.other_lines)}

    @classmethod
    def from_json(cls, data: Json) -> PortState:
        """Return the state that `as_json` wrote."""
        return cls(
            mode=data["mode"],
            vlan=data["vlan"],
            description=data["description"],
            enabled=data["enabled"],
            other_lines=tuple(data.get("other_lines", ())),  # plans of before there were any
        )

    def without(self, lines: Iterable[str]) -> PortState:
        """Return the state without the settings that a template's lines write."""
        written = frozenset(lines)
        # On some platforms one line sets many things, each of them by a `name=value`.
        written |= {word for line in written for word in line.split() if "=" in word}
        return replace(self, other_lines=tuple(line for line in self.other_lines if line not in written))


def difference(target: str, before: PortState, after: PortState) -> str:
    """Return what changes, as a unified diff."""
    old, new = (
        [f"{name}: {value}" for name, value in state.as_json().items() if value != []] for state in (before, after)
    )
    lines = difflib.unified_diff(old, new, f"{target} now", f"{target} then", lineterm="")
    return "\n".join(lines)


def say_difference(found: PortState, wanted: PortState) -> str:
    """Return in which points a state differs from the one that was wanted, as a person reads it."""
    mine, theirs = found.as_json(), wanted.as_json()
    return ", ".join(
        f"{name} is {mine[name]!r} instead of {theirs[name]!r}" for name in mine if mine[name] != theirs[name]
    )
