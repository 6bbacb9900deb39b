"""The versions of the database, by Alembic; each is a numbered and named file in `versions/`."""
