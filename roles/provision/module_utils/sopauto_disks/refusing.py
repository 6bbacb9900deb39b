"""What stands in the way of the wanted disks: all of it is told before the first step."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from typing import Any

from ansible.module_utils.sopauto_disks.devices import SWAP, disk_bytes, held, swap_is_made
from ansible.module_utils.sopauto_disks.fstab import fstab_line
from ansible.module_utils.sopauto_disks.present import Present
from ansible.module_utils.sopauto_disks.wanted import EXTENT, MIB, NAME, Refused, Volume

SPARE = 256 * MIB
DEVICE = re.compile(r"/dev/[A-Za-z0-9/_:.-]+")


class Obstacles:
    """Holds what is wanted against what is there."""

    def __init__(self, present: Present, disks: list[dict[str, Any]], volumes: list[Volume], swap: int) -> None:
        self.present = present
        self.disks = disks
        self.volumes = volumes
        self.swap = swap

    def refuse(self) -> None:
        """Raise what stands in the way: all of it, before the first step."""
        faults = [fault for volume in self.volumes for fault in volume.faults()]
        mounts = [volume.mount for volume in self.volumes]
        faults += ["%s is wanted twice" % mount for mount in sorted(set(mounts)) if mounts.count(mount) > 1]
        faults = faults or [
            *(fault for disk in self.disks for fault in self.bad_disk(disk)),
            *(fault for volume in self.volumes for fault in self.bad_volume(volume)),
        ]
        faults += [] if faults else [*self.too_small(), *self.bad_swap()]
        if faults:
            raise Refused("; ".join(faults))

    def bad_disk(self, disk: dict[str, Any]) -> Iterator[str]:
        device, group = str(disk.get("device") or ""), str(disk.get("group") or "")
        if not DEVICE.fullmatch(device) or ".." in device or not NAME.fullmatch(group):
            yield "disk %r, group %r: not valid" % (device, group)
            return
        real = os.path.realpath(device)
        if not os.path.exists(real) or not stat.S_ISBLK(os.stat(real).st_mode):
            yield "there is no disk %s" % device
            return
        there = self.present.signatures(real)
        owner = self.present.owners.get(real)
        if real in [source for source, _ in self.present.mounts.values()] or (not there and held(real)):
            yield "%s is in use" % device
        elif there and there != ["LVM2_member"]:
            yield "%s carries %s already and is left alone; empty it yourself, if nobody needs that" % (
                device,
                ", ".join(sorted(set(there))),
            )
        elif there and not shutil.which("lvm"):
            yield "%s belongs to a volume group already; install lvm2, so that it can be seen to which" % device
        elif owner and owner != group:
            yield "%s belongs to the volume group %s, not to %s" % (device, owner, group)

    def bad_volume(self, volume: Volume) -> Iterator[str]:
        key = (volume.group, volume.name)
        device = os.path.realpath(volume.device)
        source = self.present.mounts.get(volume.mount, (device,))[0]
        line = fstab_line(volume.mount)
        if source != device:
            yield "%s is mounted from %s already" % (volume.mount, source)
        if line and os.path.realpath(line[0]) != device:
            yield "/etc/fstab mounts %s at %s already" % (line[0], volume.mount)
        if source == device and volume.mount not in self.present.mounts:
            below = [mount for mount in self.present.mounts if mount.startswith(volume.mount + "/")]
            yield from ("%s is mounted below %s and would vanish" % (mount, volume.mount) for mount in sorted(below))
        if os.path.lexists(volume.mount) and (os.path.islink(volume.mount) or not os.path.isdir(volume.mount)):
            yield "%s is no directory" % volume.mount
        if key in self.present.sizes and not self.present.unused(volume):
            there = self.present.signatures(device)
            if sorted(set(there)) != [volume.kind]:
                yield "volume %s carries %s, not %s" % (volume.title, ", ".join(there) or "no file system", volume.kind)

    def too_small(self) -> Iterator[str]:
        """Return which groups are too small, and count what will be free in each."""
        for group in sorted({str(disk["group"]) for disk in self.disks}):
            new = [os.path.realpath(disk["device"]) for disk in self.disks if disk["group"] == group]
            added = sum(
                (disk_bytes(real) - MIB) // EXTENT * EXTENT for real in new if not self.present.owners.get(real)
            )
            self.present.groups[group] = self.present.groups.get(group, 0) + added
            fixed = [volume for volume in self.volumes if volume.group == group and volume.share is None]
            needed = sum(max(0, volume.bytes - self.present.sizes.get((group, volume.name), 0)) for volume in fixed)
            # What takes a share has to get something.
            shares = [volume for volume in self.volumes if volume.group == group and volume.share is not None]
            needed += EXTENT * sum((group, volume.name) not in self.present.sizes for volume in shares)
            if needed > self.present.groups[group]:
                yield "group %s: %d MB are wanted, %d MB are free" % (
                    group,
                    needed // MIB,
                    self.present.groups[group] // MIB,
                )

    def bad_swap(self) -> Iterator[str]:
        line = fstab_line(SWAP, place=0)
        if not self.swap or swap_is_made(self.swap):
            return
        there = os.statvfs("/")
        free = there.f_bavail * there.f_frsize + (os.path.getsize(SWAP) if os.path.isfile(SWAP) else 0)
        if self.swap + SPARE > free:
            yield "%s of %d MB does not fit: / has %d MB free" % (SWAP, self.swap // MIB, free // MIB)
        if os.path.lexists(SWAP) and not (os.path.isfile(SWAP) and not os.path.islink(SWAP)):
            yield "%s is no file" % SWAP
        if line and line[2] != "swap":
            yield "/etc/fstab uses %s for something else" % SWAP
