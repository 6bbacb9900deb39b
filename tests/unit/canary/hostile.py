"""Hostile text for every field, and the walks over models and data that put it there.

Nothing is listed by hand that a model can tell: a field that comes later is covered by itself, or the test that needs
an example of it fails.
"""

from __future__ import annotations

import copy
import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from sopauto.errors import SopautoError

TOUCH: Final = "{{ lookup('pipe', 'touch CANARY') }}"
PLAIN: Final = (
    TOUCH + "{% for x in [cycler.__init__.__globals__.os.popen('touch CANARY')] %}{% endfor %}{# catatan #}"
    "$(touch CANARY)`touch CANARY`;touch CANARY|touch CANARY&touch CANARY"
    "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;"
    '"\']]>]#eval("panic()")#read("/etc/passwd")#panic() $x$ *b* \\ %s %n ${HOME} !unsafe &a *a'
)
"""What an engine might read: Ansible, Jinja, shells, HTML, typst, printf, YAML. On one line, nothing hidden."""
LONGEST: Final = 20_000


def texts(canary: Path) -> dict[str, str]:
    """Return one text for each manner of breaking out; what it would run leaves `canary` behind."""
    found = {
        "templates": PLAIN,
        "shell": "$(touch CANARY)`touch CANARY`;touch CANARY;",
        "formula": "=cmd|' /C touch CANARY'!A1",
        "formula by plus": "+cmd|' /C touch CANARY'!A1",
        "formula by minus": "-2+3+cmd|' /C touch CANARY'!A1",
        "formula by at": "@SUM(1+1)*cmd|' /C touch CANARY'!A1",
        "formula after a tab": "\t=1+1",
        "formula in full width": "\uff1d1+1",
        "lines": f"satu\r\nBcc: x@contoh.example\r\n\r\n{TOUCH}\n.\n[Service]\nExecStart=touch CANARY\x85\u2028akhir",
        "terminal": "\x1b]0;judul\x07\x1b[2J\x9b31m\u202e\u2066\u200b\ufeff\x00\x7f\x08akhir",
        "surrogate": "\udcff\ud800",
        "option": "-oProxyCommand=touch CANARY",
        "path": "../../../../etc/passwd",
        "long": "W" * LONGEST,
        "empty": "",
    }
    return {name: text.replace("CANARY", str(canary)) for name, text in found.items()}


Way = tuple[str | int, ...]
"""The way to a value in plain data."""


def leaves(data: Any, way: Way = ()) -> Iterator[Way]:
    """Yield the way to each value that is neither mapping nor list."""
    if isinstance(data, Mapping):
        for name, part in data.items():
            yield from leaves(part, (*way, name))
    elif isinstance(data, list):
        for number, part in enumerate(data):
            yield from leaves(part, (*way, number))
    else:
        yield way


def keys(data: Any, way: Way = ()) -> Iterator[Way]:
    """Yield the way to each key of each mapping."""
    if isinstance(data, Mapping):
        for name, part in data.items():
            yield (*way, name)
            yield from keys(part, (*way, name))
    elif isinstance(data, list):
        for number, part in enumerate(data):
            yield from keys(part, (*way, number))


def with_value(data: Any, way: Way, value: Any) -> Any:
    """Return the data with another value at the end of the way."""
    changed = copy.deepcopy(data)
    parent = changed
    for part in way[:-1]:
        if isinstance(parent, dict) and part not in parent:
            parent[part] = {}
        parent = parent[part]
    parent[way[-1]] = value
    return changed


def with_key(data: Any, way: Way, name: str) -> Any:
    """Return the data with another key at the end of the way."""
    changed = copy.deepcopy(data)
    parent = changed
    for part in way[:-1]:
        parent = parent[part]
    assert isinstance(parent, dict)
    parent[name] = parent.pop(way[-1])
    return changed


def held(read: Callable[..., Any], *given: Any) -> Any:
    """Return what was read (None: it was refused, in an error that is told in one line of bounded length)."""
    try:
        return read(*given)
    except SopautoError as error:
        told = str(error)
        assert "\n" not in told, told
        assert len(told) < LONGEST / 2, told[:500]
        return None


def left_out(model: type[BaseModel], example: Any, way: Way = ()) -> Iterator[Way]:
    """Yield the way to each field of a model, and of the models in it, of which an example holds nothing."""
    for name, field in model.model_fields.items():
        held_there = example.get(name) if isinstance(example, Mapping) else None
        inner = list(_models(field.annotation))
        if held_there in (None, [], {}) and not inner:
            yield (*way, name)
        for part in inner:
            yield from _left_out_of_all(part, _instances(part, held_there), (*way, name))


def _left_out_of_all(model: type[BaseModel], examples: Iterator[tuple[Way, Any]], way: Way) -> Iterator[Way]:
    """Yield what none of the examples holds, as a way in the first of them."""
    lacking = [(number, list(left_out(model, each))) for number, each in examples]
    if lacking:
        first, found = lacking[0]
        yield from ((*way, *first, *one) for one in found if all(one in others for _, others in lacking))


def _instances(model: type[BaseModel], value: Any) -> Iterator[tuple[Way, Any]]:
    """Yield each example of a model that a value holds, with the way to it."""
    if isinstance(value, list):
        yield from (((number,), each) for number, each in enumerate(value))
    elif isinstance(value, Mapping) and value and not set(value) <= set(model.model_fields):
        yield from (((name,), each) for name, each in value.items())
    else:
        yield (), value


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for part in typing.get_args(annotation):
        yield from _models(part)


def poisoned(value: Any, text: str, *, spare: frozenset[str] = frozenset()) -> Any:
    """Return a value with the text in place of every text in it.

    It goes through dataclasses, pydantic models, mappings, lists and tuples, all by themselves. `spare` are fields
    whose value others look up or calculate with: `Class.field`, or a mapping's key. Enumerations are left as they are.
    """

    def each(part: Any) -> Any:
        return poisoned(part, text, spare=spare)

    def named(names: Iterable[str]) -> dict[str, Any]:
        wanted = (name for name in names if f"{type(value).__name__}.{name}" not in spare)
        return {name: each(getattr(value, name)) for name in wanted}

    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return text
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **named(field.name for field in dataclasses.fields(value) if field.init))
    if isinstance(value, BaseModel):
        return value.model_copy(update=named(type(value).model_fields))
    if isinstance(value, Mapping):
        return {name: part if name in spare else each(part) for name, part in value.items()}
    return type(value)(map(each, value)) if isinstance(value, list | tuple) else value
