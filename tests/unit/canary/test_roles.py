"""What roles do with values from outside: none is spliced into a line that a shell reads, none is made a template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
GIVEN = re.compile(r"\b(provision|hardening|software|rollback)_\w+|\bitem\b|\bansible_(?!check_mode)\w+")
"""Names whose value comes from a profile, a person, the catalogue or a server."""
LINES = ("shell", "command", "raw", "script", "expect")
TRUSTING = re.compile(
    r"trust_as_template|TrustedAsTemplate|from_yaml_all|lookup\(['\"](?:[\w.]*\.)?(?:pipe|template)['\"]"
)
"""What makes a text a template, or a program of it."""
OURS = {"roles/file_tree/action_plugins/file_tree.py", "roles/provision/tasks/access.yml"}
"""Files that read templates of their own role, and nothing else, by these."""


def tasks(data: Any) -> Iterator[dict[str, Any]]:
    """Yield every task, however deep in blocks."""
    for task in data if isinstance(data, list) else ():
        if isinstance(task, dict):
            yield task
            for part in ("block", "rescue", "always", "tasks", "handlers", "pre_tasks", "post_tasks"):
                yield from tasks(task.get(part))


def files(*patterns: str) -> Iterator[Path]:
    for folder in ("roles", "playbooks"):
        for pattern in patterns:
            yield from sorted((ROOT / folder).rglob(pattern))


def test_no_line_that_a_shell_reads_holds_a_value_from_outside() -> None:
    seen, spliced = 0, []
    for path in files("*.yml"):
        for task in tasks(yaml.safe_load(path.read_text())):
            for name in LINES:
                line = task.get(f"ansible.builtin.{name}", task.get(name))
                if isinstance(line, str):
                    seen += 1
                    spliced += [f"{path.name}: {found[0]}" for found in GIVEN.finditer(line)]
    assert seen > 0
    assert spliced == []


def test_no_role_makes_a_template_of_a_value() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in files("*.yml", "*.py", "*.j2")
        if TRUSTING.search(path.read_text())
    }
    assert found == OURS
