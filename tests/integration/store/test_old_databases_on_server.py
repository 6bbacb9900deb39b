"""A PostgreSQL database of each landed version comes to the newest, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sopauto.store.engine import make_engine
from sopauto.store.versions import current, newest, upgrade
from tests.migration.databases import kept, put_back_on_server, shape, use, workspace

UPGRADE = """
import sys
from sopauto.store.engine import make_engine
from sopauto.store.versions import upgrade
sys.stdin.readline()
upgrade(make_engine(sys.argv[1]))
"""

pytestmark = pytest.mark.postgresql


@pytest.fixture
def new_shape(postgresql_server: str) -> object:
    import psycopg

    with psycopg.connect(postgresql_server.format(name="postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS fresh")
        connection.execute("CREATE DATABASE fresh")
    engine = make_engine(postgresql_server.format(name="fresh"))
    upgrade(engine)
    told = shape(engine)
    engine.dispose()
    return told


@pytest.mark.parametrize("commit", kept("postgresql"))
def test_it_has_the_tables_of_a_new_database_and_all_its_commands_work(
    commit: str, postgresql_url: str, new_shape: object, tmp_path: Path
) -> None:
    put_back_on_server(commit, postgresql_url)
    engine = make_engine(postgresql_url)
    upgrade(engine)
    assert shape(engine) == new_shape
    engine.dispose()
    app = workspace(tmp_path / "office", postgresql_url)
    use(app)
    app.store.engine.dispose()


@pytest.mark.parametrize("commit", ["7793365", ""], ids=["old", "empty"])
def test_upgrades_at_once_do_it_once(postgresql_url: str, commit: str) -> None:
    if commit:
        put_back_on_server(commit, postgresql_url)
    both = [
        subprocess.Popen([sys.executable, "-c", UPGRADE, postgresql_url], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in both:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in both] == [b"", b"", b""]
    engine = make_engine(postgresql_url)
    assert current(engine) == newest()
    engine.dispose()
