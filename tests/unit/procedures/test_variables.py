"""Which variables an SOP may hand to a playbook, and which parameters to a module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sopauto.app import OFFERS
from sopauto.procedures import modules, variables
from sopauto.procedures.variables import reserved


@pytest.mark.parametrize("given", [{"isi": "halo", "deep": [{"a": None}, 1, True]}, {}])
def test_plain_values_under_names_of_ones_own_are_taken(given: Any) -> None:
    assert list(variables.faults(given)) == []


@pytest.mark.parametrize(
    "given",
    [
        [],
        "x",
        {"a b": 1},
        {1: 1},
        {"ansible_x": 1},
        {"Ansible_Host": 1},
        {"hostvars": {}},
        {"a": object()},
        {"a": "\ud800"},
        {"a": {1: 2}},
        {"a": [[[[[[[[[[1]]]]]]]]]]},
    ],
    ids=range(11),
)
def test_anything_else_is_refused(given: Any) -> None:
    assert len(list(variables.faults(given))) == 1


def test_every_name_that_ansible_keeps_for_itself_is_reserved() -> None:
    from ansible import constants
    from ansible.vars.reserved import get_reserved_names

    magic = {name for names in constants.MAGIC_VARIABLE_MAPPING.values() for name in names}
    own = magic | constants.INTERNAL_STATIC_VARS | set(get_reserved_names()) | set(_options_of_plugins())
    assert sorted(name for name in own if name.isidentifier() and not name.startswith("_") and not reserved(name)) == []


def _options_of_plugins() -> Iterator[str]:
    """Yield the variables that connections, shells, rights and the configuration listen to."""
    import ansible

    root = Path(ansible.__file__).parent
    for path in [*root.glob("plugins/*/*.py"), *root.glob("plugins/doc_fragments/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            text = node.value.value if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) else ""
            if isinstance(text, str) and "vars:" in text:
                yield from _named(yaml.safe_load(text))
    yield from _named(yaml.safe_load((root / "config" / "base.yml").read_text()))


def _named(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        listened = data.get("vars")
        yield from (each["name"] for each in listened or [] if isinstance(each, dict) and "name" in each)
    for part in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _named(part)


@pytest.mark.parametrize(
    ("module", "given", "told"),
    [
        ("playbook.run", {"playbook": "p.yml", "server": "web-02"}, "no parameter 'server'"),
        ("playbook.run", {"playbook": "p.yml", "credentials": "x"}, "no parameter 'credentials'"),
        ("playbook.run", {"playbook": "p.yml", "tags": "x"}, "no parameter 'tags'"),
        ("playbook.run", {"playbook": "../p.yml"}, "no playbook's name"),
        ("playbook.run", {}, "lacks the parameter 'playbook'"),
        ("playbook.run", {"playbook": "p.yml", "login": "a/b"}, "no login's name"),
        ("playbook.run", {"playbook": "p.yml", "variables": {"ansible_port": 1}}, "ansible_port"),
        ("custody.connect", {"vlan": 1}, "no parameter 'vlan'"),
        ("server.harden", {"variables": {}}, "no parameter 'variables'"),
        ("software.remove", {"hapus_data": "ya"}, "neither true nor false"),
        ("software.remove", {"hapus_datas": True}, "no parameter 'hapus_datas'"),
    ],
)
def test_a_parameter_that_the_module_does_not_know_is_refused(module: str, given: Any, told: str) -> None:
    ((what, _),) = modules.faults(OFFERS.modules, [module], given)
    assert told in what


def test_modules_of_one_row_share_their_parameters() -> None:
    given = {"playbook": "p.yml", "hapus_data": False}
    assert list(modules.faults(OFFERS.modules, ["playbook.run", "software.remove"], given)) == []
