"""What a playbook may not ask for: things that lie outside of what is approved, or run on this machine.

Each fault is told by file, line and how to mend it, before anything runs. What only shows at run time (a path made from
variables) meets the guard of the run (`drivers/guard.py`): there is no way around either.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from sopauto.data_file import MAX_BYTES, LineOf, Place, parse_document
from sopauto.errors import BadInput
from sopauto.technical.run_words import (
    BESIDE,
    BRACES,
    COLLECTION,
    CONDITIONS,
    CONNECTION,
    FILE_LOOKUPS,
    FILE_TEST,
    FILTER,
    FOLLOWED,
    HERE,
    INCLUDED,
    ITSELF,
    LOOKUP,
    OWN,
    ROLES,
    SURROUNDINGS,
    TASK_LISTS,
    actions,
    is_data,
    on_the_server,
    options_of,
    short,
    texts,
)

CARRY: Final = "put it beside the playbook or into a role, and name it by a relative path"


MOST_FAULTS: Final = 100


class _EnoughError(Exception):
    """A file has as many faults as are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a playbook may not ask for: where it stands, what it is, how to mend it."""

    where: str
    what: str
    mend: str

    def error(self, more: int = 0) -> BadInput:
        """Return the fault as an error that tells how many others there are."""
        others = f" (and {more} more of this kind)" if more else ""
        return BadInput(self.what, where=self.where, mend=f"{self.mend}{others}")


@dataclass(slots=True)
class Named:
    """What a file names: roles with the place that does, collections, and whether a role's name is made at run time."""

    roles: list[tuple[str, str]] = field(default_factory=list)
    collections: set[str] = field(default_factory=set)
    any_role: bool = False
    faults: list[Fault] = field(default_factory=list)


def refuse(files: Mapping[str, bytes]) -> None:
    """Raise BadInput, naming the first, when files of a run ask for what is no part of it."""
    found = faults(files)
    if found:
        raise found[0].error(len(found) - 1)


def faults(files: Mapping[str, bytes]) -> list[Fault]:
    """Return everything in the files of a run that asks for what is no part of it; raises BadInput (malformed)."""
    found: list[Fault] = []
    for name in sorted(files):
        read = named(name, files[name])
        if read is None:
            continue
        found += read.faults
        for collection in sorted(read.collections):
            folder = f"collections/ansible_collections/{collection.replace('.', '/')}/"
            if not any(path.startswith((folder, f"playbooks/{folder}")) for path in files):
                what = f"uses the collection {collection}, which is not carried"
                mend = "use modules of ansible.builtin, or put the collection below the workspace's collections/"
                found.append(Fault(where=name, what=what, mend=mend))
    return found


def named(name: str, content: bytes) -> Named | None:
    """Return what a file of a run names; None for a file that is only sent to servers. Raises BadInput (malformed)."""
    if "/files/" in name or not (name.endswith(FOLLOWED) or "/templates/" in name or is_data(name)):
        return None
    reading = _Reading(name)
    with suppress(_EnoughError):
        _read(reading, name, content)
    return reading.found


def _read(reading: _Reading, name: str, content: bytes) -> None:
    if not name.endswith(".py") and len(content) <= MAX_BYTES:
        reading.text(content.decode(errors="replace"))
    if _has_tasks(name):
        reading.tasks(content)
    elif is_data(name):
        reading.variables(content.decode(errors="replace"))


def _has_tasks(name: str) -> bool:
    """Tell whether a file holds plays, tasks, or what a role depends on."""
    parts = name.split("/")
    if not is_data(name) or "templates" in parts:
        return False
    if "roles" in parts[:-2]:
        return {"tasks", "handlers", "meta"} & set(parts[parts.index("roles") + 2 :]) != set()
    return parts[0] == "playbooks" and not {"vars", "defaults", "group_vars", "host_vars", "collections"} & set(
        parts[1:-1]
    )


