"""The technical modules that an SOP may name in `teknis`: whether they change a machine, and their `parameter`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from sopauto.procedures.fields import visible
from sopauto.procedures.finding import suggestion
from sopauto.procedures.variables import faults as faults_of_variables

LOGIN: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)

Fault = tuple[str, str]
"""What is wrong, and how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A technical module: whether it changes a machine, and each parameter with what yields a value's faults."""

    changes: bool
    parameters: Mapping[str, Callable[[Any], Iterator[Fault]]] = field(default_factory=dict)
    required: tuple[str, ...] = ()


def faults(modules: Sequence[str], parameters: Mapping[Any, Any]) -> Iterator[Fault]:
    """Yield what is wrong with the `parameter` that the modules of one row share."""
    named = [MODULES[module] for module in modules if module in MODULES]
    if not named:
        return
    known = {name: check for module in named for name, check in module.parameters.items()}
    for name, value in parameters.items():
        if name not in known:
            what = f"{modules[0]} has no parameter {visible(str(name))!r}"
            yield what, suggestion(str(name)[:80], sorted(known)) if known else "leave it out: it takes none"
        else:
            yield from known[name](value)
    for missing in [name for module in named for name in module.required if name not in parameters]:
        yield f"{modules[0]} lacks the parameter {missing!r}", f"state `parameter: {{{missing}: …}}`"


def playbook_fault(name: Any) -> Iterator[Fault]:
    """Yield what is wrong with a playbook's name."""
    if not isinstance(name, str) or PurePosixPath(name).name != name or not name.endswith((".yml", ".yaml")):
        yield f"{visible(str(name))!r} is no playbook's name", "write e.g. set_time_zone.yml"


def _login(name: Any) -> Iterator[Fault]:
    if not isinstance(name, str) or not LOGIN.fullmatch(name):
        yield f"{visible(str(name))!r} is no login's name", "name a table [credentials.NAME] of sopauto.toml"


def _flag(value: Any) -> Iterator[Fault]:
    if not isinstance(value, bool):
        yield f"{visible(str(value))!r} is neither true nor false", "write true or false"


_DELETE_DATA: Final = {"hapus_data": _flag}

MODULES: Final[Mapping[str, Module]] = {
    "access.grant": Module(changes=True),
    "access.revoke": Module(changes=True),
    "custody.check": Module(changes=False),
    "custody.connect": Module(changes=True),
    "custody.disconnect": Module(changes=True),
    "inventory.collect": Module(changes=False),
    "playbook.run": Module(
        changes=True,
        parameters={"playbook": playbook_fault, "variables": faults_of_variables, "login": _login},
        required=("playbook",),
    ),
    "server.harden": Module(changes=True),
    "server.provision": Module(changes=True),
    "software.check": Module(changes=False, parameters=_DELETE_DATA),
    "software.configure": Module(changes=True),
    "software.install": Module(changes=True, parameters=_DELETE_DATA),
    "software.remove": Module(changes=True, parameters=_DELETE_DATA),
    "software.run": Module(changes=True, parameters=_DELETE_DATA),
    "software.test": Module(changes=False),
    "software.verify": Module(changes=False),
}
"""Every technical module by its name; `parameter` of a row may state what stands here and nothing else."""
