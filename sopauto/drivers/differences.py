"""What an Ansible task says that it changed or why it failed: bounded, the same in each run, without secrets."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from typing import Any, Final

MAX_DIFF: Final = 64 * 1024
"""Characters of one difference that are shown and compared; a server could answer without end."""
MAX_REASON: Final = 600
"""Characters of the reason for a failure."""
MASK: Final = "********"
TEMPORARY: Final = re.compile(r"(?:[^\s:'\"]{0,200}/)?ansible-(?:local|tmp)-[\w.-]{1,100}/(?:tmp\w{1,40}/?)?")
"""Ansible's temporary folders, on either side."""
NO_ROOM: Final = "No usable temporary directory"
"""What Python says when a module cannot even begin; Ansible tells only that no answer came."""


def told(result: dict[str, Any]) -> list[str]:
    """Return the differences of a task's result as texts; unified diffs where it shows files before and after.

    A loop shows one for each item that changed.
    """
    items = [item for item in result.get("results") or [] if isinstance(item, dict) and item.get("changed")]
    parts = [(part, _target(each)) for each in (result, *items) for part in _parts(each.get("diff"))]
    return [text for part, target in parts if part and (text := _part(part, target)[:MAX_DIFF])]


def _target(result: dict[str, Any]) -> str:
    """Return the file on the server that a result is about; empty where it tells none."""
    named = {**((result.get("invocation") or {}).get("module_args") or {}), **result}
    return str(named.get("dest") or named.get("path") or "")


def without_paths(text: str, folder: str) -> str:
    """Return the text without paths that are others in each run: our run's folder, and Ansible's temporary ones."""
    text = re.sub(TEMPORARY, "", text.replace(folder, ".") if folder else text)
    return text.replace("./project/", "")


def _parts(difference: Any) -> list[Any]:
    return difference if isinstance(difference, list) else [difference] if difference else []


def _part(part: Any, target: str) -> str:
    if not isinstance(part, dict):
        return str(part)[:MAX_DIFF]
    if "prepared" in part:
        return str(part["prepared"])[:MAX_DIFF]
    before, after = part.get("before", ""), part.get("after", "")
    if not (isinstance(before, str) and isinstance(after, str)):
        return json.dumps({"before": before, "after": after}, ensure_ascii=False, sort_keys=True, default=str)
    # The header of what comes is a temporary file on our side for some modules: another one in each run.
    name = str(part.get("before_header") or target or part.get("after_header") or "")
    lines = difflib.unified_diff(_lines(before), _lines(after), name, name, lineterm="", n=1)
    return "\n".join(lines)


def _lines(text: str) -> list[str]:
    return text[: 4 * MAX_DIFF].splitlines()


def why(result: dict[str, Any]) -> str:
    """Return why a task failed, in a few words of one line."""
    if NO_ROOM in f"{result.get('module_stderr')}{result.get('module_stdout')}":
        return "no space is left on the server, or its disks cannot be written"
    # A task over a list fails by one of its items.
    item = next((each for each in result.get("results") or () if each.get("failed")), result)
    told = str(item.get("msg") or item.get("stderr") or result.get("msg") or "failed")
    return " ".join(told.split())[:MAX_REASON]


def masked(text: str, secrets: Sequence[str]) -> str:
    """Return the text without the secrets."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text
