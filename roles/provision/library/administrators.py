#!/usr/bin/python
"""Accounts of administrators, with their groups."""

from __future__ import annotations

DOCUMENTATION = r"""
module: administrators
short_description: Accounts of administrators, with their groups
description:
  - Makes groups and accounts that are missing, and tells where the keys of each belong. Removes nobody.
  - New accounts have no password; they log in with keys.
options:
  administrators:
    description: Accounts as C(name), C(full_name), C(keys).
    type: list
    elements: dict
    default: []
  groups:
    description: Groups that each of them is in; made when missing.
    type: list
    elements: str
    default: []
author:
  - sopauto
"""
EXAMPLES = r"""
- name: Administrators
  administrators:
    administrators:
      - {name: budi, full_name: Budi Santoso, keys: [ssh-ed25519 AAAA budi]}
    groups: [sudo, ssh-users]
"""
RETURN = r"""
files:
  description: The file of keys of each administrator, as C(file_tree) takes files.
  returned: always
  type: list
"""

import grp
import os
import pwd
import re
import shutil

from ansible.module_utils.basic import AnsibleModule


class Accounts:
    """Does, or in check mode only tells, one step after the other."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.told: list[dict[str, str]] = []

    def step(self, words: str, command: list[str] | None) -> None:
        self.told.append({"prepared": words + "\n"})
        if command and not self.module.check_mode:
            code, out, err = self.module.run_command(command)
            if code:
                why = (err or out).strip() or "exit %d" % code
                self.module.fail_json(msg="%s: %s" % (words, why), diff=self.told, changed=len(self.told) > 1)

    def members(self, group: str) -> list[str]:
        try:
            return grp.getgrnam(group).gr_mem
        except KeyError:
            return []

    def group(self, name: str) -> None:
        try:
            grp.getgrnam(name)
        except KeyError:
            self.step("group %s: make it" % name, ["groupadd", "--system", "--force", name])

    def account(self, name: str, full_name: str, groups: list[str]) -> str:
        """Make the account; every word of the plan is one of its own, so that those that are left stay the same."""
        full_name = comment_of(full_name)
        try:
            there = pwd.getpwnam(name)
        except KeyError:
            there = None
            make = ["useradd", "--create-home", "--shell", "/bin/bash", "--password", "*", name]
            self.step("%s: make the account" % name, make)
        if there is None or there.pw_gecos.split(",")[0] != full_name:
            self.step("%s: full name %s" % (name, full_name), ["usermod", "--comment", full_name, name])
        for group in groups:
            if name not in self.members(group):
                self.step("%s: into group %s" % (name, group), ["usermod", "--append", "--groups", group, name])
        home = there.pw_dir if there else "/home/" + name
        if there and not os.path.isdir(home):
            self.step("%s: make the home %s" % (name, home), None)
            if not self.module.check_mode:
                make_home(home, there)
        return home


def comment_of(full_name: str) -> str:
    """Return a name as the account's comment field holds it: its commas, colons and equals signs part fields there."""
    return " ".join(re.sub(r"[:,=\x00-\x1f\x7f]", " ", full_name).split())


def make_home(home: str, owner: pwd.struct_passwd) -> None:
    """Make a home that a cut-off C(useradd) did not make; whole, or not at all."""
    beside = home + ".sopauto-new"
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree("/etc/skel", beside, symlinks=True)
    for folder, _, files in os.walk(beside):
        for path in [folder] + [os.path.join(folder, name) for name in files]:
            os.lchown(path, owner.pw_uid, owner.pw_gid)
    os.chmod(beside, 0o700)
    os.rename(beside, home)


def primary_group(name: str) -> str:
    try:
        return grp.getgrgid(pwd.getpwnam(name).pw_gid).gr_name
    except KeyError:
        return name


def main() -> None:
    options = {
        "administrators": {"type": "list", "elements": "dict", "default": [], "no_log": False},
        "groups": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    accounts = Accounts(module)
    files = []
    wanted = module.params["administrators"]
    for group in module.params["groups"] if wanted else []:
        accounts.group(group)
    for each in wanted:
        home = accounts.account(each["name"], each.get("full_name") or "", module.params["groups"])
        content = "".join(key.strip() + "\n" for key in each["keys"])
        path = os.path.join(home, ".ssh/authorized_keys")
        group = primary_group(each["name"])
        files.append({"path": path, "content": content, "mode": "0600", "owner": each["name"], "group": group})
    module.exit_json(changed=bool(accounts.told), diff=accounts.told, files=files)


if __name__ == "__main__":
    main()
