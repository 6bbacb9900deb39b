"""The variables of a run: the one place where values from outside become variables of Ansible.

Ansible reads a text as a template only where it trusts it, and it trusts every text of these files that is not marked.
All stand under one mark here, whatever field they came from: names, values, and what is nested in them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sopauto.errors import BadInput
from sopauto.procedures.fields import visible
from sopauto.procedures.variables import faults

UNSAFE: Final = "!unsafe"
"""Ansible's mark: nothing below it is a template."""
NAME: Final = re.compile(r"(?!(?:all|ungrouped|localhost)$)[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
"""Of a server: no pattern of several, no port, and no name that means another machine to Ansible."""


def inventory(server: str, variables: Any, connection: Mapping[str, Any]) -> str:
    """Return an inventory with one server; how it is reached is set last and cannot be set by the variables.

    Raises: BadInput (a variable's name is not to be set, a value cannot be written, or this is no server's name).
    """
    if not NAME.fullmatch(server):
        raise BadInput(f"{visible(server)!r} is no name of a server", where="inventory", mend="use a host name")
    for what, mend in faults(variables):
        raise BadInput(what, where=f"variables of {server}", mend=mend)
    return _written({"all": {"hosts": {server: _Inert({**variables, **connection})}}})


def inert(variables: Mapping[str, Any]) -> str:
    """Return variables as a file of which nothing is a template."""
    return _written(_Inert(variables))


class _Inert(dict[str, Any]):
    """What is no template."""


def _written(data: Any) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes plain data, every part where it stands."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the parent's signature
            """Use no anchors: what is marked once would not be marked where it is repeated."""
            return True

    Dumper.add_representer(_Inert, lambda dumper, inert: dumper.represent_mapping(UNSAFE, inert))
    return str(yaml.dump(data, Dumper=Dumper, sort_keys=False))
