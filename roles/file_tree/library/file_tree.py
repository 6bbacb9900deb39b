#!/usr/bin/python
"""Bring many files to a server in one go: all of them or none, checked before they count, activated once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: file_tree
short_description: Bring a tree of files to a server, check it and activate it
description:
  - Writes every file that differs (content, mode, owner), removes those in I(absent), then runs the I(check) commands.
    When one fails, everything is as before.
  - Runs the I(activate) commands afterwards and remembers below C(/var/lib/sopauto/trees) that it did. A run that was
    cut off between writing and activating is therefore activated by the next one.
options:
  files:
    description: Files as C(path), C(content), and optionally C(mode), C(owner), C(group).
    type: list
    elements: dict
    default: []
  absent:
    description: Paths that must not exist.
    type: list
    elements: str
    default: []
  check:
    description: Commands that must succeed with the new files in place.
    type: list
    elements: str
    default: []
  activate:
    description: Commands that make the new files count.
    type: list
    elements: str
    default: []
  again:
    description: Activate also when every file is as wanted, because what they set is not in force.
    type: bool
    default: false
  stamp:
    description: Name under which the activation is remembered.
    type: str
    required: true
author:
  - sopauto
"""
EXAMPLES = r"""
- name: Banners
  file_tree:
    tree: banners
    activate: [systemctl reload ssh]
"""
RETURN = r"""
written:
  description: Paths that were written or removed.
  returned: always
  type: list
"""

import errno
import grp
import hashlib
import json
import os
import pwd
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

STAMPS = "/var/lib/sopauto/trees"
Ids = tuple[int, int]
State = tuple[bytes, int | None, Ids | None]
"""Content, mode and owner of a file; of a link, where it leads to."""


class File:
    """One wanted file."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.path = wanted["path"]
        self.content = wanted["content"].encode()
        self.mode = int(str(wanted.get("mode") or "0644"), 8)
        self.owner = wanted.get("owner") or "root"
        self.group = wanted.get("group") or self.owner

    def ids(self) -> Ids | None:
        """Return user and group id; a user that is still to be made (check mode) owns nothing yet."""
        try:
            return pwd.getpwnam(self.owner).pw_uid, grp.getgrnam(self.group).gr_gid
        except KeyError:
            return None

    def owner_ids(self) -> Ids:
        """Return user and group id; raises OSError (there is no such account)."""
        found = self.ids()
        if found is None:
            raise OSError(
                errno.ENOENT, "there is no account %s with the group %s" % (self.owner, self.group), self.path
            )
        return found

    def differs(self, now: State | None) -> bool:
        """Tell whether the file on the server is another one."""
        return now is None or now[0] != self.content or now[1] != self.mode or now[2] != self.ids()


class Replacement:
    """One file on its way in: the new one waits beside it, the old one is kept until all is well.

    Nothing is removed before what takes its place is on the disk, so that a full disk cannot cost a file.
    """

    def __init__(self, path: str, file: File | None) -> None:
        self.path = path
        self.file = file
        self.new: str | None = None
        self.old: str | None = None
        self.begun = False

    def stage(self) -> None:
        """Write the new file beside the old one; this is what a full disk stops."""
        if self.file is None:
            return
        folder = os.path.dirname(self.path)
        make_folder(folder, self.file.owner_ids())
        handle, self.new = tempfile.mkstemp(dir=folder, prefix=".sopauto-")
        with os.fdopen(handle, "wb") as new:
            new.write(self.file.content)
            new.flush()
            os.fchmod(new.fileno(), self.file.mode)
            os.fchown(new.fileno(), *self.file.owner_ids())
            os.fsync(new.fileno())

    def commit(self) -> None:
        """Let the new file take the old one's place in one step; the old one stays under another name."""
        if os.path.lexists(self.path):
            beside = os.path.join(
                os.path.dirname(self.path), ".sopauto-old-%d-%s" % (os.getpid(), os.path.basename(self.path))
            )
            os.link(self.path, beside, follow_symlinks=False)
            self.old = beside
        if self.new is None:
            os.unlink(self.path)
        else:
            os.replace(self.new, self.path)
            self.new = None
        self.begun = True

    def undo(self) -> None:
        """Bring the old file back, by renaming: that needs no room."""
        if self.begun and self.old is not None:
            os.replace(self.old, self.path)
            self.old = None
        elif self.begun and os.path.lexists(self.path):
            os.unlink(self.path)
        self.clean()

    def clean(self) -> None:
        """Remove what waits or was kept beside the file."""
        for beside in (self.new, self.old):
            if beside is not None and os.path.lexists(beside):
                os.unlink(beside)
        self.new = self.old = None


