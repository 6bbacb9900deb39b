"""All keys of `sopauto.toml` with their defaults, as a page: made from the models that read the file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from inspect import cleandoc
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

HEAD: Final = """\
# Settings: `sopauto.toml`

This page is what `inv workspace.settings` prints. Paths are relative to the folder of `sopauto.toml`. Secrets stand in
variables of the environment, which keys that end in `_env` name. A key that is not listed here is refused.
"""
WORDS: Final[Mapping[object, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    date: "date",
    Path: "path",
    type(None): "",
}
BOUNDS: Final = {
    "ge": "from {}",
    "gt": "above {}",
    "le": "up to {}",
    "lt": "below {}",
    "min_length": "not empty",
    "max_length": "at most {} long",
    "pattern": "like `{}`",
}
OWN: Final = "root"
"""What is no key of the file: where it stands."""


def settings_page() -> str:
    """Return the page as Markdown."""
    from sopauto.settings import Settings

    return "\n".join([HEAD.rstrip("\n"), *_section(Settings, "")]) + "\n"


def _section(model: type[BaseModel], name: str) -> Iterator[str]:
    """Yield the lines of one table of the file, then those of the tables in it."""
    inner = {key: found for key, field in model.model_fields.items() if (found := _model_of(field.annotation))}
    keys = [key for key in model.model_fields if key not in inner and key != OWN]
    if keys:
        yield f"\n## `[{name}]`\n" if name else "\n## At the top of the file\n"
        if name and model.__doc__:
            yield f"{cleandoc(model.__doc__)}\n"
        yield "| key | what | default |"
        yield "|---|---|---|"
        yield from (_row(key, model.model_fields[key]) for key in keys)
    for key, (below, many) in inner.items():
        yield from _section(below, ".".join(filter(None, (name, key, "NAME" if many else ""))))


def _model_of(annotation: Any) -> tuple[type[BaseModel], bool] | None:
    """Return the model of a table, and whether there may be many of it, each with a name (None: it is a plain key)."""
    from pydantic import BaseModel

    many = get_origin(annotation) is not None and get_args(annotation)[:1] == (str,)
    inside = get_args(annotation)[-1] if many else annotation
    return (inside, many) if isinstance(inside, type) and issubclass(inside, BaseModel) else None


def _row(key: str, field: FieldInfo) -> str:
    if field.is_required():
        default = "must be stated"
    else:
        value = field.get_default(call_default_factory=True)
        default = "none" if value is None else f"`{json.dumps(value, ensure_ascii=False, default=str)}`"
    what = ", ".join([_type(field.annotation), *_bounds(field)])
    return f"| `{key}` | {what} | {default} |".replace("`[]`", "none").replace("`{}`", "none")


def _type(annotation: Any) -> str:
    """Return what kind of value a key takes, in words."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inside[0])
    if origin in {Union, UnionType}:
        return " or ".join(filter(None, map(_type, inside)))
    if origin is Literal:
        return " or ".join(f"`{word}`" for word in inside)
    if origin is tuple:
        return f"list of {_type(inside[0])}"
    if origin is not None:
        return f"table of {_type(inside[-1])}"
    return WORDS[annotation]


def _bounds(field: FieldInfo) -> Iterator[str]:
    for bound in field.metadata:
        for name, text in BOUNDS.items():
            value = getattr(bound, name, None)
            if value is not None:
                yield text.format(value).replace("|", "\\|")
