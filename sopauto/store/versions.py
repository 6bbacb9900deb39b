"""Which version a database has, and how it gets the newest (Alembic; the steps stand in `migrations/versions/`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

FOLDER: Final = Path(__file__).parent / "migrations"


def current(engine: Engine) -> str | None:
    """Return the version of a database (None: it is empty)."""
    from alembic.runtime.migration import MigrationContext

    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """Return the version that this program needs."""
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(str(FOLDER)).get_current_head()
    assert head is not None
    return head


def upgrade(engine: Engine) -> None:
    """Bring a database to the newest version, in one transaction."""
    from alembic import command

    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        command.upgrade(_config(connection), "head")


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config
