"""All files that a playbook's run may read: gathered from the workspace, and nothing beside them is there when it runs.

Gathered are the playbook, everything that lies beside it under one of Ansible's own folder names or that is named in
what was gathered, the roles that are named (all of them, where a name is only known at run time), and the collections
that are named. `run_rules.py` refuses by name what a playbook would look for elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sopauto.data_file import read_bounded
from sopauto.errors import BadInput
from sopauto.technical.run_rules import Named, named

COMPANIONS: Final = re.compile(
    r"files|templates|vars|defaults|tasks|handlers|meta|group_vars|host_vars|library|module_utils|doc_fragments"
    r"|roles|collections|[a-z]+_plugins"
)
"""Folders beside a playbook that Ansible reads without being told."""
NOT_CARRIED: Final = ("__pycache__", ".git")
MOST_FILES: Final = 10_000
MOST_BYTES: Final = 1 << 30
"""Of all files: a role may bring a program."""
COLLECTIONS: Final = "collections/ansible_collections"


def gather(roots: Sequence[Path], playbook: str) -> dict[str, bytes]:
    """Return path and content of each file that a run of `playbooks/NAME` may read; the first root that has it wins.

    Raises: BadInput (there is no such playbook or role, a link leads out of its root, too many files).
    """
    root = next((root for root in roots if (root / playbook).is_file()), None)
    if root is None:
        raise BadInput(f"there is no {playbook}", where="parameter playbook", mend=f"put it below {roots[0]}")
    try:
        gathering = _Gathering(roots, root)
        gathering.take(root, root / playbook)
        gathering.companions()
        gathering.follow()
    except OSError as error:
        where = os.fsdecode(error.filename or root)
        raise BadInput(f"cannot be read ({error.strerror})", where=where, mend="check the rights") from None
    return gathering.files


def roots_of(workspace: Path) -> tuple[Path, Path]:
    """Return where playbooks and roles are looked for: the agency's own before the shipped ones."""
    return workspace, shipped()


def shipped() -> Path:
    """Return the folder that holds the shipped `playbooks/` and `roles/`: in an installed package, or the checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent


class _Gathering:
    """The files so far, and those whose text was not yet looked at."""

    def __init__(self, roots: Sequence[Path], root: Path) -> None:
        self.files: dict[str, bytes] = {}
        self._roots = roots
        self._root = root
        self._ahead: list[str] = []
        self._room = MOST_BYTES
        self._beside = sorted(path.name for path in (root / "playbooks").iterdir() if path.name not in NOT_CARRIED)

    def take(self, root: Path, path: Path) -> None:
        """Take a file, or all files of a folder."""
        for found in walk(root, path):
            name = found.relative_to(root).as_posix()
            if name in self.files:
                continue
            if not name.isprintable():
                raise BadInput(f"{name!r} is no file name that can be told", where=str(path.parent), mend="rename it")
            if len(self.files) >= MOST_FILES:
                raise BadInput(f"more than {MOST_FILES} files", where=str(path), mend="keep only what is used")
            self.files[name] = read_bounded(found, most=self._room, mend="let the server fetch what is large")
            self._room -= len(self.files[name])
            self._ahead.append(name)

    def companions(self) -> None:
        """Take what Ansible reads beside a playbook without being told."""
        for name in self._beside:
            if COMPANIONS.fullmatch(name) and (self._root / "playbooks" / name).is_dir():
                self.take(self._root, self._root / "playbooks" / name)

    def follow(self) -> None:
        """Take what the files name, and what those name, until nothing new is named."""
        while self._ahead:
            name = self._ahead.pop()
            content = self.files[name]
            found = named(name, content)
            if found is None:
                continue
            self._take_beside(content)
            self._take_roles(found)
            for collection in found.collections:
                self._take_collection(collection)

    def _take_beside(self, content: bytes) -> None:
        text = content.decode(errors="replace")
        for name in self._beside:
            if name in text and re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text):
                self.take(self._root, self._root / "playbooks" / name)

    def _take_roles(self, found: Named) -> None:
        for role, where in found.roles:
            self._take_role(role, where)
        for root in self._roots if found.any_role else ():
            for path in sorted((root / "roles").glob("*/")):
                self._take_role(path.name, "roles")

    def _take_role(self, role: str, where: str) -> None:
        if any(name.startswith((f"roles/{role}/", f"playbooks/roles/{role}/")) for name in self.files):
            return
        for root in self._roots:
            if (root / "roles" / role).is_dir():
                self.take(root, root / "roles" / role)
                return
        if not any(name.startswith(f"playbooks/{role}/") for name in self.files):
            raise BadInput(f"there is no role {role}", where=where, mend=f"put it below {self._roots[0] / 'roles'}")

    def _take_collection(self, collection: str) -> None:
        folder = f"{COLLECTIONS}/{collection.replace('.', '/')}"
        for root in self._roots:
            if (root / folder).is_dir():
                self.take(root, root / folder)
                return


def walk(root: Path, path: Path, above: tuple[str, ...] = ()) -> Iterator[Path]:
    """Yield a file, or every file below a folder, links followed; raises BadInput (one leads out of the root)."""
    real = os.path.realpath(path)
    if not f"{real}/".startswith(f"{os.path.realpath(root)}/"):
        raise BadInput(f"leads out of {root}", where=str(path), mend="put what it points to there instead of the link")
    if real in above:
        raise BadInput("is a link to a folder that it lies in", where=str(path), mend="remove the link")
    if path.is_dir():
        for inner in sorted(path.iterdir()):
            if inner.name not in NOT_CARRIED and not inner.name.endswith(".pyc"):
                yield from walk(root, inner, (*above, real))
    elif path.is_file():
        yield path
