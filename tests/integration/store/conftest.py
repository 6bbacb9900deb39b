"""Databases for the contract: SQLite in a file, and a real PostgreSQL server of the machine's packages."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from sopauto.app import parts
from sopauto.store.engine import open_store
from sopauto.store.sqlstore import SqlStore
from tests.conftest import need_or_skip

NUMBERS = count(1)


def _programs() -> Path:
    """Return where Debian keeps PostgreSQL's own programs; ends the test by name when there are none."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not versions:
        need_or_skip(missing="postgresql (Debian package)")
    return versions[-1].parent


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL server on a socket in a directory of its own: its URL without a database."""
    programs = _programs()
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    as_user = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
    home = Path(tempfile.mkdtemp(prefix="sopauto-pg-"))
    if os.geteuid() == 0:
        shutil.chown(home, user)
    data = home / "data"
    quick = "-c fsync=off -c listen_addresses= -c unix_socket_directories=" + str(home)
    try:
        subprocess.run(
            [*as_user, programs / "initdb", "-D", data, "-U", "sopauto", "-A", "trust", "--no-sync"],
            check=True,
            capture_output=True,
        )
        subprocess.run(
            [*as_user, programs / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", quick, "start"],
            check=True,
            capture_output=True,
        )
        yield f"postgresql://sopauto@/{{name}}?host={home}"
    finally:
        subprocess.run(
            [*as_user, programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"],
            check=False,
            capture_output=True,
        )
        shutil.rmtree(home)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """The URL of an empty database."""
    import psycopg

    name = f"contract{next(NUMBERS)}"
    admin = postgresql_server.format(name="postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgresql_server.format(name=name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'sopauto.db'}"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """A store in an empty database of each kind."""
    opened = open_store(url, parts())
    yield opened
    opened.engine.dispose()
