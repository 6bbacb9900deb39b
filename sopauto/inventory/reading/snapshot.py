"""From a server's answer to its inventory. Pure: the same bytes and time give the same snapshot."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from sopauto.inventory.model import FORMED, Server, Snapshot
from sopauto.inventory.reading.answer import Answer, TooLarge, read_answer, text_or_none
from sopauto.inventory.reading.hardware import maker, read_bios_date, read_cpu, read_disks, read_memory, read_modules
from sopauto.inventory.reading.network import read_network
from sopauto.inventory.reading.software import read_certificates, read_hardening, read_packages, read_updates
from sopauto.inventory.reading.storage import read_arrays, read_filesystems, read_volume_groups
from sopauto.inventory.reading.surroundings import read_time, read_virtualisation
from sopauto.inventory.reading.system import read_os, read_ports, read_services, read_uptime, read_users

MAX_BYTES: Final = 4 * 1024 * 1024
"""Of one snapshot as JSON: 4,000 packages and a thousand services make about 0.5 MiB."""


def parse(output: bytes, taken_at: datetime) -> dict[str, Any]:
    """Return the inventory that the output of `collect.sh` tells, as plain JSON (shape: `model.Snapshot`).

    Raises: StepFailed, when the output breaks off before its end; TooLarge.
    """
    content = read_snapshot(output, taken_at).as_bytes()
    if len(content) > MAX_BYTES:
        raise TooLarge(f"the inventory is larger than {MAX_BYTES >> 20} MiB", mend="see what the server answers")
    plain: dict[str, Any] = json.loads(content)
    return plain


def read_snapshot(output: bytes, taken_at: datetime) -> Snapshot:
    """Return the inventory that the output of `collect.sh` tells; raises StepFailed as `parse` does."""
    answer = read_answer(output)
    server, network = _server(answer, taken_at), read_network(answer)
    # Last, because reading the lists adds to it what had to be cut off.
    missing = answer.bounded("missing", sorted(map(_said_by_it, answer.missing)))
    return Snapshot(taken_at=taken_at, server=server, network=network, missing=missing)


def _said_by_it(line: str) -> str:
    """Return a line of `missing` so that no server can pass off its answer as a form that people filled in."""
    return f"{line} (the server says)" if line.endswith(FORMED) else line


def _server(answer: Answer, taken_at: datetime) -> Server:
    packages = read_packages(answer)
    return Server(
        vendor=maker(answer, "vendor"),
        model=maker(answer, "model"),
        serial=maker(answer, "serial"),
        bios_date=read_bios_date(answer),
        cpu=read_cpu(answer),
        memory_bytes=read_memory(answer),
        memory_modules=read_modules(answer),
        disks=read_disks(answer),
        arrays=read_arrays(answer),
        filesystems=read_filesystems(answer),
        volume_groups=read_volume_groups(answer),
        virtualisation=read_virtualisation(answer),
        os=read_os(answer),
        kernel=text_or_none(answer.first("kernel")),
        architecture=text_or_none(answer.first("architecture")),
        uptime_seconds=read_uptime(answer),
        time=read_time(answer, taken_at),
        packages_count=len(packages) or None,
        packages=packages,
        updates=read_updates(answer),
        certificates=read_certificates(answer),
        hardening=read_hardening(answer),
        services=read_services(answer),
        listening_ports=read_ports(answer),
        users=read_users(answer),
    )
