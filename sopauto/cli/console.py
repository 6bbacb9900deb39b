"""What every command shares: tables, JSON, errors and exit codes.

Exit codes (design rule 9): 0 done, 1 the step failed, 2 bad input, 3 refused by the gate, 4 outcome unknown.
"""

from __future__ import annotations

import functools
import inspect
import json as json_format
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from sopauto.cli.streams import guard_streams, lost_output
from sopauto.cli.typed import as_typed, one_line
from sopauto.data_file import is_text
from sopauto.errors import BadInput, Conflict, NotRecorded, OutcomeUnknown, Refused, SopautoError, StepFailed

if TYPE_CHECKING:
    from sopauto.app import App
    from sopauto.procedures.library import Library
    from sopauto.software.shelf import Shelf

__all__ = [
    "Context",
    "app",
    "command",
    "hint",
    "json_text",
    "library",
    "print_json",
    "printable",
    "say",
    "shelf",
    "table",
    "told_after",
]

EXIT_CODES: Mapping[type[SopautoError], int] = {StepFailed: 1, Conflict: 1, BadInput: 2, Refused: 3, OutcomeUnknown: 4}


def command(**options: Any) -> Callable[[Callable[..., None]], Any]:
    """Make an Invoke task whose foreseen errors become one line and an exit code.

    Where output is lost (a full disk), a command that signs keeps the exit code of its action; any other has failed.
    """

    def decorate(body: Callable[..., None]) -> Any:
        signs = "key" in inspect.signature(body).parameters

        @functools.wraps(body)
        def guarded(c: Context, *args: Any, **kwargs: Any) -> None:
            guard_streams()
            try:
                _refuse_broken_text({**dict(enumerate(args)), **kwargs})
                body(c, *args, **kwargs)
            except SopautoError as error:
                # `inv --debug` is Invoke's own flag: it lets its log speak.
                if logging.getLogger("invoke").isEnabledFor(logging.DEBUG):
                    raise
                raise Exit(f"{label(error)}: {printable(one_line(error))}", code=exit_code(error)) from None
            if not signs and lost_output():
                raise Exit(code=1)

        guarded.__doc__ = as_typed(body.__doc__ or "")
        return task(**{**options, "help": _own_help(body, options.get("help", {}))})(guarded)

    return decorate


def _own_help(body: Callable[..., None], help_texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of the flags that the command really has: shared texts may name more."""
    flags = {name.rstrip("_").replace("_", "-") for name in inspect.signature(body).parameters}
    return {flag: text for flag, text in help_texts.items() if flag in flags}


def _refuse_broken_text(given: Mapping[Any, Any]) -> None:
    """Refuse flags and variables whose bytes are no UTF-8: they could be neither kept nor signed. Raises BadInput."""
    told = [(f"--{str(name).rstrip('_').replace('_', '-')}", value) for name, value in given.items()]
    told += [(name, value) for name, value in os.environ.items() if name.startswith("SOPAUTO_")]
    for where, value in told:
        texts = value if isinstance(value, list) else [value]
        if not all(is_text(text) for text in texts if isinstance(text, str)):
            raise BadInput("is not UTF-8 text", where=where, mend="write it in UTF-8 (see `locale`)")


def exit_code(error: SopautoError) -> int:
    """Return the exit code of an error (1 when its class names none)."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)


def label(error: SopautoError) -> str:
    """Return the word that begins the error's line."""
    if isinstance(error, NotRecorded):
        return "not recorded"
    words = {1: "failed", 2: "bad input", 3: "refused", 4: "outcome unknown"}
    return words[exit_code(error)]


def printable(text: str) -> str:
    """Escape control characters, so that no answer of a machine can steer the reader's terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say(text: str = "", *, to: TextIO | None = None) -> None:
    """Print one line for a person, control characters escaped (default: to standard output)."""
    print(printable(text), flush=True, file=to)


def hint(text: str) -> None:
    """Print one line that names a command, as it is typed here."""
    say(as_typed(text))


def json_text(value: Any, *, indent: int = 2) -> str:
    """Return a value as indented JSON in which every character is one that can be seen, the others escaped."""
    text = json_format.dumps(value, ensure_ascii=False, indent=indent, default=str)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json_format.dumps(c)[1:-1] for c in text)


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    print(json_text(value))


@contextmanager
def told_after(ticket: str, *, json: bool = False) -> Iterator[None]:
    """Let no fault of the telling look as if what was done and is kept had not been done.

    What goes wrong inside is told in one line and is no error of the command: whoever reads has gone, the people file
    lacks a title, a template of the agency does not work.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # At its end Python writes what is left; into the closed pipe it would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        what = one_line(error) if isinstance(error, SopautoError) else f"{type(error).__name__}: {error}"
        if json:
            print_json({"ticket": ticket, "kept": True, "fault": what})
        else:
            say(f"{ticket}: done and kept; what follows cannot be told ({what})")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "nothing") -> None:
    """Print aligned columns; coloured only on a terminal."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    if not cells:
        say(empty)
        return
    widths = [max(len(column), *(len(row[i]) for row in cells)) for i, column in enumerate(columns)]
    heading = "  ".join(column.ljust(width) for column, width in zip(columns, widths, strict=True)).rstrip()
    print(f"\x1b[1m{heading}\x1b[0m" if sys.stdout.isatty() else heading)
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def app(_: Context) -> App:
    """Return the application of the workspace in which the command runs, made once for the whole process."""
    return _built(os.environ.get("SOPAUTO_HOME"), Path.cwd())


@functools.lru_cache(maxsize=1)
def _built(_home: str | None, _folder: Path) -> App:
    from sopauto.app import build

    return build()


def shelf(c: Context) -> Shelf:
    """Return the catalogue of the workspace; outside of one, the shipped entries."""
    from sopauto.software.parameters import shelf_of
    from sopauto.software.shelf import Shelf

    try:
        return shelf_of(app(c).settings)
    except BadInput as error:
        if error.what.startswith("there is no sopauto.toml"):
            return Shelf()
        raise


def library(c: Context) -> Library:
    """Return the SOPs of the workspace; outside of one, the shipped ones."""
    from sopauto.app import shipped_library

    try:
        return app(c).library
    except BadInput as error:
        if error.what.startswith("there is no sopauto.toml"):
            return shipped_library()
        raise
