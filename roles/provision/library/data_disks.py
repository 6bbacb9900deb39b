#!/usr/bin/python
"""Data disks with LVM, and a swap file: made step by step, each of which is found done or done anew."""

from __future__ import annotations

DOCUMENTATION = r"""
module: data_disks
short_description: Data disks with LVM and a swap file
description:
  - Makes physical volumes, groups, logical volumes, file systems, lines of C(/etc/fstab) and mounts.
  - Everything is looked at before the first step. A device that carries something else is refused; a volume is never
    made smaller, and a file system that anybody used is never made anew. Volumes grow.
  - What lies below a mount point is copied into the new file system before it is mounted there for the first time.
  - A volume carries the LVM tag C(sopauto.new) until its line in C(/etc/fstab) is written. A run that was cut off
    before that makes its file system and the copy anew.
options:
  disks:
    description:
      - Each with C(device), C(group) and C(volumes).
      - A volume has C(name), C(size), C(mount), C(file_system), C(options).
    type: list
    elements: dict
    default: []
  swap_mb:
    description: Size of C(/swapfile) in MB; 0 leaves swap alone.
    type: int
    default: 0
author:
  - sopauto
"""
EXAMPLES = r"""
- name: Homes on a disk of their own
  data_disks:
    disks:
      - device: /dev/vdb
        group: data
        volumes:
          - {name: home, size: 10g, mount: /home, options: "nodev,nosuid"}
          - {name: srv, size: 100%FREE, mount: /srv, file_system: xfs}
    swap_mb: 1024
"""
RETURN = r"""
steps:
  description: What was done, or would be done in check mode.
  returned: always
  type: list
"""

import fcntl
import os
import tempfile
from collections.abc import Callable

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.sopauto_disks.devices import SWAP, file_system_bytes, swap_is_active, swap_is_made
from ansible.module_utils.sopauto_disks.fstab import fstab_line, write_fstab
from ansible.module_utils.sopauto_disks.present import TAG, Present
from ansible.module_utils.sopauto_disks.refusing import Obstacles
from ansible.module_utils.sopauto_disks.wanted import EXTENT, MAKE, MIB, Refused, Volume

LOCK = "/run/lock/sopauto-data-disks"
FLAGS = {"nodev", "nosuid", "noexec"}


