"""Open vSwitch, by `ovs-vsctl` in a shell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sopauto.custody.port_state import ACCESS, PortState
from sopauto.custody.switches.base import MAX_WORDS, SENT, LineRefusedError, NetmikoSession, Platform, SessionLostError
from sopauto.errors import BadInput
from sopauto.procedures.fields import one_line
from sopauto.work import Report

UNSET: Final = ["set", []]
INTERFACE: Final = "type,options,external_ids"
KNOWN: Final = ("vlan_mode=access", "external_ids:sopauto=", "type=system")
QUIET: Final = frozenset(
    {"_uuid", "name", "interfaces", "tag", "rstp_statistics", "rstp_status", "statistics", "status"}
)
"""Columns of a port that hold no setting, or one that is told otherwise."""


class OvsSession(NetmikoSession):
    """Open vSwitch, by `ovs-vsctl` in a shell. Its database is saved with each change."""

    def read(self, port: str) -> PortState:
        """Return a port's state; raises BadInput (no such port)."""
        try:
            row = self._row(f"list port {port}")
            interfaces = _items(row["interfaces"])
            # Several interfaces are a bond; of a single one its type tells whether a server can be behind it.
            one = f"--columns={INTERFACE} list interface {UUID(interfaces[0][1])}" if len(interfaces) == 1 else ""
            return _state(row, self._row(one) if one else None)
        except (ValueError, KeyError, IndexError, TypeError):
            raise SessionLostError("ovs-vsctl answered something else than JSON") from None

    def _row(self, question: str) -> dict[str, Any]:
        """Return the row of the database that a question is for."""
        answer, code = self._shell(f"ovs-vsctl --format=json {question}")
        if code and "no row" in answer:
            raise BadInput(f"there is no port {question.rpartition(' ')[2]}", mend="see `ovs-vsctl list-ports`")
        if code:
            raise SessionLostError(f"ovs-vsctl: {one_line(answer, MAX_WORDS)}")
        table = json.loads(answer)
        return dict(zip(table["headings"], table["data"][0], strict=True))

    def saved(self, port: str) -> PortState:
        """Return the state that the port has after a restart: the database is its own memory."""
        return self.read(port)

    def send(self, lines: Sequence[str], report: Report) -> None:
        """Send commands; each changes everything it names, or nothing. Raises LineRefusedError."""
        for line in lines:
            answer, code = self._shell(line)
            if code:
                raise LineRefusedError(one_line(answer, MAX_WORDS))
            report(f"{SENT}: {line}")

    def save(self) -> None:
        """Do nothing: the database was saved with the change."""

    def _shell(self, command: str) -> tuple[str, int]:
        """Return what a command prints, and its exit status."""
        answer = self._ask(f"{command} 2>&1; echo status=$?")
        text, _, status = answer.rpartition("status=")
        if not status.strip().isdigit():
            raise SessionLostError("the shell gave no exit status")
        return text.strip(), int(status)


def _state(row: Mapping[str, Any], interface: Mapping[str, Any] | None) -> PortState:
    """Return the state that a row of the Port table and the port's only interface (None: a bond) describe."""
    return PortState(
        mode=_mode(row, interface),
        vlan=row["tag"] if isinstance(row["tag"], int) else None,
        description=one_line(str(dict(row["external_ids"][1]).get("sopauto", ""))),
        enabled=True,
        other_lines=tuple(line for line in _settings(row, interface) if not line.startswith(KNOWN)),
    )


def _settings(row: Mapping[str, Any], interface: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what a port and its interface are set to."""
    for name, value in (*row.items(), *(interface or {}).items()):
        if name not in QUIET:
            yield from _lines(name, value)
    if row["tag"] == UNSET:
        yield "tag=[]"
    if interface is None:
        yield f"interfaces={len(_items(row['interfaces']))}"


def _mode(row: Mapping[str, Any], interface: Mapping[str, Any] | None) -> str:
    """Return what a port serves as; without a tag it carries every VLAN."""
    if interface is None:
        return "member"
    if interface["type"] not in {"", "system"}:
        return "virtual"
    accessible = isinstance(row["tag"], int) and row["vlan_mode"] in ("access", UNSET)
    return ACCESS if accessible and not _items(row["trunks"]) else "trunk"


def _lines(column: str, value: Any) -> list[str]:
    """Return a column as ovs-vsctl would be told it; nothing, when it is not set."""
    if isinstance(value, list) and value[0] == "map":
        return [one_line(f"{column}:{key}={held}") for key, held in value[1]]
    items = [item[1] if isinstance(item, list) else item for item in _items(value) if item]
    told = ",".join("true" if item is True else str(item) for item in items)
    return [one_line(f"{column}={told}")] if told else []


def _items(value: Any) -> list[Any]:
    """Return an OVSDB value as a list: `["set", […]]`, or a single one."""
    if isinstance(value, list) and len(value) == 2 and value[0] == "set":  # noqa: PLR2004 - OVSDB's notation
        return list(value[1])
    return [value]


PLATFORM: Final = Platform(session=OvsSession, shuts=False)
