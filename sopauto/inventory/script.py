"""The script that a server is given to run."""

from __future__ import annotations

from importlib import resources


def source() -> bytes:
    """Return `collect.sh`, as it is shipped."""
    return resources.files("sopauto.inventory").joinpath("collect.sh").read_bytes()
