"""A virtual machine on a port of the switch: a custody server with a serial number, a cable and an administrator."""

from __future__ import annotations

import io
import json
import socket
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lab.image import Image
from lab.processes import end, quietly, run

OFFLOADS: Final = (
    *("csum", "gso", "guest_csum", "guest_tso4", "guest_tso6", "guest_ufo"),
    *("host_tso4", "host_tso6", "host_ufo"),
)
"""All off: the switch works in user space."""
KERNEL: Final = "root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine; `number` counts from 0."""

    state: Path
    number: int
    gateway: str
    address: str

    @property
    def name(self) -> str:
        """Its host name."""
        return f"simpus-{self.number + 1:02}"

    @property
    def port(self) -> str:
        """Its port on the switch."""
        return f"sop-tap{self.number}"

    @property
    def mac(self) -> str:
        """The MAC address of its network card."""
        return f"52:54:00:30:00:{self.number + 16:02x}"

    @property
    def serial(self) -> str:
        """The serial number that its firmware tells."""
        return f"VM-{271 + self.number:04}"

    @property
    def user(self) -> str:
        """Its administrator."""
        return "admin"

    @property
    def key_file(self) -> Path:
        """The administrator's private key."""
        return self._folder / "login"

    @property
    def host_key(self) -> str:
        """Its SSH host key, `ssh-ed25519 AAAA…`."""
        return " ".join((self._folder / "ssh_host_ed25519_key.pub").read_text().split()[:2])

    @property
    def _folder(self) -> Path:
        return self.state / self.name

    def wire(self) -> None:
        """Make its cable: a tap device that the switch takes as a port."""
        run("ip", "tuntap", "add", self.port, "mode", "tap")
        run("ip", "link", "set", self.port, "up")

    def boot(self, image: Image) -> None:
        """Start it on an overlay of the base image; it takes name, address and keys from a seed disk."""
        self._folder.mkdir()
        for name in ("ssh_host_ed25519_key", "login"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self._folder / name))
        (self._folder / "seed.tar").write_bytes(self._seed())
        disk = self._folder / "disk.qcow2"
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(image.disk), "-F", "qcow2", str(disk))
        run(*self._command(image, disk), seconds=120)

    def _command(self, image: Image, disk: Path) -> list[str]:
        card = f"virtio-net-pci,id=card,netdev=cable,mac={self.mac},romfile=," + ",".join(
            f"{name}=off" for name in OFFLOADS
        )
        firmware = f"type=1,manufacturer=sopauto lab,product=Virtual server,serial={self.serial}"
        return [
            "qemu-system-x86_64",
            *("-machine", "q35", "-accel", "tcg,tb-size=256,thread=multi", "-cpu", "max", "-smp", "2", "-m", "512"),
            *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", KERNEL),
            *("-drive", f"file={disk},if=virtio,cache=unsafe"),
            *("-drive", f"file={self._folder}/seed.tar,if=virtio,format=raw,readonly=on"),
            *("-netdev", f"tap,id=cable,ifname={self.port},script=no,downscript=no", "-device", card),
            *("-device", "virtio-rng-pci", "-smbios", firmware),
            *("-display", "none", "-serial", f"file:{self._folder}/console.log", "-daemonize"),
            *("-pidfile", f"{self._folder}/qemu.pid", "-qmp", f"unix:{self._folder}/qmp.sock,server=on,wait=off"),
        ]

    def _seed(self) -> bytes:
        network = (
            f"[Match]\nName=eth0\n[Network]\nAddress={self.address}/24\nGateway={self.gateway}\nDNS={self.gateway}\n"
        )
        files = {
            "hostname": f"{self.name}\n".encode(),
            "address.network": network.encode(),
            "authorized_keys": (self._folder / "login.pub").read_bytes(),
            "ssh_host_ed25519_key": (self._folder / "ssh_host_ed25519_key").read_bytes(),
            "ssh_host_ed25519_key.pub": (self._folder / "ssh_host_ed25519_key.pub").read_bytes(),
        }
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return packed.getvalue()

    def unplug(self) -> None:
        """Pull its cable."""
        self._monitor("set_link", {"name": "card", "up": False})

    def plug_in(self) -> None:
        """Push its cable in."""
        self._monitor("set_link", {"name": "card", "up": True})

    def _monitor(self, command: str, arguments: dict[str, Any]) -> None:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(20)
            line.connect(f"{self._folder}/qmp.sock")
            reader = line.makefile("r")
            reader.readline()  # the greeting
            for message in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                line.sendall(json.dumps(message).encode() + b"\n")
                while "return" not in json.loads(reader.readline() or '{"return": null}'):
                    pass

    def down(self) -> None:
        """End it and take its cable away."""
        end(self._folder / "qemu.pid", self.state)
        quietly(["ip", "link", "del", self.port])
