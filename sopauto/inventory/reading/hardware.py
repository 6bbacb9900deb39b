"""What the server is made of: maker, processors, memory, disks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from sopauto.inventory.model import Cpu, Disk, MemoryModule
from sopauto.inventory.reading.answer import Answer, number, text, text_or_none

SECTOR: Final = 512
"""Bytes; the kernel counts disks in these whatever their own sectors are."""
SCALES: Final = {"kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
BLANKS: Final = frozenset(
    {
        "0",
        "123456789",
        "default string",
        "n/a",
        "none",
        "not applicable",
        "not specified",
        "o.e.m.",
        "oem",
        "system manufacturer",
        "system product name",
        "system serial number",
        "to be filled by o.e.m.",
        "unknown",
    }
)
"""What makers leave in the fields that they forgot to fill."""


def maker(answer: Answer, section: str) -> str | None:
    """Return vendor, model or serial; None when the maker left the field as it was."""
    told = text_or_none(answer.first(section))
    return None if told is None or told.lower() in BLANKS else told


def read_bios_date(answer: Answer) -> str | None:
    """Return the day of the firmware (`11/21/2023` as makers write it) in ISO 8601: about as old as the machine."""
    month, _, rest = (answer.first("bios_date") or "").strip().partition("/")
    day, _, year = rest.partition("/")
    try:
        return date(int(year[:4]), int(month[:2]), int(day[:2])).isoformat()
    except ValueError:
        return None


def read_cpu(answer: Answer) -> Cpu:
    """Return the processors, from /proc/cpuinfo and, where that does not tell (ARM), from lscpu."""
    lscpu = _pairs(answer, "lscpu")
    processors = list(_processors(answer))
    sockets = {one["physical id"] for one in processors if "physical id" in one}
    cores = {(one["physical id"], one["core id"]) for one in processors if {"physical id", "core id"} <= one.keys()}
    told_sockets = number(lscpu.get("Socket(s)"))
    per_socket = number(lscpu.get("Core(s) per socket"))
    return Cpu(
        model=text_or_none(
            next((one["model name"] for one in processors if "model name" in one), lscpu.get("Model name"))
        ),
        sockets=len(sockets) or told_sockets,
        cores=len(cores) or (told_sockets * per_socket if told_sockets and per_socket else None),
        threads=len(processors) or number(lscpu.get("CPU(s)")),
    )


def read_memory(answer: Answer) -> int | None:
    """Return the bytes of memory that the kernel has (`MemTotal: … kB`)."""
    fields = (answer.first("memory") or "").split()
    kibibytes = number(fields[1]) if len(fields) > 1 else None
    return None if kibibytes is None else kibibytes * 1024


def read_disks(answer: Answer) -> tuple[Disk, ...]:
    """Return the disks that hold something; an empty card reader has no size."""
    return answer.bounded("server.disks", _disks(answer))


def _disks(answer: Answer) -> Iterator[Disk]:
    health = dict(answer.rows("health", 2))
    for name, sectors, rotational, model, serial in answer.rows("disk", 5):
        size = number(sectors)
        if size:
            yield Disk(
                name=text(name),
                size_bytes=size * SECTOR,
                model=text_or_none(model),
                serial=text_or_none(serial),
                rotational={"0": False, "1": True}.get(rotational),
                health=text_or_none(health.get(name)),
            )


def read_modules(answer: Answer) -> tuple[MemoryModule, ...]:
    """Return the memory modules that `dmidecode -t 17` lists; an empty slot has no size."""
    return answer.bounded("server.memory_modules", _modules(answer))


def _modules(answer: Answer) -> Iterator[MemoryModule]:
    for told in _slots(answer):
        amount, _, unit = told.get("Size", "").partition(" ")
        size = number(amount)
        if size and unit in SCALES:
            yield MemoryModule(
                slot=text(told.get("Locator", "")),
                size_bytes=size * SCALES[unit],
                kind=_filled(told, "Type"),
                vendor=_filled(told, "Manufacturer"),
                part=_filled(told, "Part Number"),
                serial=_filled(told, "Serial Number"),
            )


def _slots(answer: Answer) -> Iterator[dict[str, str]]:
    """Return what dmidecode says of each slot; the line `Memory Device` begins one."""
    current: dict[str, str] = {}
    for line in answer.lines("dimm"):
        name, colon, value = line.strip().partition(":")
        if not colon:
            yield current
            current = {}
        current.setdefault(name, value.strip())
    yield current


def _filled(told: dict[str, str], name: str) -> str | None:
    value = text_or_none(told.get(name))
    return None if value is None or value.lower() in BLANKS else value


def _processors(answer: Answer) -> Iterator[dict[str, str]]:
    """Return what /proc/cpuinfo says of each processor; the line `processor` begins one."""
    current: dict[str, str] | None = None
    for line in answer.lines("cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() == "processor":
            if current is not None:
                yield current
            current = {}
        if current is not None:
            current[name.strip()] = value.strip()
    if current is not None:
        yield current


def _pairs(answer: Answer, section: str) -> dict[str, str]:
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in answer.lines(section))}
