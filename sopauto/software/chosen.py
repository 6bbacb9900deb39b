"""What an engineer set: checked against the entry's schema, and rendered into its templates as inert data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from sopauto.errors import BadInput
from sopauto.software.model import Setting, Software
from sopauto.software.patterns import fits

HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
PATH: Final = re.compile(r"/[A-Za-z0-9/_.@+-]*", re.ASCII)


def settings_of(software: Software, given: Any, where: str) -> dict[str, Any]:
    """Return every setting with its value: what was given, else the default; raises BadInput."""
    if not isinstance(given, Mapping):
        raise BadInput("is not a mapping of settings", where=where, mend="write `name: value` lines")
    schema = software.configuration.settings
    for name in given:
        if name not in schema:
            near = get_close_matches(str(name), schema, n=1)
            mend = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(schema) or 'none'}"
            raise BadInput(f"there is no setting {str(name)[:60]!r}", where=where, mend=mend)
    return {
        name: _value(setting, given.get(name, setting.default), f"{where} {name}") for name, setting in schema.items()
    }


def _value(setting: Setting, value: Any, where: str) -> Any:
    wrong = _fault(setting, value)
    if wrong:
        shown = str(value)[:60].encode("unicode_escape").decode()
        raise BadInput(f"{shown!r} {wrong[0]}", where=where, mend=wrong[1])
    return value


def _fault(setting: Setting, value: Any) -> tuple[str, str] | None:
    """Return what is wrong with a value, and how to mend it."""
    if setting.type == "flag":
        return None if isinstance(value, bool) else ("is no flag", "write true or false")
    if setting.type == "number":
        sound = isinstance(value, int) and not isinstance(value, bool) and setting.minimum <= value <= setting.maximum
        return None if sound else ("is no such number", f"write one from {setting.minimum} to {setting.maximum}")
    if setting.type == "choice":
        return None if value in setting.choices else ("is no choice", f"write one of: {', '.join(setting.choices)}")
    return _fault_of_text(setting, value)


def _fault_of_text(setting: Setting, value: Any) -> tuple[str, str] | None:
    if not isinstance(value, str):
        return "is no text", "put it between quotation marks"
    if len(value) > setting.longest:
        return "is too long", f"write at most {setting.longest} characters"
    own = {"host": HOST, "path": PATH}.get(setting.type)
    sound = bool(own.fullmatch(value)) if own else fits(setting.pattern, value)
    if not value.isprintable() or not sound:
        return "holds what this setting may not hold", f"allowed: {own.pattern if own else setting.pattern}"
    return None


def render(template: str, settings: Mapping[str, Any], where: str) -> str:
    """Return a template's text with the settings in it; raises BadInput. A value is data: nothing in it is read."""
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    try:
        return environment.from_string(template).render(settings)
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"the template does not work ({reason})", where=where, mend="correct it") from None
