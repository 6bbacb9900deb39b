"""A bare Debian server for the roles: one machine that reaches package mirrors, its SSH on loopback."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self

from lab.container import Container
from lab.emulated import Emulated
from lab.image import Image, base_image
from lab.packages import VM, install_missing
from lab.processes import run, wait_until
from lab.sshd import free_port
from lab.usermode import UserMode
from lab.vm import Vm
from sopauto.app import quiet
from sopauto.errors import StepFailed

HOST: Final = "127.0.0.1"
ADDRESS: Final = "10.0.2.15"
GATEWAY: Final = "10.0.2.2"
DNS: Final = "10.0.2.3"
BOOT_SECONDS: Final = 240
OFF_SECONDS: Final = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """One server; its SSH answers at `host`, an address of this machine's loopback. `state` is a directory of its own.

    `emulated`: under qemu, with Debian's kernel for servers and its nftables; `contained`: in a container, on this
    machine's kernel; else by User Mode Linux.
    """

    state: Path
    name: str
    host: str = HOST
    port: int
    memory: int = 512
    disks: Sequence[int] = ()
    prepared: bool = False
    emulated: bool = False
    contained: bool = False

    @classmethod
    def up(
        cls,
        state: Path,
        *,
        name: str = "server-01",
        host: str = HOST,
        port: int = 0,
        memory: int = 512,
        disks: Sequence[int] = (),
        prepared: bool = False,
        contained: bool = False,
        movable: bool = False,
        say: Callable[[str], None] = quiet,
    ) -> Self:
        """Install what is missing, boot a new server, and wait until its SSH answers.

        `port`: 0 is any that is free. `prepared`: the packages of the roles are installed already (minutes under
        emulation), nothing is set up. `movable`: its disk is a whole one, which `emulate` needs.

        Raises: BadInput (not root on Debian), StepFailed (it does not boot).
        """
        install_missing(say, VM)
        image = base_image(say, prepared=prepared)
        state.mkdir(parents=True)
        guest = cls(
            state=state,
            name=name,
            host=host,
            port=port or free_port(host),
            memory=memory,
            disks=tuple(disks),
            prepared=prepared,
            contained=contained,
        )
        guest._keep()
        try:
            guest.vm.create()
            if movable:
                run("cp", "--sparse=always", str(image.disk), str(guest.vm.own_disk))
            guest._boot(image, say)
        except BaseException:
            guest.down()
            raise
        return guest

    @classmethod
    def load(cls, state: Path) -> Self:
        """Return the server of a directory."""
        return cls(state=state, **json.loads((state / "guest.json").read_text()))

    @property
    def user(self) -> str:
        """Its administrator."""
        return "admin"

    @property
    def key_file(self) -> Path:
        """The administrator's private key."""
        return self.vm.key_file

    @property
    def host_key(self) -> str:
        """Its SSH host key, `ssh-ed25519 AAAA…`."""
        return self.vm.host_key

    @property
    def vm(self) -> Vm:
        """The machine itself."""
        network = f"[Match]\nName=eth0\n[Network]\nAddress={ADDRESS}/24\nGateway={GATEWAY}\nDNS={DNS}\n"
        forward = f"{self.host}:{self.port}"
        if self.contained:
            return Container(state=self.state, name=self.name, network=network, forward=forward)
        if not self.emulated:
            return UserMode(
                state=self.state,
                name=self.name,
                network=network,
                memory=self.memory,
                disks=self.disks,
                forward=forward,
            )
        return Emulated(
            state=self.state,
            name=self.name,
            serial="VM-0300",
            network=network,
            netdev=f"user,id=cable,hostfwd=tcp:{forward}-:22",
            card="virtio-net-pci,id=card,netdev=cable,romfile=",
            memory=self.memory,
            disks=self.disks,
        )

    def power_cut(self) -> None:
        """Pull the plug."""
        self.vm.power_cut()

    def power_on(self, *, say: Callable[[str], None] = quiet) -> None:
        """Start it again on its own disks, and wait until its SSH answers."""
        self._boot(base_image(say, prepared=self.prepared), say)

    def emulate(self, *, say: Callable[[str], None] = quiet) -> Guest:
        """Shut it down in good order and start it again under qemu: the same disk, address and keys, another kernel.

        It was made `movable`. Raises: StepFailed (it does not shut down, it does not boot).
        """
        before = self.vm
        assert isinstance(before, UserMode)
        run(*self.ssh("sudo", "systemctl", "poweroff"), check=False)  # the login ends with it
        if not wait_until(lambda: not before.runs(), seconds=OFF_SECONDS, pause=0.5):
            raise StepFailed(f"{self.name} does not shut down", where=str(self.state), mend="see its console.log")
        before.down()
        moved = replace(self, emulated=True)
        moved._keep()
        moved.power_on(say=say)
        return moved

    def down(self) -> None:
        """End it and remove everything of it."""
        self.vm.down()
        shutil.rmtree(self.state, ignore_errors=True)

    def answers(self) -> bool:
        """Tell whether its SSH greets."""
        try:
            with socket.create_connection((self.host, self.port), timeout=2) as line:
                line.settimeout(2)
                return line.recv(8).startswith(b"SSH-")
        except OSError:
            return False

    def known_hosts(self) -> Path:
        """Return a file for SSH clients with its host key."""
        known = self.state / "known_hosts"
        known.write_text(f"[{self.host}]:{self.port} {self.host_key}\n")
        return known

    def ssh(self, *command: str) -> list[str]:
        """Return the command line of OpenSSH that runs a command on it as its administrator."""
        options = {
            "UserKnownHostsFile": str(self.known_hosts()),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "ControlPath": "none",
            "BatchMode": "yes",
        }
        flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        target = f"{self.user}@{self.host}"
        return ["ssh", "-q", "-F", "none", *flags, "-i", str(self.key_file), "-p", str(self.port), target, *command]

    def _keep(self) -> None:
        settings = {**asdict(self), "disks": list(self.disks)}
        del settings["state"]
        (self.state / "guest.json").write_text(json.dumps(settings))

    def _boot(self, image: Image, say: Callable[[str], None]) -> None:
        begun = time.monotonic()
        say(f"  {self.name} boots")
        self.vm.power_on(image)
        if not wait_until(self.answers, seconds=BOOT_SECONDS, pause=0.5):
            raise StepFailed(f"{self.name} does not boot", where=str(self.state), mend="see its console.log")
        say(f"  {self.name} answers on {self.host} port {self.port} after {time.monotonic() - begun:.0f} s")


def main(arguments: Sequence[str]) -> None:
    """Boot (`up`, prints where it is), start under qemu (`emulate`) or remove (`down`) a server, for molecule."""
    parser = ArgumentParser(prog="python -m lab.guest")
    parser.add_argument("action", choices=["up", "emulate", "down"])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--disk", type=int, action="append", default=[], help="size of a data disk in GiB")
    parser.add_argument("--prepared", action="store_true", help="with the packages of the roles already installed")
    parser.add_argument("--movable", action="store_true", help="on a whole disk, to be started under qemu later")
    given = parser.parse_args(arguments)
    if given.action == "down":
        if (given.directory / "guest.json").exists():
            Guest.load(given.directory).down()
        return
    if given.action == "emulate":
        Guest.load(given.directory).emulate()
        return
    guest = Guest.up(given.directory, disks=given.disk, prepared=given.prepared, movable=given.movable)
    told = {"instance": guest.name, "address": guest.host, "port": guest.port, "user": guest.user}
    print(json.dumps({**told, "identity_file": str(guest.key_file)}))


if __name__ == "__main__":
    main(sys.argv[1:])
