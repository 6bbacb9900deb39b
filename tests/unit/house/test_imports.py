"""What tests, lab and benchmarks import is there: a module that moved leaves no old path behind."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
OURS = ("sopauto", "lab", "benchmarks", "tests")
NAMED = re.compile(r"(sopauto\.(?!db\b)[a-z]\w*\.[a-z]\w*)[.\w]*")
"""How a test names a module in a text: to patch it, or to ask whether it is loaded. (`sopauto.db.…` are files.)"""


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for folder in OURS:
        for path in (ROOT / folder).rglob("*.py"):
            yield path, tree_of(path)


@cache
def module_at(name: str) -> Path | None:
    """Return the file of a module, or the folder of a package (None: there is no such module)."""
    path = ROOT.joinpath(*name.split("."))
    file = path.with_suffix(".py")
    return file if file.is_file() else path if path.is_dir() else None


@cache
def names_in(file: Path) -> frozenset[str]:
    """Return what a module defines or imports at its top."""
    found: set[str] = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return frozenset(found)


def is_there(module: str, name: str) -> bool:
    file = module_at(module)
    if file is None:
        return False
    return module_at(f"{module}.{name}") is not None or (file.is_file() and name in names_in(file))


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in OURS:
            for alias in node.names:
                yield node.module, alias.name


def named(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if match := NAMED.fullmatch(text):
            yield match[1]


def test_everything_that_is_imported_is_there() -> None:
    gone = {
        f"{path.relative_to(ROOT)}: {module} {name}"
        for path, tree in sources()
        for module, name in imported(tree)
        if not is_there(module, name)
    }
    assert gone == set()


def test_every_module_that_a_test_names_is_there() -> None:
    gone = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in sources()
        if path.is_relative_to(ROOT / "tests")
        for name in named(tree)
        if not module_at(name) and not is_there(*name.rsplit(".", 1))
    }
    assert gone == set()
