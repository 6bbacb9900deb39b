"""Read a YAML or JSON file that anybody may have written: bounded, as plain data, with the line of every key.

The YAML that is understood is a small one on purpose: no aliases, no tags, one document, and only null, true, false and
whole numbers have a type. All else is text, so that a serial number `007`, a version `1.10` or a time `09:30` stays
what was written, and `no:` is a key.
"""

from __future__ import annotations

import json
import os
import re
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from sopauto.errors import BadInput

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 30
MAX_EVENTS: Final = 50_000
FEW_PAGES: Final = "this file should hold a few pages of text"

INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s,:{}\[\]"]+', re.DOTALL)
"""A token of sound JSON, without the commas and colons."""
HALVES: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
"""A character beyond 16 bits, as JSON escapes it."""
WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}

UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that steer a terminal or a page without being seen."""

Place = tuple[str | int, ...]
"""The way to a value: keys and list positions."""


class LineOf(Protocol):
    """Tells the line (from 1) on which the value at a place begins, or the nearest thing around it."""

    def __call__(self, *place: str | int) -> int:
        """Return the line of `data[place[0]][place[1]]…`."""


def read_document(path: Path) -> tuple[Any, LineOf]:
    """Return the data of a YAML or JSON file (`.json`), and where each part of it stands.

    Raises: BadInput (not a readable file, over 1 MiB, not UTF-8, malformed, aliases, tags, too deep, a key twice).
    """
    return parse_document(read_bounded(path), str(path))


def read_bounded(path: Path, *, most: int = MAX_BYTES, mend: str = FEW_PAGES) -> bytes:
    """Return the content of a regular file of at most so many bytes; a larger one is refused before reading.

    Raises: BadInput.
    """
    try:
        # Without O_NONBLOCK a named pipe would hold us for ever.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadInput("not a regular file", where=str(path), mend="name a YAML or JSON file")
            if status.st_size > most:
                raise _too_large(path, most, mend)
            content = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise BadInput(f"cannot be read ({reason})", where=str(path), mend="check the name and the rights") from None
    if len(content) > most:
        raise _too_large(path, most, mend)
    return content


def is_text(text: str) -> bool:
    """Tell whether a text can be written as UTF-8: no byte of another encoding, no half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def unseen(text: str) -> str | None:
    """Return the first character that cannot be seen (line breaks and tabs included), escaped; None without one."""
    for character in text:
        if unicodedata.category(character) in UNSEEN:
            return character.encode("unicode_escape").decode()
    return None


def parse_document(content: bytes, where: str) -> tuple[Any, LineOf]:
    """Return the data of YAML or JSON bytes (`where` ends in `.json`), and where each part of it stands.

    Raises: BadInput.
    """
    if len(content) > MAX_BYTES:
        raise _too_large(where)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput("not UTF-8 text", where=f"{where}:{line}", mend="save the file as UTF-8") from None
    if not where.endswith(".json"):
        tree = _parse_yaml(text, where)
        return tree.root, tree.line_of
    return _parse_json(text, where), _lines_of_json(text, where).line_of


def _too_large(where: Path | str, most: int = MAX_BYTES, mend: str = FEW_PAGES) -> BadInput:
    return BadInput(f"larger than {most >> 20} MiB", where=str(where), mend=mend)


