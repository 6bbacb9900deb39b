"""Which file of the checkout imports which, read from the source: nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from lab.testing.stages import ROOT

FOLDERS = ("sopauto", "lab", "benchmarks", "tests")

Graph = Mapping[str, frozenset[str]]
"""For each file (`sopauto/clock.py`) the files of the checkout that it imports, also inside functions."""


@cache
def import_graph(root: Path = ROOT) -> Graph:
    """Return the import graph of a checkout, read once; a `conftest.py` counts as imported by the tests below it."""
    files = {path.relative_to(root).as_posix() for folder in FOLDERS for path in (root / folder).rglob("*.py")}
    return {file: frozenset({*_imported(root / file, files), *_fixtures(file, files)} & files) for file in files}


def _imported(path: Path, files: set[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files_of(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [name for alias in node.names for name in _files_of(f"{node.module}.{alias.name}")]
            found = [name for name in inner if name in files]
            yield from found if len(found) == len(node.names) else [*found, *_files_of(node.module)]


def _files_of(module: str) -> tuple[str, str]:
    path = module.replace(".", "/")
    return f"{path}.py", f"{path}/__init__.py"


def _fixtures(file: str, files: set[str]) -> Iterator[str]:
    if file.startswith("tests/"):
        yield from (above for folder in Path(file).parents if (above := f"{folder}/conftest.py") in files)


def reaching(graph: Graph, changed: Iterable[str], *, through: tuple[str, ...]) -> set[str]:
    """Return the files that import a changed one, by files whose path begins with `through`, and the changed ones."""
    importers: dict[str, set[str]] = {}
    for file, imported in graph.items():
        for one in imported:
            importers.setdefault(one, set()).add(file)
    found = set(changed)
    ahead = list(found)
    while ahead:
        for file in importers.get(ahead.pop(), set()) - found:
            found.add(file)
            if file.startswith(through):
                ahead.append(file)
    return found
