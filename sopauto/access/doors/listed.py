"""The door controllers that the settings list."""

from __future__ import annotations

from pathlib import Path

from sopauto.access.doors.by_csv import CsvDoor
from sopauto.access.doors.by_http import HttpDoor
from sopauto.access.doors.door import Doors
from sopauto.errors import BadInput
from sopauto.procedures.finding import suggestion
from sopauto.settings import Settings


def doors_of(settings: Settings) -> Doors:
    """Return the door controllers by name."""
    return {
        name: CsvDoor(name, at.file) if at.file and at.kind == "csv" else HttpDoor(name, at)
        for name, at in settings.access.doors.items()
    }


def begin_door(settings: Settings, door: str) -> Path:
    """Make the file of a csv door that is new; return where. Raises BadInput (no such door, or it was in use)."""
    files = {name: at.file for name, at in settings.access.doors.items() if at.file and at.kind == "csv"}
    if door not in files:
        what = f"there is no csv door {door[:60]!r}"
        raise BadInput(what, where="[access.doors]", mend=suggestion(door, list(files)))
    CsvDoor(door, files[door]).begin()
    return files[door]
