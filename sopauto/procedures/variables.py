"""Which names a variable may have that an SOP or a profile hands to a playbook.

How a server is reached, and what Ansible itself says of a run, are sopauto's: nobody sets them beside an approval.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sopauto.procedures.fields import visible


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}", re.ASCII)
OF_CONNECTIONS: Final = re.compile(r"ansible_.*", re.IGNORECASE | re.ASCII | re.DOTALL)
"""Address, port, user, key, rights, interpreter, and every option of the plug-ins that carry a task to a server."""
MAGIC: Final = _words("""
    delegated_vars environment group_names groups hostvars inventory_dir inventory_file inventory_hostname
    inventory_hostname_short omit play_hosts playbook_dir role_name role_names role_path role_uuid vars
""")
"""What Ansible says of a run by itself."""
KEYWORDS: Final = _words("""
    action always any_errors_fatal args async async_val become become_exe become_flags become_method become_user
    block changed_when check_mode collections connection debugger delay delegate_facts delegate_to diff fact_path
    failed_when force_handlers gather_facts gather_timeout handlers hosts ignore_errors ignore_unreachable
    local_action loop loop_control loop_with max_fail_percentage module_defaults name no_log notify order poll port
    post_tasks pre_tasks register remote_user rescue retries roles run_once serial strategy tags tasks throttle
    timeout until vars_files vars_prompt when with_
""")
"""Words of a playbook: as a variable each would say something else than it does there."""
OF_TEMPLATES: Final = _words("""
    cycler dict joiner lipsum lookup namespace now q query range self undef true false none and else if in is not or
    recursive
""")
"""Functions and words of templates."""
DEEPEST: Final = 8


def reserved(name: str) -> bool:
    """Tell whether a name belongs to Ansible or to sopauto."""
    taken = name in MAGIC or name in KEYWORDS or name in OF_TEMPLATES or keyword.iskeyword(name)
    return taken or OF_CONNECTIONS.fullmatch(name) is not None


def faults(variables: Any) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the variables of a playbook, and how to mend it."""
    if not isinstance(variables, Mapping):
        yield "`variables` is not a mapping", "write `name: value` lines"
        return
    for name in variables:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            yield f"{visible(str(name))!r} is no name of a variable", "write letters, digits and underscores"
        elif OF_CONNECTIONS.fullmatch(name):
            yield f"{name} says how a server is reached", "leave it out: address, login and host key are the ticket's"
        elif reserved(name):
            yield f"{name} is a word of Ansible's own", "give the variable another name"
    if not all(_plain(value) for value in variables.values()):
        yield "`variables` holds more than texts, numbers, yes and no, lists and mappings", "write plain values"


def _plain(value: Any, depth: int = 0) -> bool:
    """Tell whether a value is what JSON can hold, not too deep, and every text one that can be written."""
    if depth > DEEPEST:
        return False
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _plain(name) and _plain(part, depth + 1) for name, part in value.items())
    if isinstance(value, list | tuple):
        return all(_plain(part, depth + 1) for part in value)
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return value is None or isinstance(value, bool | int | float)
