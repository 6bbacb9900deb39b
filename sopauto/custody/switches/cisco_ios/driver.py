"""Switches that speak Cisco IOS: `show running-config`, configuration lines, `write memory`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sopauto.custody.port_state import PortState
from sopauto.custody.switches.base import (
    ANSWER_SECONDS,
    MAX_WORDS,
    LineRefusedError,
    NetmikoSession,
    Platform,
    report_taken,
)
from sopauto.errors import BadInput
from sopauto.procedures.fields import one_line
from sopauto.work import Report

ERROR: Final = r"% ?(Invalid|Incomplete|Ambiguous|Unknown|Unrecognized|Command|Bad|Error|Authorization|Access)[^\r\n]*"
END: Final = re.compile(r"!|end|interface .*")
MODE: Final = "switchport mode"
VLAN: Final = "switchport access vlan"
DESCRIPTION: Final = "description"
KNOWN: Final = re.compile(
    rf"{MODE} access|{VLAN} \d+|{DESCRIPTION} .*|(no )?shutdown"  # what the template writes
    r"|switchport|(duplex|speed|negotiation|mdix) auto"  # defaults that some models show
)
NO_ACCESS: Final = {
    "no switchport": "routed",
    "ip address": "routed",
    "ipv6 address": "routed",
    "channel-group": "member",
}
DEFAULT_VLAN: Final = 1
SAVE_SECONDS: Final = 90
"""Older switches take long to write their memory."""


class IosSession(NetmikoSession):
    """Cisco IOS."""

    def read(self, port: str) -> PortState:
        """Return a port's running state; raises BadInput (no such port)."""
        lines = self._block(f"show running-config interface {port}", port)
        if lines is None:
            raise BadInput(f"there is no port {port}", mend="write it as `show running-config` does")
        return _state(lines)

    def saved(self, port: str) -> PortState:
        """Return the state that the port has after a restart."""
        return _state(self._block(f"show startup-config | section ^interface {port}$", port) or ())

    def send(self, lines: Sequence[str], report: Report) -> None:
        """Send configuration lines one by one; raises LineRefusedError."""
        self._guarded(
            lambda: self._connection.send_config_set(
                report_taken(lines, report),
                read_timeout=ANSWER_SECONDS,
                error_pattern=ERROR,
                cmd_verify=True,
                bypass_commands="",  # looking for them, netmiko would take all lines before it sends the first
            )
        )

    def save(self) -> None:
        """Save the running configuration; raises LineRefusedError."""
        answer = self._ask("write memory", seconds=SAVE_SECONDS)
        if "[OK]" not in answer:
            raise LineRefusedError(f"saving failed: {one_line(answer, MAX_WORDS)}")

    def _block(self, command: str, port: str) -> list[str] | None:
        """Return the lines below `interface PORT`; None, when the answer has no such line."""
        lines = self._ask(command).splitlines()
        heads = [i for i, line in enumerate(lines) if line.strip() == f"interface {port}"]
        if not heads:
            return None
        rest = lines[heads[0] + 1 :]
        # Whatever else gets in between counts as a line of the port: nothing below it may be missed.
        ends = [i for i, line in enumerate(rest) if END.fullmatch(line.rstrip())]
        return [one_line(line) for line in rest[: ends[0] if ends else len(rest)] if line.strip()]


def _state(lines: Sequence[str]) -> PortState:
    """Return the state that an interface's configuration lines describe."""
    vlan = _value(lines, VLAN) or str(DEFAULT_VLAN)
    others = [line for line in lines if not KNOWN.fullmatch(line)]
    if not _value(lines, MODE):
        others.append(f"no {MODE}")  # no line tells of this default
    return PortState(
        mode=_mode(lines),
        vlan=int(vlan) if vlan.isdigit() else None,
        description=_value(lines, DESCRIPTION),
        enabled="shutdown" not in lines,
        other_lines=tuple(others),
    )


def _mode(lines: Sequence[str]) -> str:
    """Return what a port serves as; without a line it negotiates, and may become a trunk."""
    for start, mode in NO_ACCESS.items():
        if any(f"{line} ".startswith(f"{start} ") for line in lines):
            return mode
    return (_value(lines, MODE) or "dynamic").split()[0]


def _value(lines: Sequence[str], name: str) -> str:
    """Return what follows a setting's name (empty: it is not set)."""
    return next((line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")), "")


PLATFORM: Final = Platform(session=IosSession, shuts=True)
