"""The module that brings files to a server: all of them or none, also when the disk is full."""

from __future__ import annotations

import errno
import getpass
import grp
import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

MODULE = Path(__file__).parents[2] / "roles/file_tree/library/file_tree.py"


@pytest.fixture
def tree() -> ModuleType:
    spec = importlib.util.spec_from_file_location("file_tree", MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(f"old {name}\n")
    return tmp_path


def replacements(tree: ModuleType, etc: Path) -> list[object]:
    """Return: a and b written anew, d made, c removed."""
    mine = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name}
    files = [tree.File({"path": str(etc / name), "content": f"new {name}\n", **mine}) for name in ("a", "b", "d")]
    return [*(tree.Replacement(file.path, file) for file in files), tree.Replacement(str(etc / "c"), None)]


def found(etc: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(etc.iterdir())}


OLD = {"a": "old a\n", "b": "old b\n", "c": "old c\n"}


def test_all_of_it_comes_and_nothing_is_left_beside(tree: ModuleType, etc: Path) -> None:
    made = replacements(tree, etc)
    tree.bring(made)
    for replacement in made:
        replacement.clean()  # type: ignore[attr-defined]
    assert found(etc) == {"a": "new a\n", "b": "new b\n", "d": "new d\n"}


def test_undone_it_is_as_before(tree: ModuleType, etc: Path) -> None:
    made = replacements(tree, etc)
    tree.bring(made)
    for replacement in reversed(made):
        replacement.undo()  # type: ignore[attr-defined]
    assert found(etc) == OLD


@pytest.mark.parametrize(
    ("call", "good"),
    [("fsync", 0), ("fsync", 1), ("fsync", 2), ("replace", 0), ("replace", 1), ("link", 0), ("link", 2), ("unlink", 0)],
)
def test_a_disk_that_is_full_at_any_moment_costs_no_file(
    tree: ModuleType, etc: Path, monkeypatch: pytest.MonkeyPatch, call: str, good: int
) -> None:
    real, left = getattr(os, call), [good]

    def once(*given: object, **named: object) -> object:
        left[0] -= 1
        if left[0] == -1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x")
        return real(*given, **named)

    monkeypatch.setattr(os, call, once)
    with pytest.raises(OSError, match="No space left"):
        tree.bring(replacements(tree, etc))
    assert found(etc) == OLD
