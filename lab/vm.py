"""What every virtual machine of the lab has: a folder, keys, a seed disk, further disks, a cable and a power switch."""

from __future__ import annotations

import io
import json
import socket
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.image import Image
from lab.processes import run


@dataclass(frozen=True, slots=True, kw_only=True)
class Vm(ABC):
    """One virtual machine; everything of it lies in `folder`, below the directory `state` of its lab.

    `network` is its systemd-networkd file, `disks` are the sizes of further disks in GiB, `memory` is in MiB.
    """

    state: Path
    name: str
    network: str
    memory: int = 512
    disks: Sequence[int] = ()

    @property
    def folder(self) -> Path:
        """Where its disks, keys and sockets are."""
        return self.state / self.name

    @property
    def own_disk(self) -> Path:
        """Its root disk, where it has a whole one of its own: either kind of machine boots from that."""
        return self.folder / "disk.raw"

    @property
    def key_file(self) -> Path:
        """The private key of its administrator `admin`."""
        return self.folder / "login"

    @property
    def host_key(self) -> str:
        """Its SSH host key, `ssh-ed25519 AAAA…`."""
        return " ".join((self.folder / "ssh_host_ed25519_key.pub").read_text().split()[:2])

    @property
    @abstractmethod
    def data_disks(self) -> list[str]:
        """Its further disks, as it calls them (`/dev/vdc`, …)."""

    def create(self) -> None:
        """Make its folder, keys, seed disk and further disks."""
        self.folder.mkdir()
        for name in ("ssh_host_ed25519_key", "login"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.folder / name))
        (self.folder / "seed.tar").write_bytes(self._seed())
        for path, size in zip(self._disk_files, self.disks, strict=True):
            with path.open("wb") as disk:
                disk.truncate(size * 2**30)

    @abstractmethod
    def power_on(self, image: Image) -> None:
        """Start it; the first time it takes name, address and keys from its seed disk."""

    @abstractmethod
    def power_cut(self) -> None:
        """End it as a power failure does: what it had not written is lost."""

    @abstractmethod
    def down(self) -> None:
        """End it."""

    def set_link(self, *, up: bool) -> None:
        """Push the network cable in, or pull it."""
        self._monitor("set_link", {"name": "card", "up": up})

    @property
    def _disk_files(self) -> list[Path]:
        return [self.folder / f"data{number}.raw" for number in range(len(self.disks))]

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
