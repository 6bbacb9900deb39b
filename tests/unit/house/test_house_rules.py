"""Rules of the house that neither linter nor type checker knows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PRODUCT = ROOT / "sopauto"


def calls(name: str) -> Iterator[str]:
    for path in PRODUCT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield path.relative_to(PRODUCT).as_posix()


def test_only_the_gate_makes_a_work_order() -> None:
    assert set(calls("WorkOrder")) == {"tickets/gate.py"}


def test_package_files_hold_a_docstring_and_nothing_else() -> None:
    for path in PRODUCT.rglob("__init__.py"):
        body = ast.parse(path.read_text()).body
        assert len(body) == 1, path
        assert isinstance(body[0], ast.Expr), path


def test_no_module_reads_the_clock_but_the_clock() -> None:
    readers = {
        path.relative_to(PRODUCT).as_posix()
        for path in PRODUCT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
        if isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date"}
    }
    assert readers <= {"clock.py"}


def test_a_module_stays_small_enough_to_read() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for folder in (PRODUCT, ROOT / "lab", ROOT / "roles", ROOT / "benchmarks")
        for path in folder.rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert long == {}
