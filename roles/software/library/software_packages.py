#!/usr/bin/python
"""Install package files with what they depend on."""

from __future__ import annotations

DOCUMENTATION = r"""
module: software_packages
short_description: Install package files
description:
  - Installs `.deb` files together, unless each of them is installed in its version. In check mode the files need not be
    on the server yet.
options:
  files:
    description: Paths on the server.
    type: list
    elements: str
    required: true
author:
  - sopauto
"""
EXAMPLES = r"""
- name: Package files
  software_packages:
    files: [/var/lib/sopauto/software/agenda/incoming/package-0.deb]
"""
RETURN = r"""
changed:
  description: Whether anything was installed.
  returned: always
  type: bool
"""

import os

from ansible.module_utils.basic import AnsibleModule

QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def there(module: AnsibleModule, path: str) -> bool:
    """Tell whether the package of a file is installed in its version."""
    if not os.path.exists(path):
        return False
    code, out, err = module.run_command(["dpkg-deb", "--field", path, "Package", "Version"])
    if code:
        module.fail_json(msg="%s is no package: %s" % (path, (err or out).strip()))
    field = dict(line.split(": ", 1) for line in out.splitlines())
    code, out, _ = module.run_command(["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Version}", field["Package"]])
    return code == 0 and out.split() == ["ii", field["Version"]]


def main() -> None:
    module = AnsibleModule(
        argument_spec={"files": {"type": "list", "elements": "str", "required": True}}, supports_check_mode=True
    )
    files = module.params["files"]
    if all(there(module, path) for path in files):
        module.exit_json(changed=False)
    names = ", ".join(os.path.basename(path) for path in files)
    result = {"changed": True, "diff": {"prepared": "install %s\n" % names}}
    if not module.check_mode:
        command = ["apt-get", "--yes", "--quiet=2", "--no-install-recommends", "--no-remove", "install"]
        code, out, err = module.run_command(command + files, environ_update=QUIET)
        if code:
            module.fail_json(msg="apt-get says: %s" % " ".join((err or out).split())[-300:])
    module.exit_json(**result)


if __name__ == "__main__":
    main()
