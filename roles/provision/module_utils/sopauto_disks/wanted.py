"""What is wanted of the disks: logical volumes, as they were given, and what is wrong with them."""

from __future__ import annotations

import os
import re
from typing import Any

MIB = 2**20
EXTENT = 4 * MIB
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,60}")
MOUNT = re.compile(r"(/[A-Za-z0-9_.-]+)+")
OPTIONS = re.compile(r"[a-z0-9=,_.-]+")
SIZE = re.compile(r"(\d+)([mgt])")
SHARE = re.compile(r"(\d{1,3})%FREE")
UNITS = {"m": MIB, "g": 2**30, "t": 2**40}
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"]}


class Refused(Exception):
    """What is wanted cannot be, or a step failed."""


class Volume:
    """One wanted logical volume."""

    def __init__(self, group: str, given: dict[str, Any]) -> None:
        self.group = group
        self.name = str(given.get("name") or "")
        self.size = str(given.get("size") or "").replace("G", "g").replace("M", "m")
        self.mount = os.path.normpath(str(given.get("mount") or ""))
        self.kind = given.get("file_system") or "ext4"
        self.options = given.get("options", "nodev,nosuid") or "defaults"
        self.title = "%s/%s" % (group, self.name)
        self.device = "/dev/mapper/%s-%s" % (group.replace("-", "--"), self.name.replace("-", "--"))

    def faults(self) -> list[str]:
        checks = {
            "name": NAME.fullmatch(self.name),
            "size (10g, 512m, 100%FREE)": SIZE.fullmatch(self.size) or SHARE.fullmatch(self.size),
            "mount": MOUNT.fullmatch(self.mount) and ".." not in self.mount,
            "file_system (ext4, xfs)": self.kind in MAKE,
            "options": OPTIONS.fullmatch(self.options),
        }
        return ["volume %s: %s is not valid" % (self.title, what) for what, well in checks.items() if not well]

    @property
    def share(self) -> int | None:
        """Its per cent of what is free; None when its size is fixed."""
        found = SHARE.fullmatch(self.size)
        return int(found.group(1)) if found else None

    @property
    def bytes(self) -> int:
        """Its fixed size, in whole extents."""
        number, unit = SIZE.findall(self.size)[0]
        return -(-int(number) * UNITS[unit] // EXTENT) * EXTENT

    @property
    def line(self) -> str:
        """Its line in C(/etc/fstab)."""
        return "%s %s %s %s 0 %d" % (self.device, self.mount, self.kind, self.options, 2 if self.kind == "ext4" else 0)
