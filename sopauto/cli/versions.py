"""Versions of all that decides how sopauto behaves here: whoever reports a fault sends them along."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sopauto

if TYPE_CHECKING:
    from sopauto.app import App

PACKAGES: Final = ("ansible-core", "ansible-runner", "netmiko", "paramiko", "SQLAlchemy", "typst")
SECONDS: Final = 10
UNKNOWN: Final = "not found"


def versions(here: App) -> Iterator[tuple[str, str]]:
    """Yield each name with its version, `not found` where it is lacking."""
    yield "sopauto", _of_package("sopauto")
    checkout = Path(sopauto.__file__).resolve().parent.parent
    if (checkout / ".git").exists():
        yield "commit", _said(["git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=12"])
    yield "Python", platform.python_version()
    for name in PACKAGES:
        yield name, _of_package(name)
    yield "database server", here.store.server()
    # `ssh-keygen` cannot tell its version; `ssh` is of the same package.
    yield "ssh-keygen", _said(["ssh", "-V"])


def _of_package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return UNKNOWN


def _said(command: Sequence[str]) -> str:
    """Return the first line that a program says."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return UNKNOWN
    lines = (ended.stdout or ended.stderr).splitlines()
    return lines[0].strip() if lines and not ended.returncode else UNKNOWN
