#!/usr/bin/python
"""Unpack an archive into a directory of its own: checksum first, nothing outside of it, all of it or nothing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: software_archive
short_description: Unpack an archive into a directory of its own
description:
  - Compares the checksum, unpacks beside the directory, and puts it into its place in one step. Everything belongs to
    root. In check mode the archive need not be on the server yet.
options:
  source:
    description: The archive on the server.
    type: str
    required: true
  into:
    description: The directory; it must not be there unless we made it.
    type: str
    required: true
  sha256:
    description: The archive's checksum.
    type: str
    required: true
  stamp:
    description: File that remembers what was unpacked.
    type: str
    required: true
author:
  - sopauto
"""
EXAMPLES = r"""
- name: Archive
  software_archive:
    source: /var/lib/sopauto/software/agenda/incoming/archive.tar.gz
    into: /opt/agenda
    sha256: "{{ sha256 }}"
    stamp: /var/lib/sopauto/software/agenda/unpacked
"""
RETURN = r"""
changed:
  description: Whether it was unpacked.
  returned: always
  type: bool
"""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator

from ansible.module_utils.basic import AnsibleModule


def digest(path: str) -> str:
    found = hashlib.sha256()
    with open(path, "rb") as archive:
        for piece in iter(lambda: archive.read(1 << 20), b""):
            found.update(piece)
    return found.hexdigest()


def read(path: str) -> str:
    try:
        with open(path) as stamp:
            return stamp.read().strip()
    except OSError:
        return ""


def outside(name: str) -> bool:
    return name.startswith("/") or ".." in name.split("/")


def members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in archive:
        links = member.issym() or member.islnk()
        if outside(member.name) or (links and outside(member.linkname)):
            raise ValueError("%r leads out of its directory" % member.name)
        if not (member.isfile() or member.isdir() or links):
            raise ValueError("%r is neither file nor directory" % member.name)
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mode &= 0o755
        yield member


def unpack(source: str, into: str) -> None:
    new = into + ".new"
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(new, 0o755)
    try:
        with tarfile.open(source, "r:gz") as archive:
            archive.extractall(new, members=members(archive))
        os.rename(new, into)
    except (OSError, ValueError, tarfile.TarError):
        shutil.rmtree(new, ignore_errors=True)
        raise


def main() -> None:
    options = {name: {"type": "str", "required": True} for name in ("source", "into", "sha256", "stamp")}
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    given = module.params
    into, wanted = given["into"], given["sha256"]
    if os.path.isdir(into) and read(given["stamp"]) == wanted:
        module.exit_json(changed=False)
    if os.path.lexists(into):
        module.fail_json(msg="%s is there already, and is not ours" % into)
    result = {"changed": True, "diff": {"prepared": "unpack %s into %s\n" % (wanted, into)}}
    if not module.check_mode:
        if digest(given["source"]) != wanted:
            module.fail_json(msg="the archive's SHA-256 is another one than was approved")
        try:
            # First the stamp: a directory that is cut off before it has its place is ours to unpack again.
            with open(given["stamp"], "w") as stamp:
                stamp.write(wanted)
            unpack(given["source"], into)
        except (OSError, ValueError, tarfile.TarError) as error:
            module.fail_json(msg="cannot be unpacked: %s" % error)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
