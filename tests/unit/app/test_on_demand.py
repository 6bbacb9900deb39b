"""A command loads what it needs, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from invoke.config import Config
from invoke.context import Context

from benchmarks.office import make_office
from sopauto.app import OFFERS, build
from sopauto.cli.console import app

HEAVY = (
    "testinfra",
    "netmiko",
    "paramiko",
    "ansible_runner",
    "typst",
    "sopauto.technical.playbook",
    "sopauto.custody.port",
)
LOADED = f"""
import sys
from pathlib import Path
from sopauto.app import build
build(Path(sys.argv[1])).desk("siti")
print([name for name in {HEAVY!r} if name in sys.modules])
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_office(tmp_path_factory.mktemp("office")).home


def test_a_desk_loads_no_module_before_it_is_asked_for(home: Path) -> None:
    command = [sys.executable, "-c", LOADED, str(home)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_each_module_is_there_under_its_name_and_made_once(home: Path) -> None:
    modules = build(home).modules()
    assert set(modules) == set(OFFERS.steps)
    for name in modules:
        assert modules[name].name == name
        assert modules[name].mutates is OFFERS.modules[name].changes
        assert modules[name] is modules[name]
    assert modules.get("custody.fly") is None


def test_a_process_has_one_application_for_a_workspace(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPAUTO_HOME", str(home))
    first = app(Context(Config()))
    assert app(Context(Config())) is first
    monkeypatch.setenv("SOPAUTO_HOME", str(make_office(home.parent / "other").home))
    assert app(Context(Config())) is not first
