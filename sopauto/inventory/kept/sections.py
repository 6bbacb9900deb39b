"""A snapshot in sections: what changes together is kept together, and what did not change is kept once.

Sections of years ago are read as they were kept: fields are only added, and one that was added later is read with a
default (`.get`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

SERVER: Final[Mapping[str, tuple[str, ...]]] = {
    "hardware": (
        *("vendor", "model", "serial", "bios_date", "cpu", "memory_bytes", "memory_modules"),
        *("disks", "arrays", "architecture", "virtualisation"),
    ),
    "system": ("os", "kernel"),
    "packages": ("packages_count", "packages"),
    "updates": ("updates",),
    "certificates": ("certificates",),
    "hardening": ("hardening",),
    "services": ("services",),
    "ports": ("listening_ports",),
    "users": ("users",),
    "storage": ("filesystems", "volume_groups"),
    "use": ("uptime_seconds", "time"),
}
"""Which fields of the server's data stand in which section; `use` is what changes all the time."""
NAMES: Final = (*SERVER, "network", "missing")
USED: Final = "used_bytes"


def split(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections of a snapshot (`snapshot.parse`); how full its disks are goes to `use`."""
    server = snapshot["server"]
    parts: dict[str, Any] = {name: {field: server[field] for field in fields} for name, fields in SERVER.items()}
    systems = server["filesystems"]
    parts["storage"]["filesystems"] = [{k: v for k, v in one.items() if k != USED} for one in systems]
    parts["use"][USED] = [one[USED] for one in systems]
    return {**parts, "network": snapshot["network"], "missing": snapshot["missing"]}


def join(parts: Mapping[str, Any], taken_at: str) -> dict[str, Any]:
    """Return the snapshot of which these are the sections; `taken_at` in ISO 8601."""
    server = {field: parts[name][field] for name, fields in SERVER.items() for field in fields}
    pairs = zip(server["filesystems"], parts["use"][USED], strict=True)
    server["filesystems"] = [{**one, USED: used} for one, used in pairs]
    return {"taken_at": taken_at, "server": server, "network": parts["network"], "missing": parts["missing"]}
