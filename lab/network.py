"""The gateway: a network namespace with a leg in the custody VLAN. Whoever is in it stands where users come from."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lab.processes import quietly, run

NAMESPACE: Final = "sop-gw"
LEG: Final = "sop-gw0"
"""The gateway's port on the switch."""
NETWORK: Final = "10.30.0.0/24"
ADDRESS: Final = "10.30.0.1"
VLAN: Final = 30
GREET: Final = """\
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3])) as s:
        s.settimeout(float(sys.argv[3]))
        print(s.recv(200).decode("ascii", "replace").strip())
except OSError:
    pass
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The namespace, once it is up."""

    def up(self) -> None:
        """Make the namespace and its leg; the leg still has to be put into the switch."""
        run("ip", "netns", "add", NAMESPACE)
        run("ip", "link", "add", LEG, "type", "veth", "peer", "name", "eth0", "netns", NAMESPACE)
        run("ip", "link", "set", LEG, "up")
        for command in (
            f"ip address add {ADDRESS}/24 dev eth0",
            "ip link set lo up",
            "ip link set eth0 up",
            # The switch works in user space: checksums that the kernel leaves to a card would never be made.
            "ethtool -K eth0 tx off",
        ):
            self.run(command.split())

    def down(self) -> None:
        """Take both away, and everything that still runs in the namespace."""
        for pid in run("ip", "netns", "pids", NAMESPACE, check=False).split():
            quietly(["kill", "-9", pid])
        quietly(["ip", "netns", "del", NAMESPACE], ["ip", "link", "del", LEG])

    def inside(self, command: Sequence[str]) -> list[str]:
        """Return a command so that it runs in the namespace."""
        return ["ip", "netns", "exec", NAMESPACE, *command]

    def run(
        self, command: Sequence[str], *, seconds: float = 60, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the namespace."""
        return subprocess.run(
            self.inside(command),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            env={**os.environ, **(environment or {})},
        )

    def banner(self, address: str, port: int = 22, *, seconds: float = 3) -> str | None:
        """Return what a server says when it is connected to (None: no answer comes)."""
        told = self.run([sys.executable, "-c", GREET, address, str(port), str(seconds)], seconds=seconds * 3 + 10)
        return told.stdout.strip() or None
