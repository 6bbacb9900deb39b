"""SQLAlchemy Core on SQLite or PostgreSQL, with Alembic migrations."""
