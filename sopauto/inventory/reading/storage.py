"""Where the server keeps its data: file systems with their use, LVM, arrays of disks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sopauto.inventory.model import Array, FileSystem, VolumeGroup
from sopauto.inventory.reading.answer import Answer, number, text, text_or_none

KIB: Final = 1024
DF_COLUMNS: Final = 6
MD: Final = re.compile(r"(md\S{1,40}) : (active|inactive)(?: \([a-z-]+\))? (?:\([a-z-]+\) )?(\S{1,20})")
MD_LINE: Final = 500
"""Characters of a line that are searched."""
MEMBERS: Final = re.compile(r"\[([U_]{1,64})\]\s*$")
CONTAINER: Final = re.compile(r"super external:[^/]")
"""Only holds the arrays of a controller's own format (Intel, DDF): it never runs, and nothing is wrong with that."""


def read_filesystems(answer: Answer) -> tuple[FileSystem, ...]:
    """Return the file systems of /proc/mounts that lie on disks, with what `df -Plk` says of their use."""
    return answer.bounded("server.filesystems", sorted(_filesystems(answer), key=lambda one: one.mount))


def _filesystems(answer: Answer) -> Iterator[FileSystem]:
    kinds: dict[str, str] = {}
    for line in answer.lines("mount"):
        fields = line.split(" ", 3)
        if len(fields) > 2:  # noqa: PLR2004 - the third is the type
            kinds[fields[1].replace("\\040", " ")] = fields[2]  # a blank, as the kernel writes it
    for line in answer.lines("df"):
        columns = line.split(maxsplit=DF_COLUMNS - 1)
        if len(columns) == DF_COLUMNS and columns[5] in kinds:
            size, used = number(columns[1]), number(columns[2])
            if size and used is not None:
                yield FileSystem(
                    mount=text(columns[5]),
                    source=text(columns[0]),
                    kind=text_or_none(kinds[columns[5]]),
                    size_bytes=size * KIB,
                    used_bytes=used * KIB,
                )


def read_volume_groups(answer: Answer) -> tuple[VolumeGroup, ...]:
    """Return LVM's volume groups (`vgs`, `lvs`, sizes in bytes)."""
    return answer.bounded("server.volume_groups", _volume_groups(answer))


def _volume_groups(answer: Answer) -> Iterator[VolumeGroup]:
    volumes: dict[str, list[tuple[str, int]]] = {}
    for group, name, size in answer.bounded("server.volumes", map(tuple, answer.rows("volume", 3))):
        volumes.setdefault(group.strip(), []).append((text(name), number(size) or 0))
    for name, size, free in answer.things("volume_group", 3):
        yield VolumeGroup(
            name=text(name),
            size_bytes=number(size) or 0,
            free_bytes=number(free) or 0,
            volumes=tuple(volumes.get(name.strip(), ())),
        )


def read_arrays(answer: Answer) -> tuple[Array, ...]:
    """Return the arrays of /proc/mdstat that can lose a disk or stand still; raid0 tells nothing of its disks there."""
    return answer.bounded("server.arrays", _arrays(answer))


def _arrays(answer: Answer) -> Iterator[Array]:
    begun: re.Match[str] | None = None
    for line in answer.lines("mdstat"):
        found = MD.match(line)
        array = _array(begun, line[:MD_LINE]) if begun and not found else None
        if array:
            yield array
        begun = None if array else found or begun


def _array(begun: re.Match[str], line: str) -> Array | None:
    """Return an array by the line that tells its state: `[U_]` is one whose second disk is gone. None: another line."""
    if begun[2] == "inactive":
        stopped = " blocks" in line and not CONTAINER.search(line)
        return Array(name=text(begun[1]), level=None, healthy=False) if stopped else None
    members = MEMBERS.search(line)
    return members and Array(name=text(begun[1]), level=text(begun[3]), healthy="_" not in members[1])
