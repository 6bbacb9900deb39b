"""A workspace is its owner's, whatever umask the caller has, and `inv doctor` tells what others may write."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from invoke.context import Context

from sopauto.app import build
from sopauto.cli import workspace
from sopauto.cli.doctor import _examined


@pytest.fixture
def home(tmp_path: Path) -> Path:
    before = os.umask(0)
    try:
        workspace.init(Context(), str(tmp_path / "kominfo"))
    finally:
        os.umask(before)
    return tmp_path / "kominfo"


def told(home: Path, what: str) -> tuple[str, str]:
    """Return state and words of one line of `inv doctor`."""
    app = build(home)
    lines = {name: (state, words) for name, state, words in _examined(app)}
    app.store.engine.dispose()
    return lines[what]


def test_nobody_else_may_write_a_new_workspace_or_read_its_settings(home: Path) -> None:
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.rglob("*"))}
    assert not [path for path, mode in modes.items() if mode & 0o022]
    assert modes[home / "sopauto.toml"] == modes[home / "people.yaml"] == 0o600
    assert told(home, "settings")[0] == "ok"


@pytest.mark.parametrize("name", ["people.yaml", "sopauto.toml", "procedures", "templates", "."])
def test_what_everybody_may_write_is_told(home: Path, name: str) -> None:
    path = home / name
    path.chmod(path.stat().st_mode | 0o002)
    state, words = told(home, "settings")
    assert state == "WRONG"
    assert f"chmod o-w {path}" in words


def test_a_database_that_others_may_read_is_told_where_it_cannot_be_closed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(home).store.engine.dispose()
    monkeypatch.setattr("sopauto.store.engine.close_to_others", lambda path: None)  # it is another user's
    (home / "sopauto.db").chmod(0o644)
    state, words = told(home, "database")
    assert state == "WRONG"
    assert f"chmod 600 {home / 'sopauto.db'}" in words


def test_no_anchor_is_told(home: Path) -> None:
    assert told(home, "anchors")[1].startswith("none yet")
