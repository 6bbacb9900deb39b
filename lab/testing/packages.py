"""What the tests need of the machine."""

from __future__ import annotations

import os
from pathlib import Path

from lab.packages import install_missing
from sopauto.cli.console import say


def install_what_tests_need() -> None:
    """Install the Debian packages of the lab where that is possible; elsewhere tests are skipped by name."""
    if _root_on_debian():
        install_missing(say)
    else:
        say("not root on Debian: tests that need virtual machines, a real switch or PostgreSQL may be skipped, by name")


def virtual_machines_run() -> bool:
    """Tell whether stages of virtual machines run: in CI they always do, for there nothing may be missing."""
    return _root_on_debian() or os.environ.get("CI") == "true"


def _root_on_debian() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").exists()
