#!/usr/bin/python
"""Have apt's lists of packages fresh, and nothing half installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: package_lists
short_description: Lists of packages that are fresh, nothing half installed
description:
  - Finishes an installation that a power cut left half done (not in check mode), then lets apt read its lists again
    unless they are fresh. The lists are apt's cache of what its sources offer. They are read for a look too, since
    without them nobody can say what would be installed; what is installed and set up stays as it is.
options: {}
author:
  - sopauto
"""
EXAMPLES = r"""
- name: Package lists
  package_lists:
"""
RETURN = r"""
read:
  description: Whether apt read its lists again.
  returned: success
  type: bool
"""

import glob
import os
import time

from ansible.module_utils.basic import AnsibleModule

LISTS = "/var/lib/apt/lists"
SOURCES = "/etc/apt/sources.list"
FRESH = 3600
UPDATE = ["apt-get", "update", "--quiet=2", "--error-on=any", "-o", "Acquire::Retries=1"]
FINISH = ["dpkg", "--configure", "-a", "--force-confold"]


def fresh() -> bool:
    """Tell whether the lists were read within the hour, after the sources were changed; the folder's date alone is no proof."""
    try:
        read = os.stat(LISTS).st_mtime
    except OSError:
        return False
    changed = os.stat(SOURCES).st_mtime if os.path.exists(SOURCES) else 0
    return time.time() - read < FRESH and read > changed and bool(glob.glob(LISTS + "/*_Packages*"))


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    commands = [] if module.check_mode else [FINISH]
    read = not fresh()
    for command in commands + ([UPDATE] if read else []):
        code, stdout, stderr = module.run_command(command, environ_update={"DEBIAN_FRONTEND": "noninteractive"})
        if code:
            module.fail_json(msg="%s ended with %d" % (" ".join(command[:2]), code), stderr=stderr or stdout)
    module.exit_json(changed=False, read=read)


if __name__ == "__main__":
    main()
