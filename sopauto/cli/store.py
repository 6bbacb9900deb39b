"""The database: where it is, what it holds, and bringing it to the newest version."""

from __future__ import annotations

from sopauto.cli.console import Context, app, command, hint, print_json, say


@command(help={"json": "print JSON"})
def status(c: Context, json: bool = False) -> None:
    """Tell where the database is, its version, and how much it holds."""
    from sopauto.store.engine import make_engine
    from sopauto.store.sqlstore import SqlStore
    from sopauto.store.versions import current, newest

    engine = make_engine(app(c).settings.database)
    store, revision = SqlStore(engine), current(engine)
    told: dict[str, object] = {"database": store.describe(), "version": revision, "newest": newest()}
    if revision == newest():
        with store.read() as reader:
            told |= reader.counts()
    if json:
        print_json(told)
        return
    for name, value in told.items():
        say(f"{name:<10} {value}")
    if revision != newest():
        hint("type: inv store.upgrade")


@command()
def upgrade(c: Context) -> None:
    """Bring the database to the version of this program; an SQLite file is copied first."""
    from sopauto.store.engine import make_engine
    from sopauto.store.versions import newest
    from sopauto.store.versions import upgrade as upgrade_database

    done = upgrade_database(make_engine(app(c).settings.database), copied=True)
    if done.copy:
        say(f"copied to {done.copy}")
    say(f"already at {done.before}" if done.before == newest() else f"{done.before or 'empty'} -> {newest()}")