class _Reading:
    """Reads one file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found = Named()
        self._line_of: LineOf | None = None

    def fault(self, line: int, what: str, mend: str) -> None:
        """Note a fault; a file with so many is not read any further."""
        if len(self.found.faults) >= MOST_FAULTS:
            raise _EnoughError
        self.found.faults.append(Fault(where=f"{self.name}:{line}", what=what, mend=mend))

    # -- text: what stands in templates, wherever they are

    def text(self, text: str) -> None:
        """Read lookups, filters and tests."""
        if self.name.endswith((".yml", ".yaml")):
            text = re.sub(r"(?m)^\s*#.*$", "", text)
        ends = [match.start() for match in re.finditer("\n", text)]
        for match in LOOKUP.finditer(text):
            self._lookup(short(match["name"]), match["term"], bisect(ends, match.start()) + 1)
            self._collection(match["name"])
        for match in FILTER.finditer(text):
            self._collection(match[1])
        begun = None
        for match in BRACES.finditer(text):
            if match[0].startswith("{"):
                begun = match.end() if begun is None else begun
            elif begun is not None:
                self._tests(text[begun : match.start()], bisect(ends, begun) + 1)
                begun = None

    def _tests(self, expression: str, line: int) -> None:
        for match in FILE_TEST.finditer(expression):
            what = f"the test {match[1]!r} looks at files of this machine"
            self.fault(line, what, "ask the server, with ansible.builtin.stat")

    def _lookup(self, name: str, term: str | None, line: int) -> None:
        if name in SURROUNDINGS:
            self.fault(line, f"lookup {name!r} {SURROUNDINGS[name]}", "state the value in the SOP or in the playbook")
        elif name in FILE_LOOKUPS and term is not None:
            words = term.split()
            # Options of older lookups stand behind the path.
            self._path(words[0] if words else "", line)

    def variables(self, text: str) -> None:
        """Read a file of variables."""
        for number, line in enumerate(text.splitlines(), 1):
            for match in re.finditer(r"(?:^|[-{,?])\s*[\"']?(ansible_\w+)[\"']?\s*:", line):
                self._variable(match[1], number)

    def _variable(self, name: str, line: int) -> None:
        if CONNECTION.fullmatch(name):
            self.fault(line, f"sets {name}, which decides what machine is spoken to", "leave it to the ticket's server")

    def _collection(self, name: str) -> None:
        if COLLECTION.fullmatch(name) and not name.startswith(tuple(f"{own}." for own in OWN)):
            self.found.collections.add(".".join(name.split(".")[:2]))

    # -- tasks: what Ansible reads and does

    def tasks(self, content: bytes) -> None:
        """Read plays, tasks, handlers, or a role's `meta/main.yml`."""
        data, self._line_of = parse_document(content, self.name)
        if isinstance(data, Mapping):
            for key in ("roles", "dependencies"):
                self._roles(data.get(key), (key,))
            self._settings(data, ())
            self.variables(content.decode(errors="replace"))
        else:
            self._list(data, ())

    def _line(self, place: Place) -> int:
        assert self._line_of is not None
        return self._line_of(*place)

    def _list(self, data: Any, place: Place) -> None:
        for number, part in enumerate(data if isinstance(data, list) else []):
            if isinstance(part, Mapping):
                self._play(part, (*place, number))

    def _play(self, part: Mapping[str, Any], place: Place) -> None:
        """Read a play, a block or a task: where keys mean the same, they are read the same."""
        for key in TASK_LISTS:
            self._list(part.get(key), (*place, key))
        for key in ("roles", "dependencies"):
            self._roles(part.get(key), (*place, key))
        self._where_it_runs(part, place)
        self._settings(part, place)
        for key, module, value in actions(part):
            self._action(module, value, part, (*place, key))

    def _settings(self, part: Mapping[str, Any], place: Place) -> None:
        for path in texts(part.get("vars_files")):
            self._path(path, self._line((*place, "vars_files")))
        for name in texts(part.get("collections")):
            self._collection(f"{name}.x")
        for name in part["vars"] if isinstance(part.get("vars"), Mapping) else ():
            self._variable(name, self._line((*place, "vars", name)))
        self._terminal(part, place)
        for key in CONDITIONS:
            for text in texts(part.get(key)):
                self._tests(text, self._line((*place, key)))
        for key, terms in part.items():
            if key.startswith("with_"):
                for term in texts(terms) or [""]:
                    self._lookup(short(key[5:]), term, self._line((*place, key)))

    def _terminal(self, part: Mapping[str, Any], place: Place) -> None:
        for key in ("vars_prompt", "debugger", "strategy"):
            if part.get(key) and (key != "strategy" or short(str(part[key])) == "debug"):
                self._waits(key, (*place, key))

    def _waits(self, what: str, place: Place) -> None:
        mend = "state the value in the SOP or in the playbook"
        self.fault(self._line(place), f"{what} waits for a person at the terminal", mend)

    def _where_it_runs(self, part: Mapping[str, Any], place: Place) -> None:
        """Find what runs on this machine, or on a machine that is not the ticket's."""
        mend = "let it run on the ticket's server; only that one is part of the approval"
        delegate = part.get("delegate_to")
        if delegate is not None and not ITSELF.fullmatch(str(delegate)):
            self.fault(
                self._line((*place, "delegate_to")), f"delegate_to {delegate}: {_task(part)} runs elsewhere", mend
            )
        if str(part.get("connection", "ssh")) not in {"ssh", "smart", "ansible.builtin.ssh"}:
            what = f"connection {part['connection']}: {_task(part)} does not run over SSH"
            self.fault(self._line((*place, "connection")), what, mend)
        if "local_action" in part:
            self.fault(self._line((*place, "local_action")), f"local_action: {_task(part)} runs on this machine", mend)
        hosts = [word for text in texts(part.get("hosts")) for word in re.split(r"[,:\s]+", text)]
        if set(hosts) & set(HERE) or "::1" in texts(part.get("hosts")):
            self.fault(self._line((*place, "hosts")), f"{_task(part)} runs on this machine (hosts)", mend)

    def _roles(self, data: Any, place: Place) -> None:
        for number, part in enumerate(data if isinstance(data, list) else []):
            here = (*place, number)
            if isinstance(part, Mapping):
                for name in part:
                    self._variable(name, self._line((*here, name)))
                self._settings(part, here)
                self._where_it_runs(part, here)
                self._role(part.get("role") or part.get("name"), here)
            else:
                # Older requirements are written `name,version`.
                self._role(str(part), here)

    def _role(self, name: Any, place: Place) -> None:
        line = self._line(place)
        if not isinstance(name, str) or not name:
            self.fault(line, "a role without a name", "state its name")
        elif "{{" in name:
            self.found.any_role = True
            self._path(name, line)
        elif name.startswith(("/", "~")) or ".." in name.split("/"):
            self.fault(
                line, f"the role {name} lies outside of what is approved", "put it below roles/, and state its name"
            )
        elif COLLECTION.fullmatch(name):
            self._collection(name)
        else:
            self.found.roles.append((name.strip("/"), f"{self.name}:{line}"))

    def _action(self, module: str, value: Any, part: Mapping[str, Any], place: Place) -> None:
        self._collection(module)
        name, given = short(module), options_of(value) | options_of(part.get("args"))
        if name in ROLES:
            self._role(given.get("name") or given.get("role") or given.get("_raw"), place)
        self._says(name, given, part, place)
        if name == "import_playbook" and COLLECTION.fullmatch(str(given.get("_raw"))):
            self._collection(str(given["_raw"]))
        elif not on_the_server(name, given):
            for key in INCLUDED.get(name, ()):
                path = str(given.get(key) or "")
                self._path(path.partition(" ")[0] if name == "script" else path, self._line(place))

    def _says(self, name: str, given: Mapping[str, Any], part: Mapping[str, Any], place: Place) -> None:
        """Read what a module is told that is no path."""
        if name == "add_host":
            self.fault(
                self._line(place), f"add_host: {_task(part)} adds another machine", "open a ticket for that server"
            )
        elif name == "set_fact":
            for variable in given:
                if variable != "ansible_host":  # the host key that is pinned stays the same
                    self._variable(variable, self._line(place))
        elif name == "pause" and not {"seconds", "minutes"} & set(given):
            self._waits("pause", place)
        elif name == "assert":
            for text in texts(given.get("that")):
                self._tests(text, self._line(place))

    def _path(self, path: str, line: int) -> None:
        """Refuse a path that leads out of what is carried."""
        path = BESIDE.sub("", path.strip().strip("'\""))
        literal = path.partition("{{")[0]
        if literal.startswith(("/", "~")):
            if literal != "/dev/null":
                self.fault(line, f"reads {path}, which lies outside of what is approved", CARRY)
            return
        if ".." in path.split("/"):
            parts = self.name.split("/")
            own = "/".join(parts[:2]) if parts[0] == "roles" else parts[0]
            if not f"{posixpath.normpath(posixpath.join(posixpath.dirname(self.name), path))}/".startswith(f"{own}/"):
                self.fault(line, f"reads {path}, which leads out of {own}", CARRY)


def _task(part: Mapping[str, Any]) -> str:
    return f"task {part['name'][:80]!r}" if isinstance(part.get("name"), str) else "a task"
