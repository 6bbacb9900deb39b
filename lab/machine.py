"""A virtual machine on a port of the switch: a custody server with a serial number, a cable and an administrator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.emulated import Emulated
from lab.image import Image
from lab.processes import quietly, run

OFFLOADS: Final = (
    *("csum", "gso", "guest_csum", "guest_tso4", "guest_tso6", "guest_ufo"),
    *("host_tso4", "host_tso6", "host_ufo"),
)
"""All off: the switch works in user space."""


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
        return self._vm.key_file

    @property
    def host_key(self) -> str:
        """Its SSH host key, `ssh-ed25519 AAAA…`."""
        return self._vm.host_key

    @property
    def _vm(self) -> Emulated:
        offloads = ",".join(f"{name}=off" for name in OFFLOADS)
        return Emulated(
            state=self.state,
            name=self.name,
            serial=self.serial,
            network=(
                f"[Match]\nName=eth0\n[Network]\n"
                f"Address={self.address}/24\nGateway={self.gateway}\nDNS={self.gateway}\n"
            ),
            netdev=f"tap,id=cable,ifname={self.port},script=no,downscript=no",
            card=f"virtio-net-pci,id=card,netdev=cable,mac={self.mac},romfile=,{offloads}",
        )

    def wire(self) -> None:
        """Make its cable: a tap device that the switch takes as a port."""
        run("ip", "tuntap", "add", self.port, "mode", "tap")
        run("ip", "link", "set", self.port, "up")

    def boot(self, image: Image) -> None:
        """Start it for the first time."""
        self._vm.create()
        self._vm.power_on(image)

    def unplug(self) -> None:
        """Pull its cable."""
        self._vm.set_link(up=False)

    def plug_in(self) -> None:
        """Push its cable in."""
        self._vm.set_link(up=True)

    def down(self) -> None:
        """End it and take its cable away."""
        self._vm.down()
        quietly(["ip", "link", "del", self.port])
