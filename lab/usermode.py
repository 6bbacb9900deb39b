"""A virtual machine by User Mode Linux: Debian's kernel as a process, some ten times as fast as an emulated processor.

Its kernel is Debian's own (package user-mode-linux), with AppArmor, audit and namespaces, but without nftables' tables
for IPv4 and IPv6, and it has no firmware. What needs those takes an emulated machine (lab/emulated.py).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.cable import cable_to_outside
from lab.image import Image, cache_directory
from lab.processes import alive, end, run, wait_until
from lab.vm import Vm

PROGRAM: Final = "/usr/bin/linux.uml"
SOURCE: Final = Path(__file__).with_name("usermode.c")
MAC: Final = "52:54:00:55:4d:4c"
LETTERS: Final = "cdefgh"
"""Of its disks, after the root and the seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMode(Vm):
    """One machine on a user network of qemu's; `forward` is where its SSH answers, `127.0.0.1:2022`."""

    forward: str

    @property
    def data_disks(self) -> list[str]:
        """Its further disks, as it calls them."""
        return [f"/dev/ubd{letter}" for letter in LETTERS[: len(self.disks)]]

    def power_on(self, image: Image) -> None:
        """Start it; it takes name, address and keys from its seed disk."""
        inside, outside = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with inside, outside:
            card = f"dgram,id=card,local.type=fd,local.str={outside.fileno()}"
            run(*cable_to_outside(self.folder, self.forward, card), keep=(outside.fileno(),))
            environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder), "LD_PRELOAD": str(_preload())}
            with (self.folder / "console.log").open("ab") as console:
                subprocess.run(
                    ["setsid", "--fork", PROGRAM, *self._arguments(image, inside.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    pass_fds=[inside.fileno()],
                    check=True,
                )
        wait_until(self._pid_file.exists, seconds=10)

    def power_cut(self) -> None:
        """End it as a power failure does: what it had not written is lost."""
        pid = int(self._pid_file.read_text())
        # Each of its programs is a process of this machine, in its kernel's group.
        os.killpg(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid), seconds=10)
        self._pid_file.unlink()
        end(self.folder / "network.pid", self.state)

    def runs(self) -> bool:
        """Tell whether it is switched on."""
        return self._pid_file.exists() and alive(int(self._pid_file.read_text()))

    def down(self) -> None:
        """End it."""
        if self.runs():
            self.power_cut()
        end(self.folder / "network.pid", self.state)

    @property
    def _pid_file(self) -> Path:
        return self.folder / "uml" / self.name / "pid"

    def _arguments(self, image: Image, network: int) -> list[str]:
        disks = [f"ubd{letter}={path}" for letter, path in zip(LETTERS, self._disk_files, strict=False)]
        beside = f"{self.folder}/disk.cow,{image.disk}"
        return [
            f"mem={self.memory}M",
            f"ubd0={self.own_disk if self.own_disk.exists() else beside}",
            f"ubd1r={self.folder}/seed.tar",
            *disks,
            f"vec0:transport=fd,fd={network},mac={MAC}",
            *(f"uml_dir={self.folder}/uml", f"umid={self.name}"),
            *("root=/dev/ubda", "rw", "con=null", "con0=null,fd:1", "apparmor=1", "security=apparmor", "quiet"),
        ]


def _preload() -> Path:
    """Return what goes before the C library (see usermode.c), compiled once."""
    library = cache_directory() / "usermode.so"
    if not library.exists() or library.stat().st_mtime < SOURCE.stat().st_mtime:
        made = library.with_name(f"usermode.{os.getpid()}.so")
        run("gcc", "-O2", "-shared", "-fPIC", "-o", str(made), str(SOURCE), "-ldl")
        made.rename(library)
    return library
