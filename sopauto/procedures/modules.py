"""What a row states for its technical modules in `parameter`, held against what they know."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from sopauto.errors import BadInput
from sopauto.procedures.fields import visible
from sopauto.procedures.finding import suggestion
from sopauto.procedures.known import Fault, Module

LOGIN: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


def faults(known: Mapping[str, Module], modules: Sequence[str], parameters: Mapping[Any, Any]) -> Iterator[Fault]:
    """Yield what is wrong with the `parameter` that the modules of one row share."""
    named = [known[module] for module in modules if module in known]
    if not named:
        return
    checks = {name: check for module in named for name, check in module.parameters.items()}
    for name, value in parameters.items():
        if name not in checks:
            what = f"{modules[0]} has no parameter {visible(str(name))!r}"
            yield what, suggestion(str(name)[:80], sorted(checks)) if checks else "leave it out: it takes none"
        else:
            yield from checks[name](value)
    for missing in [name for module in named for name in module.required if name not in parameters]:
        yield f"{modules[0]} lacks the parameter {missing!r}", f"state `parameter: {{{missing}: …}}`"


def login_fault(name: Any) -> Iterator[Fault]:
    """Yield what is wrong with a login's name."""
    if not isinstance(name, str) or not LOGIN.fullmatch(name):
        yield f"{visible(str(name))!r} is no login's name", "name a table [credentials.NAME] of sopauto.toml"


def flag_fault(value: Any) -> Iterator[Fault]:
    """Yield what is wrong with a yes or no."""
    if not isinstance(value, bool):
        yield f"{visible(str(value))!r} is neither true nor false", "write true or false"


def refuse_unknown_login(login: str, logins: Collection[str], where: str) -> None:
    """Refuse a login that the settings do not have; raises BadInput."""
    if login not in logins:
        mend = f"{suggestion(login, sorted(logins))}, or add [credentials.{login}] to sopauto.toml"
        raise BadInput(f"there is no login {login[:60]!r}", where=where, mend=mend)
