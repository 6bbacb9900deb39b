"""The script that a server is given to run."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Final

OPTIONAL: Final = ("updates", "certificates", "hardening")
"""Parts that an agency may leave out; `updates` alone costs a server as much time as all the rest."""


def source(skip: Sequence[str] = ()) -> bytes:
    """Return `collect.sh`, as it is shipped; `skip` names parts that are left out (some of OPTIONAL)."""
    shipped = resources.files("sopauto.inventory.reading").joinpath("collect.sh").read_bytes()
    return f"skip='{' '.join(part for part in OPTIONAL if part in skip)}'\n".encode() + shipped
