"""Where the server stands: which switch port it hears, on what it is virtual, how its clock goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sopauto.inventory.model import Neighbour, Time
from sopauto.inventory.reading.answer import Answer, number, text, text_or_none

LLDP: Final = re.compile(r"lldp\.([^.=\s]{1,30})\.(chassis\.(?:name|mac)|port\.(?:ifname|local|descr))=(.+)")
PORT_NAMES: Final = ("port.ifname", "port.local", "port.descr")
"""Where switches put the name of a port, the surest first."""
NOT_KEPT: Final = "leap=11"
"""What ntpd says before it has a time to keep."""
LAST_SECOND: Final = 253402300799
"""The end of the year 9999."""


def read_neighbours(answer: Answer) -> tuple[Neighbour, ...]:
    """Return what `lldpcli -f keyvalue show neighbors` tells, by interface."""
    return answer.bounded("network.neighbours", _neighbours(answer))


def _neighbours(answer: Answer) -> Iterator[Neighbour]:
    heard: dict[str, dict[str, str]] = {}
    for line in answer.lines("lldp"):
        found = LLDP.match(line[:400])
        if found:
            heard.setdefault(found[1], {}).setdefault(found[2], found[3])
    for interface, told in sorted(heard.items()):
        switch = text_or_none(told.get("chassis.name") or told.get("chassis.mac"))
        if switch:
            port = next((told[name] for name in PORT_NAMES if name in told), None)
            yield Neighbour(interface=text(interface), switch=switch, port=text_or_none(port))


def read_virtualisation(answer: Answer) -> str | None:
    """Return the hypervisor in systemd's words (`kvm`, `vmware`, …), `none` on bare metal."""
    return text_or_none(answer.first("virtualisation"))


def read_time(answer: Answer, taken_at: datetime) -> Time:
    """Return how the server's clock stands against the moment at which its answer was complete."""
    seconds = number(answer.first("clock"))
    known = seconds is not None and seconds <= LAST_SECOND
    offset = (seconds or 0) - int(taken_at.timestamp()) if known else None
    return Time(offset_seconds=offset, synchronised=_kept(answer))


def _kept(answer: Answer) -> bool | None:
    """Return whether chrony, ntpd or systemd-timesyncd keeps the clock; None where none of them tells."""
    leap = next((line for line in answer.lines("chrony") if line.startswith("Leap status")), None)
    if leap is not None:
        return "Normal" in leap
    leap = next((line for line in answer.lines("ntpq") if line.startswith("leap=")), None)
    if leap is not None:
        return leap.strip() != NOT_KEPT
    return {"yes": True, "no": False}.get(answer.first("timesync") or "")
