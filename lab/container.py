"""A server in a container of systemd-nspawn: this machine's kernel, but files, network and processes of its own.

Systemd is its first program and its SSH answers after a second. Everything of it lives in namespaces: it sees mounts
and cards that nothing else sees, and they are gone with its last process. What it writes is kept in memory and lost
when it ends. What changes a kernel's own state (clock, modules, audit) takes a machine with a kernel of its own.
"""

from __future__ import annotations

import os
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.cable import cable_to_outside
from lab.image import Image
from lab.processes import end, quietly, run, wait_until
from lab.vm import Vm

ROOM: Final = "3G"
"""What it may write."""
START: Final = """\
set -eu
folder=$1 root=$2 name=$3
shift 3
for group; do echo $$ >"$group/cgroup.procs"; done
mkdir -p "$folder/top"
mount -t tmpfs -o "size=$ROOM,mode=755" lab "$folder/top"
mkdir "$folder/top/upper" "$folder/top/work" "$folder/top/root"
mount -t overlay -o "lowerdir=$root,upperdir=$folder/top/upper,workdir=$folder/top/work" lab "$folder/top/root"
rm "$folder/top/root/etc/fstab"
# What nspawn notes there is nobody else's matter, and with a writable /sys it would ask udev about the card.
mkdir -p /run/systemd
mount -t tmpfs -o mode=755 lab /run/systemd
mount -o remount,bind,ro /sys
echo $$ >"$folder/pid.new"
mv "$folder/pid.new" "$folder/pid"
until ip link show eth0 >/dev/null 2>&1; do sleep 0.02; done
exec systemd-nspawn --quiet --boot --directory="$folder/top/root" --machine="$name" --register=no --keep-unit \\
    --private-network --network-interface=eth0 --bind-ro="$folder/seed.tar:/dev/ubdb" --console=pipe \\
    --resolv-conf=off --timezone=off --link-journal=no $FLAGS
"""
NESTING: Final = "--system-call-filter=bpf --system-call-filter=@keyring"
"""What containers inside it need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container(Vm):
    """One container on a user network of qemu's; `forward` is where its SSH answers, `127.0.0.1:2022`. No disks."""

    forward: str

    @property
    def data_disks(self) -> list[str]:
        """It has none."""
        return []

    def power_on(self, image: Image) -> None:
        """Start it on a fresh copy of the image; it takes name, address and keys from its seed."""
        for group in self._groups:
            group.mkdir(exist_ok=True)
        self._pid_file.unlink(missing_ok=True)
        environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "ROOM": ROOM, "FLAGS": NESTING}
        with (self.folder / "console.log").open("ab") as console:
            subprocess.run(
                [*("setsid", "--fork", "unshare", "--mount", "--net", "--propagation", "private"), *self._start(image)],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env=environment,
                check=True,
            )
        run(*cable_to_outside(self.folder, self.forward, f"tap,id=card,ifname={self._id},script=no,downscript=no"))
        wait_until(self._pid_file.exists, seconds=30)
        run("ip", "link", "set", self._id, "netns", self._pid_file.read_text().strip(), "name", "eth0")

    def power_cut(self) -> None:
        """End it as a power failure does; nothing that it had written is left."""
        for group in self._groups:
            if (group / "cgroup.kill").exists():
                (group / "cgroup.kill").write_text("1")
        end(self.folder / "network.pid", self.state)
        for group in self._groups:
            wait_until(lambda group=group: _removed(group), seconds=10)  # type: ignore[misc]

    def down(self) -> None:
        """End it."""
        self.power_cut()

    @property
    def _id(self) -> str:
        """What its cable and its group of processes are called on this machine."""
        return f"lab{zlib.crc32(str(self.folder).encode()):08x}"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "pid"

    @property
    def _groups(self) -> list[Path]:
        """Its group of processes in each hierarchy that systemd uses; two containers must not share one."""
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        return [
            Path(where) / self._id
            for _, where, kind, options, *_ in mounts
            if kind == "cgroup2" or "name=systemd" in options.split(",")
        ]

    def _start(self, image: Image) -> list[str]:
        return ["sh", "-c", START, "container", *map(str, (self.folder, image.root, self.name, *self._groups))]


def _removed(group: Path) -> bool:
    """Remove a group without processes; tell whether it is gone."""
    if group.exists():
        quietly(["find", str(group), "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"])
    return not group.exists()
