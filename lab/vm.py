"""A virtual machine under qemu: an overlay of the base image, a seed disk, a monitor, and the power switch."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lab.image import Image
from lab.processes import alive, end, run, wait_until

KERNEL: Final = "root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off apparmor=1 security=apparmor quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vm:
    """One virtual machine; everything of it lies in `folder`, below the directory `state` of its lab.

    `network` is its systemd-networkd file, `netdev` and `card` how qemu plugs it in. `disks` are the sizes of further
    disks in GiB (`/dev/vdc`, …), `memory` is in MiB.
    """

    state: Path
    name: str
    serial: str
    network: str
    netdev: str
    card: str
    memory: int = 512
    disks: Sequence[int] = ()

    @property
    def folder(self) -> Path:
        """Where its disks, keys and sockets are."""
        return self.state / self.name

    @property
    def key_file(self) -> Path:
        """The private key of its administrator `admin`."""
        return self.folder / "login"

    @property
    def host_key(self) -> str:
        """Its SSH host key, `ssh-ed25519 AAAA…`."""
        return " ".join((self.folder / "ssh_host_ed25519_key.pub").read_text().split()[:2])

    def create(self, image: Image) -> None:
        """Make its disks on the base image, and its keys."""
        self.folder.mkdir()
        for name in ("ssh_host_ed25519_key", "login"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.folder / name))
        (self.folder / "seed.tar").write_bytes(self._seed())
        overlay = ["-b", str(image.disk), "-F", "qcow2", str(self.folder / "disk.qcow2")]
        run("qemu-img", "create", "-q", "-f", "qcow2", *overlay)
        for number, size in enumerate(self.disks):
            run("qemu-img", "create", "-q", "-f", "qcow2", str(self.folder / f"data{number}.qcow2"), f"{size}G")

    def power_on(self, image: Image) -> None:
        """Start it; it takes name, address and keys from its seed disk."""
        run(*self._command(image), seconds=120)

    def power_cut(self) -> None:
        """End it as a power failure does: what it had not written is lost."""
        pid = int((self.folder / "qemu.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid), seconds=10)

    def down(self) -> None:
        """End it."""
        end(self.folder / "qemu.pid", self.state)

    def set_link(self, *, up: bool) -> None:
        """Push the network cable in, or pull it."""
        self._monitor("set_link", {"name": "card", "up": up})

    def _command(self, image: Image) -> list[str]:
        firmware = f"type=1,manufacturer=sopauto lab,product=Virtual server,serial={self.serial}"
        disks = [self.folder / "disk.qcow2", *(self.folder / f"data{i}.qcow2" for i in range(len(self.disks)))]
        drives = [("-drive", f"file={disk},if=virtio,cache=unsafe") for disk in disks]
        seed = ("-drive", f"file={self.folder}/seed.tar,if=virtio,format=raw,readonly=on")
        return [
            "qemu-system-x86_64",
            # One processor: emulated ones wait for each other, and other machines stand beside this one.
            *("-machine", "q35", "-accel", "tcg,tb-size=256", "-cpu", "max", "-smp", "1"),
            *("-m", str(self.memory)),
            *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", KERNEL),
            *(part for drive in (drives[0], seed, *drives[1:]) for part in drive),
            *("-netdev", self.netdev, "-device", self.card),
            *("-device", "virtio-rng-pci", "-smbios", firmware),
            *("-display", "none", "-serial", f"file:{self.folder}/console.log", "-daemonize"),
            *("-pidfile", f"{self.folder}/qemu.pid", "-qmp", f"unix:{self.folder}/qmp.sock,server=on,wait=off"),
        ]

    def _seed(self) -> bytes:
        files = {
            "hostname": f"{self.name}\n".encode(),
            "address.network": self.network.encode(),
            "authorized_keys": (self.folder / "login.pub").read_bytes(),
            "ssh_host_ed25519_key": (self.folder / "ssh_host_ed25519_key").read_bytes(),
            "ssh_host_ed25519_key.pub": (self.folder / "ssh_host_ed25519_key.pub").read_bytes(),
        }
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return packed.getvalue()

    def _monitor(self, command: str, arguments: dict[str, Any]) -> None:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(20)
            line.connect(f"{self.folder}/qmp.sock")
            reader = line.makefile("r")
            reader.readline()  # the greeting
            for message in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                line.sendall(json.dumps(message).encode() + b"\n")
                while "return" not in json.loads(reader.readline() or '{"return": null}'):
                    pass
