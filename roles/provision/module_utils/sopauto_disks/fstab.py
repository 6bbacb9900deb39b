"""`/etc/fstab`: the line of a mount point, read, and written in one step."""

from __future__ import annotations

import os
import tempfile


def fstab() -> list[str]:
    try:
        with open("/etc/fstab") as there:
            return there.read().splitlines()
    except FileNotFoundError:
        return []


def stands_for(line: str, key: str, place: int) -> bool:
    fields = line.split()
    return len(fields) > place and not fields[0].startswith("#") and fields[place].rstrip("/") == key


def fstab_line(key: str, place: int = 1) -> list[str] | None:
    """Return the fields of the line of a mount point (or a source); None when there is none."""
    found = [line.split() for line in fstab() if stands_for(line, key, place)]
    return found[-1] if found else None


def write_fstab(line: str, key: str, place: int) -> None:
    """Write a line in the place of the old one, or at the end; in one step."""
    old = fstab()
    lines = [each for each in old if not stands_for(each, key, place)]
    at = next((i for i, each in enumerate(old) if stands_for(each, key, place)), len(lines))
    lines.insert(at, line)
    handle, beside = tempfile.mkstemp(dir="/etc", prefix=".fstab-")
    with os.fdopen(handle, "w") as new:
        new.write("\n".join(lines) + "\n")
        new.flush()
        os.fchmod(new.fileno(), 0o644)
        os.fsync(new.fileno())
    os.replace(beside, "/etc/fstab")
    # What the line speaks of is on the disk before anything counts on it.
    os.sync()
