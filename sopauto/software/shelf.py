"""Where entries stand: the workspace's own `catalogue/` before the shipped one. Each is checked when asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from sopauto.data_file import LineOf, read_bounded, read_document
from sopauto.errors import BadInput
from sopauto.software.chosen import render, settings_of
from sopauto.software.model import NAME, Software, filled

SHIPPED: Final = Path(__file__).parent / "shipped"
FILE: Final = "software.yaml"
MOST_BYTES: Final = 512 << 20
"""Bytes of an archive or package file."""
SEE: Final = "see docs/software.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One software of the catalogue: its name, its directory, and what its file says."""

    name: str
    folder: Path
    software: Software

    @property
    def where(self) -> str:
        """The entry's file."""
        return str(self.folder / FILE)

    def settings(self, given: Any, where: str) -> dict[str, Any]:
        """Return every setting with its value; raises BadInput."""
        return settings_of(self.software, given, where)

    def tests(self, settings: Mapping[str, Any], *, verify: bool = False) -> list[dict[str, Any]]:
        """Return the default tests (or those that verify a configuration) with the settings in them, as plain JSON."""
        tests = self.software.configuration.verify if verify else self.software.tests
        return [
            {"title": filled(test.title, settings), "kind": test.kind}
            | filled(test.model_dump(exclude_none=True), settings)
            for test in tests
        ]

    def files(self, settings: Mapping[str, Any]) -> list[dict[str, str]]:
        """Return the files of the configuration with their content; raises BadInput (a template does not work)."""
        return [
            {
                "path": wanted.path,
                "content": render(self.text(wanted.template), settings, str(self.folder / wanted.template)),
                "mode": wanted.mode,
                "owner": wanted.owner,
                "group": wanted.group,
            }
            for wanted in self.software.configuration.templates
        ]

    def text(self, name: str) -> str:
        """Return the text of a file beside the entry; raises BadInput."""
        try:
            return read_bounded(self._path(name)).decode()
        except UnicodeDecodeError:
            raise BadInput("is not UTF-8 text", where=str(self.folder / name), mend="save it as UTF-8") from None

    def content(self, name: str, sha256: str) -> bytes:
        """Return a file beside the entry whose checksum is the stated one; raises BadInput."""
        path = self._path(name)
        try:
            if path.stat().st_size > MOST_BYTES:
                raise BadInput(
                    f"is larger than {MOST_BYTES >> 20} MiB", where=str(path), mend="install it as a package"
                )
            found = path.read_bytes()
        except OSError as error:
            raise BadInput(f"cannot be read ({error.strerror})", where=str(path), mend="put it there") from None
        digest = hashlib.sha256(found).hexdigest()
        if digest != sha256:
            raise BadInput(
                f"its SHA-256 is {digest}, not {sha256}", where=str(path), mend="fetch it again, or correct the entry"
            )
        return found

    def _path(self, name: str) -> Path:
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise BadInput(f"{name} leads out of the entry", where=self.where, mend="name a file beside software.yaml")
        return path


class Shelf:
    """The catalogue of a workspace; without one, the shipped entries."""

    def __init__(self, own: Path | None = None) -> None:
        self._folders = tuple(folder for folder in (own, SHIPPED) if folder is not None)

    def names(self) -> list[str]:
        """Return the names of all entries."""
        found = {path.parent.name for folder in self._folders for path in folder.glob(f"*/{FILE}")}
        return sorted(found)

    def get(self, name: str) -> Entry:
        """Return an entry; raises BadInput (there is none, or what is wrong with it)."""
        for folder in self._folders:
            if NAME.fullmatch(name) and (folder / name / FILE).is_file():
                return read_entry(folder / name)
        mend = f"known: {', '.join(self.names())}"
        raise BadInput(f"the catalogue has no {name[:60]!r}", where=str(self._folders[0]), mend=mend)

    def all(self) -> Iterator[Entry]:
        """Yield every entry; raises BadInput."""
        return (self.get(name) for name in self.names())


def read_entry(folder: Path) -> Entry:
    """Return the entry of a directory, checked with everything that it names; raises BadInput."""
    if not NAME.fullmatch(folder.name):
        raise BadInput(
            f"{folder.name!r} is no name", where=str(folder), mend="write lower-case words joined by hyphens"
        )
    path = folder / FILE
    data, line_of = read_document(path)
    try:
        software = Software.model_validate(data)
    except ValidationError as error:
        raise _told(error, path, line_of) from None
    entry = Entry(name=folder.name, folder=folder, software=software)
    _refuse_unsound(entry)
    return entry


def _told(error: ValidationError, path: Path, line_of: LineOf) -> BadInput:
    """Return the first fault in one line: what is wrong, at which line and key, and how to mend it."""
    first = error.errors()[0]
    place = first["loc"]
    what, _, mend = str(first["msg"]).removeprefix("Value error, ").partition("; ")
    if first["type"] == "extra_forbidden":
        what = "unknown key"
    where = f"{path}:{line_of(*place)} {'.'.join(map(str, place))}".strip()
    return BadInput(what, where=where, mend=mend or SEE)


def _refuse_unsound(entry: Entry) -> None:
    """Refuse an entry whose defaults, templates or files do not hold; raises BadInput."""
    settings = entry.settings({}, f"{entry.where} configuration.settings")
    entry.files(settings)
    entry.tests(settings)
    archive = entry.software.source.archive
    for unit in archive.units if archive else ():
        entry.text(unit)
