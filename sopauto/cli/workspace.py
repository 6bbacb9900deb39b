"""A workspace: the directory that holds an agency's settings, people, SOPs and database."""

from __future__ import annotations

import shutil
from pathlib import Path

from sopauto.cli.console import Context, command, hint, say
from sopauto.cli.typed import as_typed
from sopauto.errors import BadInput

EXAMPLE = Path(__file__).parent / "example"
PRIVATE = ("sopauto.toml", "people.yaml")
"""What others on the machine have no business to read: logins, and who is who."""


@command()
def settings(c: Context) -> None:
    """Print all keys of sopauto.toml with their defaults (docs/settings.md is this text)."""
    from sopauto.cli.settings_page import settings_page

    del c
    print(settings_page(), end="")


@command(help={"directory": "where to make it; it must be empty or new"})
def init(c: Context, directory: str) -> None:
    """Make a workspace with example settings, people, assets and a letter. Example: `inv workspace.init kominfo`."""
    del c
    home = Path(directory)
    if home.exists() and any(home.iterdir()):
        raise BadInput("is not empty", where=directory, mend="name a new directory")
    shutil.copytree(EXAMPLE, home, dirs_exist_ok=True)
    for path in (path for path in home.rglob("*") if path.is_file()):
        path.write_text(as_typed(path.read_text()))
    for name in PRIVATE:
        (home / name).chmod(0o600)
    for folder in ("procedures", "templates"):
        (home / folder).mkdir(mode=0o755, exist_ok=True)
    say(f"made {home}")
    say(f"  edit:  {home / 'people.yaml'}, {home / 'sopauto.toml'}, {home / 'assets.yaml'}")
    say(f"  type:  export SOPAUTO_HOME={home.resolve()}")
    hint("         inv doctor")
