"""The database and what lies beside it are their owner's only, whatever umask the caller has."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sopauto.errors import StepFailed
from sopauto.store.alone import SCAN, held
from sopauto.store.engine import open_store
from sopauto.store.private import close_to_others, open_to_others


@pytest.fixture(params=[0o000, 0o002, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(home: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()}


def test_a_new_database_is_its_owners_only(umask: None, tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'sopauto.db'}")
    with held(store.engine, SCAN), store.read() as reader:
        reader.counts()
        found = modes(tmp_path)
    store.engine.dispose()
    assert found.keys() >= {"sopauto.db", "sopauto.db-wal", "sopauto.db-shm", "sopauto.db.scan", "sopauto.db.upgrade"}
    assert set(found.values()) == {0o600}


@pytest.mark.parametrize("mode", [0o644, 0o664, 0o666, 0o640, 0o606])
def test_one_that_others_may_read_is_closed_to_them(tmp_path: Path, mode: int) -> None:
    url = f"sqlite:///{tmp_path / 'sopauto.db'}"
    open_store(url).engine.dispose()
    (tmp_path / "sopauto.db.0005_inventory").write_bytes(b"a copy of old")
    for path in tmp_path.iterdir():
        path.chmod(mode)
    store = open_store(url)
    with store.read() as reader:
        reader.counts()
        found = modes(tmp_path)
    assert store.open_to_others() == []
    store.engine.dispose()
    assert set(found.values()) == {0o600}


def test_files_of_another_database_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "other.db").write_bytes(b"")
    (tmp_path / "other.db").chmod(0o644)
    open_store(f"sqlite:///{tmp_path / 'sopauto.db'}").engine.dispose()
    assert modes(tmp_path)["other.db"] == 0o644


def test_what_others_may_read_is_named(tmp_path: Path) -> None:
    for name in ("sopauto.db", "sopauto.db-wal", "sopauto.db.mail"):
        (tmp_path / name).write_bytes(b"")
        (tmp_path / name).chmod(0o604 if name.endswith("wal") else 0o600)
    assert open_to_others(tmp_path / "sopauto.db") == [tmp_path / "sopauto.db-wal"]


def test_a_file_that_another_process_takes_away_meanwhile_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "glob", lambda *_: iter([tmp_path / "sopauto.db.gone"]))
    assert open_to_others(tmp_path / "sopauto.db") == []
    close_to_others(tmp_path / "sopauto.db")


def test_a_file_system_without_rights_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'sopauto.db'}"
    open_store(url).engine.dispose()
    (tmp_path / "sopauto.db").chmod(0o644)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refused)
    store = open_store(url)
    assert tmp_path / "sopauto.db" in store.open_to_others()
    store.engine.dispose()


def test_a_database_in_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path / 'none' / 'sopauto.db'}")
