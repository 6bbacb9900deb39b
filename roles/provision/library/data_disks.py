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
import json
import os
import re
import shutil
import stat
import struct
import tempfile

from ansible.module_utils.basic import AnsibleModule

TAG = "sopauto.new"
SWAP = "/swapfile"
LOCK = "/run/lock/sopauto-data-disks"
MIB = 2**20
EXTENT = 4 * MIB
SPARE = 256 * MIB
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,60}")
DEVICE = re.compile(r"/dev/[A-Za-z0-9/_:.-]+")
MOUNT = re.compile(r"(/[A-Za-z0-9_.-]+)+")
OPTIONS = re.compile(r"[a-z0-9=,_.-]+")
SIZE = re.compile(r"(\d+)([mgt])")
SHARE = re.compile(r"(\d{1,3})%FREE")
UNITS = {"m": MIB, "g": 2**30, "t": 2**40}
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"]}
FLAGS = {"nodev", "nosuid", "noexec"}


class Refused(Exception):
    """What is wanted cannot be, or a step failed."""


class Volume:
    """One wanted logical volume."""

    def __init__(self, group, given):
        self.group = group
        self.name = str(given.get("name") or "")
        self.size = str(given.get("size") or "").replace("G", "g").replace("M", "m")
        self.mount = os.path.normpath(str(given.get("mount") or ""))
        self.kind = given.get("file_system") or "ext4"
        self.options = given.get("options", "nodev,nosuid") or "defaults"
        self.title = "%s/%s" % (group, self.name)
        self.device = "/dev/mapper/%s-%s" % (group.replace("-", "--"), self.name.replace("-", "--"))

    def faults(self):
        checks = {
            "name": NAME.fullmatch(self.name),
            "size (10g, 512m, 100%FREE)": SIZE.fullmatch(self.size) or SHARE.fullmatch(self.size),
            "mount": MOUNT.fullmatch(self.mount) and ".." not in self.mount,
            "file_system (ext4, xfs)": self.kind in MAKE,
            "options": OPTIONS.fullmatch(self.options),
        }
        return ["volume %s: %s is not valid" % (self.title, what) for what, well in checks.items() if not well]

    @property
    def share(self):
        """Its per cent of what is free; None when its size is fixed."""
        found = SHARE.fullmatch(self.size)
        return int(found.group(1)) if found else None

    @property
    def bytes(self):
        """Its fixed size, in whole extents."""
        number, unit = SIZE.fullmatch(self.size).groups()
        return -(-int(number) * UNITS[unit] // EXTENT) * EXTENT

    @property
    def line(self):
        """Its line in C(/etc/fstab)."""
        return "%s %s %s %s 0 %d" % (self.device, self.mount, self.kind, self.options, 2 if self.kind == "ext4" else 0)


class Disks:
    """The disks of this server as they are, and the steps that make them what they are to be."""

    def __init__(self, module):
        self.module = module
        self.disks = module.params["disks"]
        self.swap = module.params["swap_mb"] * MIB
        self.volumes = [Volume(str(d.get("group") or ""), v) for d in self.disks for v in d.get("volumes") or []]
        # Parents before what is mounted below them; what takes the rest comes last.
        self.volumes.sort(key=lambda volume: (volume.share is not None, volume.mount.count("/"), volume.mount))
        self.steps = []
        self.done = 0

    # Running

    def ask(self, *command):
        """Return exit code and output of a command that changes nothing."""
        code, out, err = self.module.run_command(list(command), environ_update={"LC_ALL": "C"})
        return code, out if code == 0 else (err or out)

    def run(self, *command):
        code, words = self.ask(*command)
        if code:
            last = " | ".join(words.strip().splitlines()[-3:])
            raise Refused("`%s` says: %s" % (" ".join(command), last or "exit %d" % code))

    def step(self, words, do):
        """Tell a step, and do it unless this is check mode. The words of a step are the same in every run."""
        self.steps.append(words)
        if not self.module.check_mode:
            do()
            self.done += 1

    # Looking

    def report(self, program, *fields):
        """Return the rows of one of LVM's reports; none when LVM is still to be installed."""
        if not shutil.which("lvm"):
            return []
        command = [program, "--reportformat", "json", "--units", "b", "--nosuffix", "-o", ",".join(fields)]
        code, out = self.ask(*command)
        if code:
            raise Refused("`%s` says: %s" % (program, out.strip()))
        return json.loads(out)["report"][0][program[:-1]]

    def look(self):
        self.groups = {row["vg_name"]: int(row["vg_free"]) for row in self.report("vgs", "vg_name", "vg_free")}
        owners = self.report("pvs", "pv_name", "vg_name")
        self.owners = {os.path.realpath(row["pv_name"]): row["vg_name"] for row in owners}
        rows = self.report("lvs", "vg_name", "lv_name", "lv_size", "lv_tags")
        self.sizes = {(row["vg_name"], row["lv_name"]): int(row["lv_size"]) for row in rows}
        self.fresh = {(row["vg_name"], row["lv_name"]) for row in rows if TAG in row["lv_tags"].split(",")}
        with open("/proc/self/mounts") as mounts:
            fields = [line.split() for line in mounts]
        self.mounts = {each[1]: (os.path.realpath(each[0]), set(each[3].split(","))) for each in fields}

    def signatures(self, device):
        code, out = self.ask("wipefs", "--no-act", "--noheadings", "--output", "TYPE", device)
        if code:
            raise Refused("%s cannot be read: %s" % (device, out.strip()))
        return out.split()

    # Refusing

    def refuse(self):
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

    def bad_disk(self, disk):
        device, group = str(disk.get("device") or ""), str(disk.get("group") or "")
        if not DEVICE.fullmatch(device) or ".." in device or not NAME.fullmatch(group):
            yield "disk %r, group %r: not valid" % (device, group)
            return
        real = os.path.realpath(device)
        if not os.path.exists(real) or not stat.S_ISBLK(os.stat(real).st_mode):
            yield "there is no disk %s" % device
            return
        there = self.signatures(real)
        owner = self.owners.get(real)
        if real in [source for source, _ in self.mounts.values()] or (not there and self.held(real)):
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

    @staticmethod
    def held(device):
        """Tell whether partitions or other devices stand on a disk."""
        folder = "/sys/class/block/" + os.path.basename(device)
        parts = [name for name in os.listdir(folder) if os.path.exists(os.path.join(folder, name, "partition"))]
        return bool(parts or os.listdir(folder + "/holders"))

    def bad_volume(self, volume):
        key = (volume.group, volume.name)
        device = os.path.realpath(volume.device)
        source = self.mounts.get(volume.mount, (device,))[0]
        line = fstab_line(volume.mount)
        if source != device:
            yield "%s is mounted from %s already" % (volume.mount, source)
        if line and os.path.realpath(line[0]) != device:
            yield "/etc/fstab mounts %s at %s already" % (line[0], volume.mount)
        if source == device and volume.mount not in self.mounts:
            below = [mount for mount in self.mounts if mount.startswith(volume.mount + "/")]
            yield from ("%s is mounted below %s and would vanish" % (mount, volume.mount) for mount in sorted(below))
        if os.path.lexists(volume.mount) and (os.path.islink(volume.mount) or not os.path.isdir(volume.mount)):
            yield "%s is no directory" % volume.mount
        if key in self.sizes and not self.unused(volume):
            there = self.signatures(device)
            if sorted(set(there)) != [volume.kind]:
                yield "volume %s carries %s, not %s" % (volume.title, ", ".join(there) or "no file system", volume.kind)

    def unused(self, volume):
        """Tell whether a volume is ours and nobody has ever used it."""
        mounted = os.path.realpath(volume.device) in [source for source, _ in self.mounts.values()]
        return (volume.group, volume.name) in self.fresh and not fstab_line(volume.mount) and not mounted

    def too_small(self):
        """Return which groups are too small, and count what will be free in each."""
        for group in sorted({str(disk["group"]) for disk in self.disks}):
            new = [os.path.realpath(disk["device"]) for disk in self.disks if disk["group"] == group]
            added = sum((disk_bytes(real) - MIB) // EXTENT * EXTENT for real in new if not self.owners.get(real))
            self.groups[group] = self.groups.get(group, 0) + added
            fixed = [volume for volume in self.volumes if volume.group == group and volume.share is None]
            needed = sum(max(0, volume.bytes - self.sizes.get((group, volume.name), 0)) for volume in fixed)
            # What takes a share has to get something.
            shares = [volume for volume in self.volumes if volume.group == group and volume.share is not None]
            needed += EXTENT * sum((group, volume.name) not in self.sizes for volume in shares)
            if needed > self.groups[group]:
                yield "group %s: %d MB are wanted, %d MB are free" % (group, needed // MIB, self.groups[group] // MIB)

    def bad_swap(self):
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

    # Doing

    def make(self):
        for disk in self.disks:
            self.make_group(disk["device"], os.path.realpath(disk["device"]), disk["group"])
        for volume in self.volumes:
            self.make_volume(volume)
        if self.swap:
            self.make_swap()

    def make_group(self, device, real, group):
        if real not in self.owners:
            self.step("%s: make it a physical volume" % device, lambda: self.run("pvcreate", "--yes", real))
        if not self.owners.get(real):
            exists = any(owner == group for owner in self.owners.values())
            program = "vgextend" if exists else "vgcreate"
            self.step("%s: into the volume group %s" % (device, group), lambda: self.run(program, group, real))
            self.owners[real] = group

    def make_volume(self, volume):
        key = (volume.group, volume.name)
        if key not in self.sizes:
            self.step("volume %s: make it, %s" % (volume.title, volume.size), lambda: self.create(volume))
            self.groups[volume.group] -= volume.bytes if volume.share is None else self.share(volume)
            self.file_system(volume)
        elif self.unused(volume):
            self.file_system(volume)
        self.mount(volume)
        if key in self.sizes:
            self.grow(volume, self.sizes[key])

    def share(self, volume):
        return self.groups[volume.group] * volume.share // 100

    def create(self, volume):
        size = ["--extents", volume.size] if volume.share is not None else ["--size", "%db" % volume.bytes]
        self.run(
            *("lvcreate", "--yes", "--wipesignatures", "y", "--zero", "y", "--addtag", TAG),
            *(*size, "--name", volume.name, volume.group),
        )
        self.fresh.add((volume.group, volume.name))

    def file_system(self, volume):
        def make():
            self.run(*MAKE[volume.kind], volume.device)
            self.copy_in(volume)

        words = "volume %s: make an %s file system, with what is in %s"
        self.step(words % (volume.title, volume.kind, volume.mount), make)

    def copy_in(self, volume):
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

    def mount(self, volume):
        if fstab_line(volume.mount) != volume.line.split():
            self.step("/etc/fstab: %s" % volume.line, lambda: self.write_line(volume.line, volume.mount, 1))
        active = self.mounts.get(volume.mount)
        wanted = set(volume.options.split(","))
        if active is None:
            self.step("%s: mount it" % volume.mount, lambda: self.mount_now(volume.mount))
        elif active[1] & FLAGS != wanted & FLAGS:
            self.step(
                "%s: mount it with %s" % (volume.mount, volume.options),
                lambda: self.run("mount", "-o", "remount," + plain(wanted), volume.mount),
            )
        if (volume.group, volume.name) in self.fresh and not self.module.check_mode:
            self.run("lvchange", "--deltag", TAG, volume.title)

    def mount_now(self, mount):
        os.makedirs(mount, exist_ok=True)
        self.run("mount", mount)

    def write_line(self, line, key, place):
        write_fstab(line, key, place)
        self.run("systemctl", "daemon-reload")

    def grow(self, volume, size):
        free = self.groups[volume.group]
        more = volume.bytes - size if volume.share is None else free if volume.share == 100 else 0
        if more > 0:
            amount = ["--extents", "+100%FREE"] if volume.share else ["--size", "%db" % volume.bytes]
            words = "volume %s: grow to %s" % (volume.title, volume.size)
            self.step(words, lambda: self.run("lvextend", *amount, volume.title))
            self.groups[volume.group] -= more
        if more > 0 or file_system_bytes(volume.device) < size - 2 * EXTENT:
            resize = ["resize2fs", volume.device] if volume.kind == "ext4" else ["xfs_growfs", volume.mount]
            self.step("volume %s: grow its file system" % volume.title, lambda: self.run(*resize))

    def make_swap(self):
        if not swap_is_made(self.swap):
            self.step("%s: make it, %d MB" % (SWAP, self.swap // MIB), self.create_swap)
        if not swap_is_active() or not swap_is_made(self.swap):
            self.step("%s: swap on it" % SWAP, lambda: self.run("swapon", SWAP))
        line = "%s none swap sw 0 0" % SWAP
        if fstab_line(SWAP, place=0) != line.split():
            self.step("/etc/fstab: %s" % line, lambda: self.write_line(line, SWAP, 0))

    def create_swap(self):
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


def plain(options):
    """Return options for a remount; one that is no longer wanted has to be said the other way round."""
    return ",".join(sorted(options - {"defaults"}) + sorted(flag[2:] for flag in FLAGS - options))


def disk_bytes(device):
    with open("/sys/class/block/%s/size" % os.path.basename(device)) as size:
        return int(size.read()) * 512


def file_system_bytes(device):
    """Return the size that the file system itself states."""
    with open(device, "rb") as there:
        head = there.read(4096)
    if head[:4] == b"XFSB":
        block, blocks = struct.unpack(">IQ", head[4:16])
        return block * blocks
    (low,) = struct.unpack_from("<I", head, 1024 + 4)
    (shift,) = struct.unpack_from("<I", head, 1024 + 24)
    (high,) = struct.unpack_from("<I", head, 1024 + 0x150)
    return (low + (high << 32)) * (1024 << shift)


def fstab():
    try:
        with open("/etc/fstab") as there:
            return there.read().splitlines()
    except FileNotFoundError:
        return []


def stands_for(line, key, place):
    fields = line.split()
    return len(fields) > place and not fields[0].startswith("#") and fields[place].rstrip("/") == key


def fstab_line(key, place=1):
    """Return the fields of the line of a mount point (or a source); None when there is none."""
    found = [line.split() for line in fstab() if stands_for(line, key, place)]
    return found[-1] if found else None


def write_fstab(line, key, place):
    """Write a line in the place of the old one, or at the end; in one step."""
    old = fstab()
    lines = [each for each in old if not stands_for(each, key, place)]
    at = next((i for i, each in enumerate(old) if stands_for(each, key, place)), len(lines))
    lines.insert(at, line)
    handle, beside = tempfile.mkstemp(dir="/etc", prefix=".fstab-")
    with os.fdopen(handle, "w") as new:
        new.write("\n".join(lines) + "\n")
        new.flush()
        os.fchmod(new.fileno(), 0o644)
        os.fsync(new.fileno())
    os.replace(beside, "/etc/fstab")
    # What the line speaks of is on the disk before anything counts on it.
    os.sync()


def swap_is_made(size):
    try:
        with open(SWAP, "rb") as there:
            status = os.fstat(there.fileno())
            head = there.read(4096)
    except OSError:
        return False
    return status.st_size == size and status.st_mode & 0o777 == 0o600 and head[-10:] == b"SWAPSPACE2"


def swap_is_active():
    with open("/proc/swaps") as swaps:
        return any(line.split()[0] == SWAP for line in swaps)


def main():
    options = {
        "disks": {"type": "list", "elements": "dict", "default": []},
        "swap_mb": {"type": "int", "default": 0},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    disks = Disks(module)
    try:
        if module.check_mode:
            disks.look()
            disks.refuse()
            disks.make()
        else:
            # A run that was killed over there may still be at work here: wait for its end.
            with open(LOCK, "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                disks.look()
                disks.refuse()
                disks.make()
    except (Refused, OSError) as error:
        module.fail_json(msg=str(error), changed=disks.done > 0, steps=disks.steps)
    diff = [{"prepared": step + "\n"} for step in disks.steps]
    module.exit_json(changed=bool(disks.steps), diff=diff, steps=disks.steps)


if __name__ == "__main__":
    main()
