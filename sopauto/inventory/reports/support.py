"""Until when an operating system gets security updates: shipped data, and the agency's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from sopauto.data_file import LineOf, read_document
from sopauto.errors import BadInput

FILE: Final = "end_of_life.yaml"
SHIPPED: Final = Path(__file__).parent / FILE

Support = Mapping[tuple[str, str], date]
"""The last day by distribution and the beginning of its version."""


def load_support(workspace: Path) -> Support:
    """Return the shipped dates and those of the workspace, which win; raises BadInput, with file and line."""
    own = workspace / FILE
    return {**_read(SHIPPED), **(_read(own) if own.is_file() else {})}


def last_day(support: Support, system: Mapping[str, str | None]) -> date | None:
    """Return the last day of support of a snapshot's `os`; the longest beginning of its version holds."""
    name, version = system["id"] or "", system["version"] or ""
    found = [start for known, start in support if known == name and _begins(version, start)]
    return support[name, max(found, key=len)] if found else None


def _begins(version: str, start: str) -> bool:
    """Tell whether a version is that one: 1 is not the beginning of 12."""
    rest = version[len(start) :]
    return version.startswith(start) and not rest[:1].isdigit()


def _read(path: Path) -> Support:
    data, line_of = read_document(path)
    if not isinstance(data, dict):
        raise BadInput("is no mapping of distributions", where=str(path), mend="write `debian:` and versions below it")
    return {
        (str(name), str(start)): _day(day, path, line_of, name, start)
        for name, versions in data.items()
        for start, day in _pairs(versions, path, line_of(name))
    }


def _pairs(versions: Any, path: Path, line: int) -> Any:
    if not isinstance(versions, dict):
        raise BadInput("is no mapping of versions to days", where=f"{path}:{line}", mend='write `"12": "2028-06-30"`')
    return versions.items()


def _day(text: Any, path: Path, line_of: LineOf, *place: str) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise BadInput("is no day", where=f"{path}:{line_of(*place)}", mend="write e.g. 2028-06-30") from None
