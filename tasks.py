"""The commands of the checkout: `uv run inv --list`."""

from invoke.collection import Collection

import lab.tasks
from sopauto.cli.program import namespace

ns: Collection = namespace()
lab.tasks.add_to(ns)
