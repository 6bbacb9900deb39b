"""What would make a plan untrue: tasks that change a machine in check mode, and those that nobody hears the end of.

Told by file and line before anything touches a machine, by `inv sop.check` and when a plan is made. What only shows
when tasks are carried out meets `drivers/watch.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sopauto.data_file import Place, parse_document
from sopauto.errors import BadInput, Refused
from sopauto.technical.run_words import is_data

YES: Final = ("true", "yes", "on", "y", "t", "1")
WRITTEN: Final = re.compile(r"""^(?!\s*\#).*?\bcheck_mode["']?\s*[:=]\s*["']?([^\s"',}]+)""", re.MULTILINE)
MEND: Final = (
    "leave it out: what check mode cannot foresee is listed in the plan; to read, use a module that supports check mode"
)


def refuse_hidden(files: Mapping[str, bytes]) -> None:
    """Raise Refused, naming the first, when a plan of these files would not be true."""
    found = list(hidden(files))
    if found:
        where, what, mend = found[0]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise Refused(what, where=where, mend=f"{mend}{more}")


def hidden(files: Mapping[str, bytes]) -> Iterator[tuple[str, str, str]]:
    """Yield where, what and how to mend it of each fault in a run's files."""
    for name in sorted(files):
        if is_data(name) and not {"files", "templates"} & set(name.split("/")[:-1]):
            yield from _hidden(name, files[name])


def _hidden(name: str, content: bytes) -> Iterator[tuple[str, str, str]]:
    try:
        data, line_of = parse_document(content, name)
    except BadInput:
        # Ansible reads more than we do (`!unsafe`, `!vault`): what is written is found anyhow.
        text = content.decode(errors="replace")
        for match in WRITTEN.finditer(text):
            if match[1].lower() not in YES:
                yield f"{name}:{text.count(chr(10), 0, match.start(1)) + 1}", _check_mode(match[1]), MEND
        return
    for place, part in _mappings(data, ()):
        for key, what, mend in _faults(part):
            yield f"{name}:{line_of(*place, key)}", what, mend


def _faults(part: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield key, fault and mend of a task, block, play, role or whatever else a mapping is."""
    if "check_mode" in part and str(part["check_mode"]).lower() not in YES:
        yield "check_mode", _check_mode(part["check_mode"]), MEND
    if "ansible_check_mode" in part:
        yield "ansible_check_mode", "ansible_check_mode is what Ansible says of itself", "give it another name"
    if "async" in part and str(part.get("poll", "")).strip() == "0":
        yield (
            "poll",
            "poll: 0 leaves a task running, and nobody hears how it ends",
            "state how often to ask, in seconds",
        )


def _check_mode(value: Any) -> str:
    return f"check_mode: {str(value).lower()} would change the server when a plan is made, before anybody approved it"


def _mappings(data: Any, place: Place) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    if isinstance(data, Mapping):
        yield place, data
        for key, part in data.items():
            yield from _mappings(part, (*place, key))
    elif isinstance(data, list):
        for index, part in enumerate(data):
            yield from _mappings(part, (*place, index))