def _parse_json(text: str, where: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise BadInput(f"malformed JSON ({error.msg})", where=f"{where}:{error.lineno}", mend="correct it") from None
    except (ValueError, RecursionError) as error:
        what = str(error) if type(error) is ValueError else "nested too deeply"
        raise BadInput(f"malformed JSON ({what[:200]})", where=where, mend="correct it") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return data


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


@dataclass(slots=True, kw_only=True)
class _Frame:
    """A mapping or list that is being filled."""

    container: dict[str, Any] | list[Any]
    place: Place
    key: str | None = None


@dataclass(slots=True, kw_only=True)
class _Tree:
    """What the parser's events have built so far. Built without recursion, so that depth costs nothing."""

    where: str
    root: Any = None
    frames: list[_Frame] = field(default_factory=list)
    lines: dict[Place, int] = field(default_factory=dict)

    def line_of(self, *place: str | int) -> int:
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def fault(self, line: int, what: str, mend: str) -> BadInput:
        return BadInput(what, where=f"{self.where}:{line}", mend=mend)

    def add_scalar(self, text: str, *, plain: bool, line: int) -> None:
        frame = self.frames[-1] if self.frames else None
        if frame is not None and isinstance(frame.container, dict) and frame.key is None:
            self._begin_key(frame, text, line)
        else:
            self._place(_resolve(text) if plain else text, line)

    def _begin_key(self, frame: _Frame, text: str, line: int) -> None:
        if not text or not text.isprintable():
            raise self.fault(line, "a key is empty or holds control characters", "write a plain word")
        if text in frame.container:
            raise self.fault(line, f"the key {text!r} stands twice", "keep one of them")
        frame.key = text
        self.lines[(*frame.place, text)] = line

    def open(self, container: dict[str, Any] | list[Any], line: int) -> None:
        if len(self.frames) >= MAX_DEPTH:
            raise self.fault(line, f"nested deeper than {MAX_DEPTH} levels", "write it flatter")
        if self.frames and isinstance(self.frames[-1].container, dict) and self.frames[-1].key is None:
            raise self.fault(line, "a key is a list or a mapping", "write a plain word")
        self.frames.append(_Frame(container=container, place=self._place(container, line)))

    def _place(self, value: Any, line: int) -> Place:
        """Put a value where the parser stands and return that place."""
        if not self.frames:
            self.root = value
            place: Place = ()
        else:
            frame = self.frames[-1]
            if isinstance(frame.container, list):
                place = (*frame.place, len(frame.container))
                frame.container.append(value)
            else:
                assert frame.key is not None
                place = (*frame.place, frame.key)
                frame.container[frame.key] = value
                frame.key = None
        self.lines.setdefault(place, line)
        return place


def _lines_of_json(text: str, where: str) -> _Tree:
    """Return where each part of sound JSON stands; raises BadInput (too deep, too many parts, half a character)."""
    tree = _Tree(where=where)
    line, at = 1, 0
    for count, token in enumerate(TOKEN.finditer(text)):
        line, at = line + text.count("\n", at, token.start()), token.start()
        if count > MAX_EVENTS:
            raise tree.fault(line, f"more than {MAX_EVENTS} parts", FEW_PAGES)
        word = token[0]
        if word in {"{", "["}:
            tree.open({} if word == "{" else [], line)
        elif word in {"}", "]"}:
            tree.frames.pop()
        else:
            quoted = word.startswith('"')
            value = json.loads(word) if quoted else word
            if not is_text(value):
                raise tree.fault(line, "half of a character (\\ud800 to \\udfff)", "write the character itself")
            tree.add_scalar(value, plain=not quoted, line=line)
    return tree


def _resolve(text: str) -> Any:
    if text in WORDS:
        return WORDS[text]
    return int(text) if INTEGER.fullmatch(text) else text


def _parse_yaml(text: str, where: str) -> _Tree:
    """Return what a YAML says; JSON's way of writing an emoji as two halves is understood in a YAML file as well."""
    try:
        return _parse_whole(text, where)
    except BadInput:
        joined = HALVES.sub(_whole, text)
        if joined == text:
            raise
        return _parse_whole(joined, where)


def _whole(halves: re.Match[str]) -> str:
    """Return an emoji's two halves as YAML escapes it."""
    character: str = json.loads('"' + halves[0] + '"')
    return f"\\U{ord(character):08x}"


def _parse_whole(text: str, where: str) -> _Tree:
    import yaml

    tree = _Tree(where=where)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _build(tree, yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(part) for part in (error.context, error.problem) if part)
        raise tree.fault(mark.line + 1 if mark else 1, f"malformed YAML ({problem})", "correct it") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        problem = str(getattr(error, "reason", "unreadable character"))
        raise BadInput(f"malformed YAML ({problem})", where=where, mend="correct it") from None
    return tree


def _build(tree: _Tree, events: Iterable[Any]) -> None:
    import yaml

    documents = 0
    for count, event in enumerate(events):
        line = event.start_mark.line + 1
        if count > MAX_EVENTS:
            raise tree.fault(line, f"more than {MAX_EVENTS} parts", "this file should hold a few pages of text")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise tree.fault(line, "a second document begins", "keep one document in a file (one `---`)")
        elif isinstance(event, yaml.NodeEvent):
            _build_node(tree, event, line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            tree.frames.pop()


def _build_node(tree: _Tree, event: Any, line: int) -> None:
    import yaml

    if isinstance(event, yaml.AliasEvent) or event.anchor:
        raise tree.fault(line, "anchors (&) and aliases (*) are not allowed", "write the value out, or quote the text")
    if event.tag and event.tag != "!":
        raise tree.fault(line, "tags (!) are not allowed", "leave the tag out, or quote the text")
    if isinstance(event, yaml.ScalarEvent):
        tree.add_scalar(event.value, plain=event.implicit[0] and not event.style, line=line)
    else:
        tree.open({} if isinstance(event, yaml.MappingStartEvent) else [], line)
