"""What runs on the server: operating system, services, listening ports, users."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from sopauto.inventory.model import Account, ListeningPort, OperatingSystem, Service
from sopauto.inventory.reading.answer import Answer, address, number, text, text_or_none
from sopauto.inventory.reading.procfs import listening

MAX_PORT: Final = 65535
MAX_UID: Final = 2**32 - 1
PROCESS: Final = re.compile(r'users:\(\("([^"]{1,64})"')


def read_os(answer: Answer) -> OperatingSystem:
    """Return the distribution from os-release, or the one line that older systems have instead."""
    pairs = {
        name: value.strip().strip("\"'") for name, _, value in (line.partition("=") for line in answer.lines("os"))
    }
    return OperatingSystem(
        name=text_or_none(pairs.get("NAME") or answer.first("os_line")),
        version=text_or_none(pairs.get("VERSION") or pairs.get("VERSION_ID")),
        id=text_or_none(pairs.get("ID")),
    )


def read_uptime(answer: Answer) -> int | None:
    """Return the seconds since the server was started."""
    return number((answer.first("uptime") or "").partition(".")[0])


def read_services(answer: Answer) -> tuple[Service, ...]:
    """Return the services by name."""
    return answer.bounded("server.services", sorted(chain(_systemd(answer), _others(answer)), key=lambda one: one.name))


def _systemd(answer: Answer) -> Iterator[Service]:
    """Read `systemctl list-units`: unit, load, active, sub, description. Units that are only named are left out."""
    starts = dict(_unit_files(answer))
    for line in answer.lines("systemd"):
        fields = line.lstrip(" ●*").split(maxsplit=4)
        if len(fields) > 3 and fields[1] != "not-found":  # noqa: PLR2004 - the fourth column is the state
            # `getty@tty1.service` is one of `getty@.service`.
            template = f"{fields[0].partition('@')[0]}@.service"
            told = text_or_none(starts.get(fields[0]) or starts.get(template))
            yield Service(name=text(fields[0].removesuffix(".service")), state=text(fields[3]), starts=told)


def _unit_files(answer: Answer) -> Iterator[tuple[str, str]]:
    """Read `systemctl list-unit-files`: unit, state, preset."""
    for line in answer.lines("unit_file"):
        fields = line.split(maxsplit=2)
        if len(fields) > 1:
            yield fields[0], fields[1]


def _others(answer: Answer) -> Iterator[Service]:
    for name, state in answer.rows("service", 2):
        yield Service(name=text(name), state=text(state))


def read_ports(answer: Answer) -> tuple[ListeningPort, ...]:
    """Return the open ports, each once though several sockets may share it."""
    found = chain(_ss(answer), listening(answer))
    return answer.bounded(
        "server.listening_ports",
        sorted(found, key=lambda one: (one.protocol, one.port, one.address, one.process or "")),
    )


def _ss(answer: Answer) -> Iterator[ListeningPort]:
    """Read `ss -lntup`: protocol, state, two queues, local address, peer, and for root the process."""
    for line in answer.lines("ss"):
        fields = line.split(maxsplit=6)
        if len(fields) < 5 or fields[0] not in {"tcp", "udp"}:  # noqa: PLR2004 - the fifth column is the local address
            continue
        where, _, digits = fields[4].rpartition(":")
        port = number(digits)
        shown = _any_or_address(where)
        if shown is not None and port is not None and port <= MAX_PORT:
            process = PROCESS.search(line)
            yield ListeningPort(
                protocol=fields[0], address=shown, port=port, process=text_or_none(process[1]) if process else None
            )


def _any_or_address(where: str) -> str | None:
    """Return `*` or an address; versions of ss differ in brackets and in where the interface (`%eth0`) stands."""
    bare = where.replace("[", "").replace("]", "").partition("%")[0]
    return "*" if bare == "*" else address(bare)


def read_users(answer: Answer) -> tuple[Account, ...]:
    """Return the local users in the order of /etc/passwd."""
    return answer.bounded("server.users", _users(answer))


def _users(answer: Answer) -> Iterator[Account]:
    for line in answer.lines("user"):
        fields = line.split(":")
        uid = number(fields[2]) if len(fields) == 7 else None  # noqa: PLR2004 - what passwd(5) has
        if uid is not None and uid <= MAX_UID:
            yield Account(name=text(fields[0]), uid=uid, shell=text(fields[6]))
