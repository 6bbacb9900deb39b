"""The words of Ansible that decide what a playbook reads, and where: modules, lookups, variables, ways of writing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

OWN: Final = ("ansible.builtin", "ansible.legacy")
COLLECTION: Final = re.compile(r"(?![\d_])[a-z0-9_]+\.[a-z][a-z0-9_]*(?:\.\w+)+", re.ASCII)
"""A name in a collection: `community.general.ufw`."""
FILTER: Final = re.compile(r"(?:\||\bis(?:\s+not)?)\s*([a-z_]\w*\.[a-z_]\w*\.\w+)", re.ASCII)
LOOKUP: Final = re.compile(
    r"\b(?:lookup|query|q)\s*\(\s*(?P<q>['\"])(?P<name>[\w.]+)(?P=q)(?:\s*,\s*(?P<p>['\"])(?P<term>[^'\"]{0,1000})(?P=p))?"
)
CONNECTION: Final = re.compile(
    r"ansible_(connection|host|port|user|password|pass|(private_key|ssh|scp|sftp|paramiko|local|shell|control|winrm|psrp)\w*"
    r"|host_key_checking|transport)"
)
"""Variables that decide which machine is spoken to, and how."""
PAIR: Final = re.compile(r"(?:^|\s)(\w+)=((?:\"[^\"]*\"|'[^']*'|\{\{.*?\}\}|[^\s\"'])+)")
LONGEST: Final = 4096
"""Characters of options on one line that are read."""
TASK_LISTS: Final = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")
INCLUDED: Final = {
    "include": ("file", "_raw"),
    "include_tasks": ("file", "_raw"),
    "import_tasks": ("file", "_raw"),
    "import_playbook": ("_raw",),
    "include_vars": ("file", "dir", "_raw"),
    "include_role": ("tasks_from", "vars_from", "defaults_from", "handlers_from"),
    "import_role": ("tasks_from", "vars_from", "defaults_from", "handlers_from"),
    "script": ("cmd", "_raw"),
    "copy": ("src",),
    "template": ("src",),
    "unarchive": ("src",),
    "assemble": ("src",),
    "uri": ("src",),
    "fetch": ("dest",),
}
"""Modules that read or write files on this machine, and which of their options name them."""
ROLES: Final = ("include_role", "import_role")
READ: Final = (*INCLUDED, "add_host", "assert", "pause", "set_fact")
FILE_TEST: Final = re.compile(
    r"\bis\s+(?:not\s+)?(?:ansible\.builtin\.)?((?:is_)?(?:exists|file|dir|directory|link|mount|same_file)|link_exists)\b"
)
BRACES: Final = re.compile(r"\{[{%]|[%}]\}")
"""Where an expression begins and ends."""
CONDITIONS: Final = ("when", "until", "failed_when", "changed_when")
SURROUNDINGS: Final = {
    "pipe": "runs a command on this machine",
    "lines": "runs a command on this machine",
    "url": "reads from the network",
    "env": "reads the environment of whoever starts it",
}
FILE_LOOKUPS: Final = ("file", "fileglob", "first_found", "template", "ini", "csvfile", "unvault", "password")
HERE: Final = ("localhost", "127.0.0.1", "::1")
ITSELF: Final = re.compile(r"\{\{\s*(inventory_hostname|ansible_host|ansible_play_hosts(_all)?\[0\])\s*\}\}")
BESIDE: Final = re.compile(r"\{\{\s*(playbook_dir|role_path)\s*\}\}/?")
BARE: Final = frozenset(["defaults", "group_vars", "handlers", "host_vars", "meta", "tasks", "vars"])
"""Folders of which Ansible reads files without an ending too."""
FOLLOWED: Final = (".yml", ".yaml", ".json", ".j2", ".py")


def actions(part: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield key, module and options of what a task does, in each way in which it can be written."""
    for key, value in part.items():
        if key in {"action", "local_action"} and isinstance(value, str):
            module, _, rest = value.strip().partition(" ")
            yield key, module, rest
        elif key in {"action", "local_action"} and isinstance(value, Mapping):
            options = {name: option for name, option in value.items() if name != "module"}
            module, _, rest = str(value.get("module", "")).partition(" ")
            yield key, module, options | options_of(rest)
        elif short(key) in READ or COLLECTION.fullmatch(key):
            yield key, key, value


def options_of(value: Any) -> dict[str, Any]:
    """Return a module's options; what has no name is `_raw`."""
    if isinstance(value, Mapping):
        return {("_raw" if key in {"_raw_params", "free_form"} else key): part for key, part in value.items()}
    text = value[:LONGEST] if isinstance(value, str) else ""
    options: dict[str, Any] = {name: part.strip("'\"") for name, part in PAIR.findall(text)}
    rest = PAIR.sub("", text).strip()
    return options | ({"_raw": rest} if rest else {})


def on_the_server(module: str, options: Mapping[str, Any]) -> bool:
    """Tell whether a module reads its source on the server."""
    default = "yes" if module == "assemble" else "no"
    remote = str(options.get("remote_src", default)).lower() in {"yes", "true", "1", "on", "y", "t"}
    return module in {"copy", "template", "unarchive", "assemble", "uri"} and remote


def is_data(name: str) -> bool:
    """Tell whether Ansible reads a file of this name as tasks or variables, when it is not only sent to servers."""
    parts = name.split("/")
    return name.endswith((".yml", ".yaml", ".json")) or ("." not in parts[-1] and bool(BARE & set(parts[:-1])))


def short(name: str) -> str:
    """Return a name without the namespace of Ansible itself."""
    for own in OWN:
        if name.startswith(f"{own}."):
            return name[len(own) + 1 :]
    return name


def texts(value: Any) -> list[str]:
    """Return all texts of a text, or of lists and mappings of them."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return texts(list(value.values()))
    if isinstance(value, Sequence):
        return [text for part in value for text in texts(part)]
    return []
