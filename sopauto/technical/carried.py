"""What is wrong with the playbook of a technical step and all that it carries, before anything touches a machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sopauto.errors import BadInput
from sopauto.technical.check_rules import hidden
from sopauto.technical.front_matter import varying
from sopauto.technical.run_files import gather
from sopauto.technical.run_rules import faults


def carried_faults(roots: Sequence[Path], name: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a playbook, with file and line, and how to mend it (nothing: it has no name)."""
    if not name:
        return
    playbook = f"playbooks/{Path(name).name}"
    try:
        files = gather(roots, playbook)
        for fault in faults(files):
            yield f"{fault.where}: {fault.what}", fault.mend
        for where, what, mend in hidden(files):
            yield f"{where}: {what}", mend
        varying(files[playbook], playbook)
    except BadInput as error:
        yield f"{error.where}: {error.what}", str(error.mend)
