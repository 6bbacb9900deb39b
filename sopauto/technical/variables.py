"""Variables that a playbook never reads: a slip of the pen would otherwise be ignored, and its default taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from sopauto.errors import BadInput

WORD: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")


def refuse_unread(given: Iterable[str], files: Mapping[str, bytes], *, where: str) -> None:
    """Refuse variables that no file of a run names; raises BadInput with the nearest name that one does."""
    wanted = list(given)
    if not wanted:
        return
    words = {word.decode() for content in files.values() for word in WORD.findall(content)}
    for name in wanted:
        if name not in words:
            near = get_close_matches(name, words, n=1, cutoff=0.75)
            mend = f"did you mean {near[0]!r}?" if near else "leave it out, or let the playbook use it"
            raise BadInput(f"nothing in the playbook reads the variable {name!r}", where=where, mend=mend)
