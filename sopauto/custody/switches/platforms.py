"""The platforms of switches, one line each. `docs/howto/platform.md` tells how to add one."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Final

from sopauto.assets.model import Switch
from sopauto.custody.switches.base import Platform
from sopauto.errors import BadInput

NAMES: Final = (
    "cisco_ios",
    "ovs_linux",
)
"""Each is a folder beside this file, and the name by which netmiko knows the platform."""
HERE: Final = Path(__file__).parent


def platform_of(switch: Switch) -> Platform:
    """Return what is known of a switch's platform; raises BadInput (it is not known)."""
    if switch.platform not in NAMES:
        raise BadInput(
            f"switches of the platform {switch.platform!r} are not known",
            where=switch.id,
            mend=f"use one of {', '.join(NAMES)}",
        )
    platform: Platform = import_module(f"{__package__}.{switch.platform}.driver").PLATFORM
    return platform