class Disks:
    """The steps that make the disks of this server what they are to be."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.disks = module.params["disks"]
        self.swap = module.params["swap_mb"] * MIB
        self.volumes = [Volume(str(d.get("group") or ""), v) for d in self.disks for v in d.get("volumes") or []]
        # Parents before what is mounted below them; what takes the rest comes last.
        self.volumes.sort(key=lambda volume: (volume.share is not None, volume.mount.count("/"), volume.mount))
        self.present = Present(module)
        self.steps: list[str] = []
        self.done = 0

    def run(self, *command: str) -> None:
        code, words = self.present.ask(*command)
        if code:
            last = " | ".join(words.strip().splitlines()[-3:])
            raise Refused("`%s` says: %s" % (" ".join(command), last or "exit %d" % code))

    def step(self, words: str, do: Callable[[], object]) -> None:
        """Tell a step, and do it unless this is check mode. The words of a step are the same in every run."""
        self.steps.append(words)
        if not self.module.check_mode:
            do()
            self.done += 1

    def look(self) -> None:
        """Look at everything, and refuse what cannot be, before the first step."""
        self.present.look()
        Obstacles(self.present, self.disks, self.volumes, self.swap).refuse()

    def make(self) -> None:
        for disk in self.disks:
            self.make_group(disk["device"], os.path.realpath(disk["device"]), disk["group"])
        for volume in self.volumes:
            self.make_volume(volume)
        if self.swap:
            self.make_swap()

    def make_group(self, device: str, real: str, group: str) -> None:
        if real not in self.present.owners:
            self.step("%s: make it a physical volume" % device, lambda: self.run("pvcreate", "--yes", real))
        if not self.present.owners.get(real):
            exists = any(owner == group for owner in self.present.owners.values())
            program = "vgextend" if exists else "vgcreate"
            self.step("%s: into the volume group %s" % (device, group), lambda: self.run(program, group, real))
            self.present.owners[real] = group

    def make_volume(self, volume: Volume) -> None:
        key = (volume.group, volume.name)
        if key not in self.present.sizes:
            self.step("volume %s: make it, %s" % (volume.title, volume.size), lambda: self.create(volume))
            self.present.groups[volume.group] -= self.taken(volume)
            self.file_system(volume)
        elif self.present.unused(volume):
            self.file_system(volume)
        self.mount(volume)
        if key in self.present.sizes:
            self.grow(volume, self.present.sizes[key])

    def taken(self, volume: Volume) -> int:
        """Return how many bytes of its group a new volume takes."""
        return volume.bytes if volume.share is None else self.present.groups[volume.group] * volume.share // 100

    def create(self, volume: Volume) -> None:
        size = ["--extents", volume.size] if volume.share is not None else ["--size", "%db" % volume.bytes]
        self.run(
            *("lvcreate", "--yes", "--wipesignatures", "y", "--zero", "y", "--addtag", TAG),
            *(*size, "--name", volume.name, volume.group),
        )
        self.present.fresh.add((volume.group, volume.name))

    def file_system(self, volume: Volume) -> None:
        def make() -> None:
            self.run(*MAKE[volume.kind], volume.device)
            self.copy_in(volume)

        words = "volume %s: make an %s file system, with what is in %s"
        self.step(words % (volume.title, volume.kind, volume.mount), make)

    def copy_in(self, volume: Volume) -> None:
        """Copy what lies below the mount point, with owners and modes, onto the disk."""
        if not os.path.isdir(volume.mount):
            return
        beside = tempfile.mkdtemp(prefix="sopauto-", dir="/run")
        try:
            self.run("mount", volume.device, beside)
            try:
                self.run("cp", "--archive", "--one-file-system", volume.mount + "/.", beside)
            finally:
                self.run("umount", beside)
        finally:
            os.rmdir(beside)

    def mount(self, volume: Volume) -> None:
        if fstab_line(volume.mount) != volume.line.split():
            self.step("/etc/fstab: %s" % volume.line, lambda: self.write_line(volume.line, volume.mount, 1))
        active = self.present.mounts.get(volume.mount)
        wanted = set(volume.options.split(","))
        if active is None:
            self.step("%s: mount it" % volume.mount, lambda: self.mount_now(volume.mount))
        elif active[1] & FLAGS != wanted & FLAGS:
            self.step(
                "%s: mount it with %s" % (volume.mount, volume.options),
                lambda: self.run("mount", "-o", "remount," + plain(wanted), volume.mount),
            )
        if (volume.group, volume.name) in self.present.fresh and not self.module.check_mode:
            self.run("lvchange", "--deltag", TAG, volume.title)

    def mount_now(self, mount: str) -> None:
        os.makedirs(mount, exist_ok=True)
        self.run("mount", mount)

    def write_line(self, line: str, key: str, place: int) -> None:
        write_fstab(line, key, place)
        self.run("systemctl", "daemon-reload")

    def grow(self, volume: Volume, size: int) -> None:
        free = self.present.groups[volume.group]
        more = volume.bytes - size if volume.share is None else free if volume.share == 100 else 0
        if more > 0:
            amount = ["--extents", "+100%FREE"] if volume.share else ["--size", "%db" % volume.bytes]
            words = "volume %s: grow to %s" % (volume.title, volume.size)
            self.step(words, lambda: self.run("lvextend", *amount, volume.title))
            self.present.groups[volume.group] -= more
        if more > 0 or file_system_bytes(volume.device) < size - 2 * EXTENT:
            resize = ["resize2fs", volume.device] if volume.kind == "ext4" else ["xfs_growfs", volume.mount]
            self.step("volume %s: grow its file system" % volume.title, lambda: self.run(*resize))

    def make_swap(self) -> None:
        if not swap_is_made(self.swap):
            self.step("%s: make it, %d MB" % (SWAP, self.swap // MIB), self.create_swap)
        if not swap_is_active() or not swap_is_made(self.swap):
            self.step("%s: swap on it" % SWAP, lambda: self.run("swapon", SWAP))
        line = "%s none swap sw 0 0" % SWAP
        if fstab_line(SWAP, place=0) != line.split():
            self.step("/etc/fstab: %s" % line, lambda: self.write_line(line, SWAP, 0))

    def create_swap(self) -> None:
        if swap_is_active():
            self.run("swapoff", SWAP)
        if os.path.exists(SWAP):
            os.unlink(SWAP)
        beside = SWAP + ".new"
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.fchmod(handle, 0o600)
            os.posix_fallocate(handle, 0, self.swap)
            self.run("mkswap", beside)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(beside, SWAP)


def plain(options: set[str]) -> str:
    """Return options for a remount; one that is no longer wanted has to be said the other way round."""
    return ",".join(sorted(options - {"defaults"}) + sorted(flag[2:] for flag in FLAGS - options))


def main() -> None:
    options = {
        "disks": {"type": "list", "elements": "dict", "default": []},
        "swap_mb": {"type": "int", "default": 0},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    disks = Disks(module)
    try:
        if module.check_mode:
            disks.look()
            disks.make()
        else:
            # A run that was killed over there may still be at work here: wait for its end.
            with open(LOCK, "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                disks.look()
                disks.make()
    except (Refused, OSError) as error:
        module.fail_json(msg=str(error), changed=disks.done > 0, steps=disks.steps)
    diff = [{"prepared": step + "\n"} for step in disks.steps]
    module.exit_json(changed=bool(disks.steps), diff=diff, steps=disks.steps)


if __name__ == "__main__":
    main()
