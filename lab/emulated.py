"""A virtual machine under qemu, on an emulated processor: Debian's kernel for servers, with firmware and any device."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Final

from lab.image import Image
from lab.processes import alive, end, run, wait_until
from lab.vm import Vm

KERNEL: Final = "root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off apparmor=1 security=apparmor quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulated(Vm):
    """One machine; `netdev` and `card` say how qemu plugs it in, `serial` is what its firmware tells."""

    serial: str
    netdev: str
    card: str

    @property
    def data_disks(self) -> list[str]:
        """Its further disks, as it calls them."""
        return [f"/dev/vd{letter}" for letter in "cdefgh"[: len(self.disks)]]

    def power_on(self, image: Image) -> None:
        """Start it; the first time it takes name, address and keys from its seed disk."""
        disk = self.folder / "disk.qcow2"
        if not disk.exists() and not self.own_disk.exists():
            run("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(image.disk), "-F", "raw", str(disk))
        run(*self._command(image), seconds=120)

    def power_cut(self) -> None:
        """End it as a power failure does: what it had not written is lost."""
        pid = int((self.folder / "qemu.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid), seconds=10)

    def down(self) -> None:
        """End it."""
        end(self.folder / "qemu.pid", self.state)

    def _command(self, image: Image) -> list[str]:
        firmware = f"type=1,manufacturer=sopauto lab,product=Virtual server,serial={self.serial}"
        own = f"file={self.own_disk},format=raw"
        drives = [
            own if self.own_disk.exists() else f"file={self.folder}/disk.qcow2,format=qcow2",
            f"file={self.folder}/seed.tar,format=raw,readonly=on",
            *(f"file={path},format=raw" for path in self._disk_files),
        ]
        return [
            "qemu-system-x86_64",
            # One processor: emulated ones wait for each other, and other machines stand beside this one.
            *("-machine", "q35", "-accel", "tcg,tb-size=256", "-cpu", "max", "-smp", "1"),
            *("-m", str(self.memory)),
            *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", KERNEL),
            *(part for drive in drives for part in ("-drive", f"{drive},if=virtio,cache=unsafe")),
            *("-netdev", self.netdev, "-device", self.card),
            *("-device", "virtio-rng-pci", "-smbios", firmware),
            *("-display", "none", "-serial", f"file:{self.folder}/console.log", "-daemonize"),
            *("-pidfile", f"{self.folder}/qemu.pid", "-qmp", f"unix:{self.folder}/qmp.sock,server=on,wait=off"),
        ]
