"""What differs between two states of a server."""

from __future__ import annotations

from ansible.module_utils.sopauto_software.present import State

Difference = dict[str, dict[str, tuple[str | None, str | None]]]
"""By part, each name with what was known of it before and after."""
PARTS = ("packages", "services", "ports", "accounts", "files")  # what may be cut off comes last


def differences(before: State, after: State) -> Difference:
    """Return what differs, by part: names with the values before and after."""
    told = {}
    for part in PARTS:
        names = set(before[part]) | set(after[part])
        told[part] = {
            n: (before[part].get(n), after[part].get(n)) for n in names if before[part].get(n) != after[part].get(n)
        }
    return told


def lines(difference: Difference) -> list[str]:
    return [
        "%s %s: %s, before: %s" % (part[:-1], name, now or "nothing", was or "nothing")
        for part in PARTS
        for name, (was, now) in sorted(difference[part].items())
    ]