def bring(replacements: list[Replacement]) -> None:
    """Bring all files in, or none; raises OSError with everything as before."""
    try:
        for replacement in replacements:
            replacement.stage()
        for replacement in replacements:
            replacement.commit()
    except OSError:
        for replacement in reversed(replacements):
            replacement.undo()
        raise


def make_folder(folder: str, ids: Ids) -> None:
    """Make missing folders; those of a user (`~/.ssh`) belong to the user alone."""
    if os.path.isdir(folder):
        return
    make_folder(os.path.dirname(folder), ids)
    os.mkdir(folder, 0o755 if ids == (0, 0) else 0o700)
    os.chown(folder, *ids)


def state(path: str) -> State | None:
    """Return content, mode and ids of a file (None: there is none)."""
    if os.path.islink(path):
        return (("-> " + os.readlink(path)).encode(), None, None)
    try:
        with open(path, "rb") as there:
            status = os.fstat(there.fileno())
            return there.read(), status.st_mode & 0o7777, (status.st_uid, status.st_gid)
    except FileNotFoundError:
        return None


def shown(found: State | None) -> str:
    if found is None:
        return ""
    text = found[0].decode(errors="replace")
    return text if found[1] is None else "# mode %04o\n%s" % (found[1], text)


def difference(file: File, before: State | None) -> dict[str, Any]:
    return {
        "before_header": file.path,
        "after_header": file.path,
        "before": shown(before),
        "after": "# mode %04o\n%s" % (file.mode, file.content.decode(errors="replace")),
    }


def digest(files: list[File], absent: list[str], activate: list[str]) -> str:
    wanted = [[file.path, file.content.decode(), file.mode, file.owner] for file in files]
    return hashlib.sha256(json.dumps([wanted, absent, activate]).encode()).hexdigest()


def run_all(module: AnsibleModule, commands: list[str]) -> str | None:
    """Run commands; return what the first failure says (None: none failed)."""
    for command in commands:
        code, out, err = module.run_command(command)
        if code:
            words = " | ".join((err or out).strip().splitlines()[-3:])
            return "`%s` says: %s" % (command, words or "exit %d" % code)
    return None


def main() -> None:
    options = {
        "files": {"type": "list", "elements": "dict", "default": []},
        "absent": {"type": "list", "elements": "str", "default": []},
        "check": {"type": "list", "elements": "str", "default": []},
        "activate": {"type": "list", "elements": "str", "default": []},
        "again": {"type": "bool", "default": False},
        "stamp": {"type": "str", "required": True},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    files = [File(wanted) for wanted in module.params["files"]]
    absent = module.params["absent"]
    before = {path: state(path) for path in [file.path for file in files] + absent}
    writing = [file for file in files if file.differs(before[file.path])]
    removing = [path for path in absent if before[path] is not None]
    stamp = os.path.join(STAMPS, module.params["stamp"])
    wanted = digest(files, absent, module.params["activate"])
    remembered = state(stamp) == (wanted.encode(), 0o644, (0, 0)) and not module.params["again"]
    activated = not module.params["activate"] or remembered
    diff = [difference(file, before[file.path]) for file in writing]
    diff += [{"before_header": p, "after_header": p, "before": shown(before[p]), "after": ""} for p in removing]
    if module.params["activate"] and (writing or removing or not activated):
        diff += [{"prepared": "activate: %s\n" % "; ".join(module.params["activate"])}]
    result = {
        "changed": bool(writing or removing or not activated),
        "written": [file.path for file in writing] + removing,
        "diff": diff,
    }
    if not result["changed"] or module.check_mode:
        module.exit_json(**result)

    replacements = [Replacement(file.path, file) for file in writing] + [Replacement(path, None) for path in removing]
    try:
        bring(replacements)
    except OSError as error:
        module.fail_json(
            msg="%s: %s; nothing was changed" % (error.filename, error.strerror), **dict(result, changed=False)
        )
    fault = run_all(module, module.params["check"])
    if fault:
        for replacement in reversed(replacements):
            replacement.undo()
        module.fail_json(msg="%s; nothing was changed" % fault, **dict(result, changed=False))
    for replacement in replacements:
        replacement.clean()
    fault = run_all(module, module.params["activate"])
    if fault:
        module.fail_json(msg=fault, **result)
    if module.params["activate"]:
        stamped = Replacement(stamp, File({"path": stamp, "content": wanted}))
        bring([stamped])
        stamped.clean()
    module.exit_json(**result)


if __name__ == "__main__":
    main()
