"""How Alembic runs our migrations: on the connection that `versions.upgrade` opened, inside its transaction."""

from __future__ import annotations

from alembic import context

from sopauto.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
