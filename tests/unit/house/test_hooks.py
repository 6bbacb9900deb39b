"""Hooks of pre-commit run programs of this environment, and nothing that is fetched."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
PREFIX = ("uv", "run", "--no-sync")


def test_every_hook_is_a_program_of_this_environment() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert {repository["repo"] for repository in repositories} == {"local"}
    for hook in (hook for repository in repositories for hook in repository["hooks"]):
        words = hook["entry"].split()
        assert hook["language"] == "system", hook["id"]
        assert tuple(words[:3]) == PREFIX, hook["id"]
        assert shutil.which(words[3], path=str(Path(sys.executable).parent)), hook["id"]
