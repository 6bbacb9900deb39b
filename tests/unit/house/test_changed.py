"""What `inv test --changed` chooses: by the import graph, near by, and quick."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.testing import changed
from lab.testing.imports import Graph, import_graph, reaching
from lab.testing.stages import ROOT, SLOW

FILES = {
    "sopauto/low.py": "",
    "sopauto/middle.py": "def late():\n    from sopauto import low\n",
    "sopauto/top.py": "import sopauto.middle\n",
    "lab/walk.py": "from sopauto.top import anything\n",
    "tests/conftest.py": "from lab.walk import walk\n",
    "tests/unit/test_top.py": "from sopauto.top import anything\n",
    "tests/integration/test_low.py": "from sopauto.low import anything\n",
}


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return import_graph(tmp_path)


def test_an_import_counts_in_each_spelling_also_inside_a_function(graph: Graph) -> None:
    assert graph["sopauto/middle.py"] == {"sopauto/low.py"}
    assert graph["sopauto/top.py"] == {"sopauto/middle.py"}
    assert graph["lab/walk.py"] == {"sopauto/top.py"}


def test_a_conftest_belongs_to_the_tests_below_it(graph: Graph) -> None:
    assert "tests/conftest.py" in graph["tests/unit/test_top.py"]


def test_a_change_reaches_what_imports_it_by_any_way(graph: Graph) -> None:
    assert "tests/unit/test_top.py" in reaching(graph, ["sopauto/low.py"], through=("",))


def test_near_is_only_what_imports_it_itself_or_by_what_tests_share(graph: Graph) -> None:
    near = ("tests/", "lab/")
    assert reaching(graph, ["sopauto/low.py"], through=near) == {
        "sopauto/low.py",
        "sopauto/middle.py",
        "tests/integration/test_low.py",
    }
    assert "tests/unit/test_top.py" in reaching(graph, ["sopauto/top.py"], through=near)


def test_a_module_is_tested_by_its_unit_tests_and_its_neighbours_and_linted() -> None:
    lint, unit, near = changed.stages_for(["sopauto/mail/smtp.py"])
    assert ("ruff", "check", "sopauto/mail/smtp.py") in lint.commands
    assert ("mypy",) in lint.commands
    assert any("tests/unit/" in word for word in unit.commands[0])
    assert "tests/integration/mail/test_delivery.py" in near.commands[0]


def test_a_slow_test_runs_only_when_it_changed_itself() -> None:
    slow = "tests/integration/test_plans.py"
    assert slow in changed.near_tests(["sopauto/drivers/playbook.py"])
    chosen = [word for stage in changed.stages_for(["sopauto/drivers/playbook.py"]) for word in stage.commands[0]]
    assert slow not in chosen
    assert slow in [word for stage in changed.stages_for([slow]) for word in stage.commands[0]]
    assert all((ROOT / name).is_file() for name in SLOW)


def test_what_everything_imports_is_no_work_of_a_minute() -> None:
    assert [stage.name for stage in changed.stages_for(["sopauto/errors.py"])] == ["lint", "unit"]


def test_a_text_is_linted_and_tests_nothing() -> None:
    assert [stage.name for stage in changed.stages_for(["README.md"])] == ["lint"]
