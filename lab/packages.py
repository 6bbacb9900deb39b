"""The Debian packages that the lab and the tests of the whole need."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sopauto.errors import BadInput, StepFailed

VM: Final = (
    *("gcc", "iproute2", "libc6-dev", "mmdebstrap", "openssh-client", "qemu-system-x86", "qemu-utils"),
    *("systemd-container", "user-mode-linux"),
)
LAB: Final = (*VM, "ethtool", "openssh-server", "openvswitch-switch")
TESTS: Final = ("poppler-utils", "postgresql", "busybox", "strace", "zbar-tools")
SECONDS: Final = 900


def missing(names: Sequence[str]) -> list[str]:
    """Return the packages that are not installed."""
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    there = {line.split()[0] for line in asked.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in there]


def install_missing(say: Callable[[str], None], names: Sequence[str] = (*LAB, *TESTS)) -> None:
    """Install what is missing, saying first what that is. Services are installed, but not started.

    Raises: BadInput (not root, not Debian), StepFailed (apt failed).
    """
    wanted = missing(names) if Path("/etc/debian_version").exists() else list(names)
    if not wanted:
        return
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        raise BadInput(
            f"needs the Debian packages {' '.join(wanted)}", mend="install them, or run it as root on Debian"
        )
    say(f"installing Debian packages: {' '.join(wanted)}")
    # A runlevel for single users keeps the packages' services from being started.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", *wanted],
    ):
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS)
        if ended.returncode:
            words = (ended.stderr or ended.stdout).strip().splitlines()[-1:]
            raise StepFailed(f"{' '.join(command[:2])}: {' '.join(words)}", mend="see `apt-get update`")
