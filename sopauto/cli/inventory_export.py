"""Writing the inventory for other systems: each format as files in a directory, or on the output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sopauto.cli.console import json_text, print_json, say
from sopauto.errors import BadInput, StepFailed

if TYPE_CHECKING:
    from sopauto.app import App
    from sopauto.inventory.exports.export import Export, Files, Source


def export(here: App, kind: str, folder: str, *, schema: str = "") -> None:
    """Write the files of a format; without a directory the one document of a format that has only one.

    Raises: BadInput (unknown format, it needs a directory, `schema` refuses a document), StepFailed (they cannot be
    written).
    """
    from sopauto.inventory.exports.export import written_from
    from sopauto.inventory.exports.formats import FORMATS

    if kind not in FORMATS:
        raise BadInput(f"there is no format {kind!r}", mend=f"use one of {', '.join(FORMATS)}")
    chosen = FORMATS[kind]
    with here.store.read() as reader:
        source = written_from(reader.assets, settings=here.settings, history=here.history, at=here.clock.now())
    if schema:
        _refuse_unfit(chosen, source, Path(schema))
    if folder:
        say(f"{_write(chosen.files(source), Path(folder))} files in {folder}")
    elif chosen.single:
        for _, document in chosen.files(source):
            print_json(document)
    else:
        raise BadInput(f"{kind} needs a directory", where="--to", mend="add `--to DIRECTORY`")


def _refuse_unfit(chosen: Export, source: Source, path: Path) -> None:
    """Raise BadInput when the other system would refuse a document by its own schema."""
    from sopauto.inventory.exports.schema import load_schema

    if chosen.checked is None:
        raise BadInput(f"{chosen.name} is not checked by a schema", where="--schema", mend="leave it out")
    schema = load_schema(path)
    for server, document in chosen.checked(source):
        schema.refuse_unfit(document, name=server)


def _write(files: Files, folder: Path) -> int:
    """Write files into a directory, which is made; return how many."""
    count = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files:
            text = content if isinstance(content, str) else json_text(content, indent=1) + "\n"
            (folder / name).write_text(text, encoding="utf-8")
            count += 1
    except OSError as error:
        mend = "check name and rights"
        raise StepFailed(f"cannot be written ({error.strerror})", where=str(folder), mend=mend) from None
    return count
