"""Each role says what it takes, so that Ansible itself refuses what it cannot take before the first task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted(path.parent.parent for path in (Path(__file__).parents[3] / "roles").glob("*/tasks/main.yml"))
ENTRY_POINTS = {"rollback": {"main", "arm", "confirm", "restore"}}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.is_file() else {}


def options(role: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what each way into a role takes."""
    for name, entry in read(role / "meta/argument_specs.yml")["argument_specs"].items():
        yield name, entry["options"]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_states_every_way_into_it(role: Path) -> None:
    assert {name for name, _ in options(role)} == ENTRY_POINTS.get(role.name, {"main"})


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_what_a_role_takes_is_what_it_has_defaults_for(role: Path) -> None:
    defaults = set(read(role / "defaults/main.yml") or {})
    stated = {name for _, taken in options(role) for name in taken}
    assert stated == defaults
    assert all(name.startswith(f"{role.name}_") for name in stated)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_default_is_of_the_type_that_is_stated(role: Path) -> None:
    kinds = {"str": str, "path": str, "int": int, "bool": bool, "list": list, "dict": dict}
    defaults = read(role / "defaults/main.yml") or {}
    for _, taken in options(role):
        for name, option in taken.items():
            assert "{{" in str(defaults[name]) or isinstance(defaults[name], kinds[option["type"]]), name
            assert defaults[name] in option.get("choices", [defaults[name]]), name
