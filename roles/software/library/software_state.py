#!/usr/bin/python
"""Record what a server is like before a software comes, and bring it back: packages, /etc, services, ports, accounts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: software_state
short_description: Record a server's state, and bring it back
description:
  - C(record) keeps the state before and a copy of C(/etc). C(settle) records what installing changed. C(restore) uninstalls
    exactly that, brings back what it had changed below C(/etc), and proves it by looking again.
  - Data directories stay unless the order says that they go. What others changed meanwhile is told and left alone.
options:
  action:
    description: What to do.
    type: str
    choices: [record, settle, restore]
    required: true
  order:
    description: What sopauto knows of the software.
    type: dict
    required: true
  records:
    description: Where recorded states are kept.
    type: str
    required: true
  reason:
    description: Why it is taken back.
    type: str
author:
  - sopauto
"""
EXAMPLES = r"""
- name: Record the state before
  software_state:
    action: record
    order: "{{ order }}"
    records: /var/lib/sopauto/software
"""
RETURN = r"""
evidence:
  description: For C(restore), what was uninstalled, what is left of it, what is kept, what others changed.
  returned: success
  type: dict
"""

import grp
import hashlib
import json
import os
import pwd
import re
import shutil
import stat

from ansible.module_utils.basic import AnsibleModule

QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
TREES = "/var/lib/sopauto/trees"
KEPT = ".sopauto-kept"
# What programs write there by themselves, and the files of accounts, which are compared account by account.
VOLATILE = re.compile(
    r"/etc/(ld\.so\.cache|mtab|resolv\.conf|adjtime|\.updated|\.pwd\.lock|mailcap|rc[0-6S]\.d(/.*)?|init\.d/\.depend\..*"
    r"|(passwd|shadow|group|gshadow|subuid|subgid)-?)"
)
PARTS = ("packages", "services", "ports", "accounts", "files")  # what may be cut off comes last
MOST = 200
EPHEMERAL = 32768  # from here on, ports are given out by chance


class Fault(Exception):
    """What stops the work, in one line."""


class Server:
    """The server as it is now."""

    def __init__(self, module):
        self.module = module

    def run(self, *command):
        code, out, err = self.module.run_command(list(command), environ_update=QUIET)
        return code, out, err

    def must(self, *command):
        code, out, err = self.run(*command)
        if code:
            raise Fault("`%s` says: %s" % (" ".join(command[:3]), " ".join((err or out).split())[-300:]))
        return out

    @property
    def has_systemd(self):
        return os.path.isdir("/run/systemd/system")

    def state(self, paths):
        """Return the state of all that is compared; `paths` are files of the software's configuration."""
        outside = {path: look(path) for path in paths if not below_etc(path)}
        return {
            "packages": self.packages(),
            "files": dict(files("/etc"), **{path: found for path, found in outside.items() if found is not None}),
            "services": self.services(),
            "ports": ports(),
            "accounts": accounts(),
        }

    def packages(self):
        out = self.must("dpkg-query", "-W", "-f", "${binary:Package} ${Version} ${db:Status-Abbrev}\n")
        return {
            name: "%s %s" % (version, state) for name, version, state in (line.split() for line in out.splitlines())
        }

    def services(self):
        if not self.has_systemd:
            return {}
        out = self.must("systemctl", "list-unit-files", "--no-legend", "--plain", "--no-pager")
        found = {}
        for unit, state in (line.split()[:2] for line in out.splitlines()):
            if state not in ("generated", "transient"):
                found[unit] = state
        out = self.must("systemctl", "list-units", "--type=service,socket", "--state=active", "--no-legend", "--plain")
        for line in out.splitlines():
            unit, _, _, sub = line.split()[:4]
            if (
                sub in ("running", "listening")
                and not unit.startswith(("user@", "session-", "getty@"))
                and unit in found
            ):
                found[unit] += " running"
        return found


def below_etc(path):
    return path.startswith("/etc/")


def files(root):
    found = {}
    for folder, names, others in os.walk(root):
        for name in names + others:
            path = os.path.join(folder, name)
            if not VOLATILE.fullmatch(path):
                found[path] = look(path)
    return found


def look(path):
    """Return what stands at a path, in one line (None: nothing)."""
    try:
        status = os.lstat(path)
        owner = "%04o %d:%d" % (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
        if stat.S_ISLNK(status.st_mode):
            return "-> " + os.readlink(path)
        if stat.S_ISDIR(status.st_mode):
            return "directory " + owner
        with open(path, "rb") as content:
            return hashlib.sha256(content.read()).hexdigest() + " " + owner
    except OSError:
        return None


def ports():
    found = {}
    for protocol, listening in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        try:
            with open("/proc/net/" + protocol) as lines:
                rows = [line.split() for line in lines][1:]
        except OSError:
            continue
        for row in rows:
            number = int(row[1].rpartition(":")[2], 16)
            if row[3] == listening and number < EPHEMERAL:
                found["%d/%s" % (number, protocol[:3])] = "listens"
    return found


def accounts():
    found = {}
    for kind, path in (("user", "/etc/passwd"), ("group", "/etc/group")):
        with open(path) as lines:
            for line in lines:
                fields = line.rstrip("\n").split(":")
                found["%s %s" % (kind, fields[0])] = fields[2]
    return found


def names(kind):
    """Return the names of all users or groups, read anew."""
    return {account.partition(" ")[2] for account in accounts() if account.startswith(kind)}


def owner(path):
    """Return user and group of a directory's owner, where it is an account that came with a software."""
    status = os.lstat(path)
    try:
        user = pwd.getpwuid(status.st_uid)
        return [(user, grp.getgrgid(user.pw_gid))] if user.pw_uid else []
    except KeyError:
        return []


def differences(before, after):
    """Return what differs, by part: names with the values before and after."""
    told = {}
    for part in PARTS:
        names = set(before[part]) | set(after[part])
        told[part] = {
            n: (before[part].get(n), after[part].get(n)) for n in names if before[part].get(n) != after[part].get(n)
        }
    return told


def lines(difference):
    return [
        "%s %s: %s, before: %s" % (part[:-1], name, now or "nothing", was or "nothing")
        for part in PARTS
        for name, (was, now) in sorted(difference[part].items())
    ]


class Record:
    """What is kept of a software on the server."""

    def __init__(self, module):
        self.order = module.params["order"]
        self.folder = os.path.join(module.params["records"], self.order["software"])

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        try:
            with open(self.path(name)) as kept:
                return json.load(kept)
        except OSError:
            return None

    def write(self, name, value):
        os.makedirs(self.folder, 0o700, exist_ok=True)
        with open(self.path(name) + ".new", "w") as kept:
            json.dump(value, kept)
            kept.flush()
            os.fsync(kept.fileno())
        os.replace(self.path(name) + ".new", self.path(name))

    def copy_etc(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.path("incoming"), 0o700)
        os.chmod(self.folder, 0o700)

        def passed_over(folder, names):
            return [name for name in names if not os.path.lexists(os.path.join(folder, name))]

        shutil.copytree("/etc", self.path("etc"), symlinks=True, ignore=passed_over)
        for path in self.order["paths"]:
            if not below_etc(path) and os.path.lexists(path):
                os.makedirs(os.path.dirname(self.kept(path)), exist_ok=True)
                shutil.copy2(path, self.kept(path), follow_symlinks=False)
                status = os.lstat(path)
                os.chown(self.kept(path), status.st_uid, status.st_gid, follow_symlinks=False)

    def kept(self, path):
        """Return where the copy of a file lies."""
        return self.path(path[1:]) if below_etc(path) else self.path("outside" + path)

    def forget(self):
        for name in ("before.json", "after.json", "unpacked"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        for name in ("etc", "outside", "incoming"):
            shutil.rmtree(self.path(name), ignore_errors=True)
        for stamp in ("software-%s" % self.order["software"], "software-%s-units" % self.order["software"]):
            if os.path.exists(os.path.join(TREES, stamp)):
                os.unlink(os.path.join(TREES, stamp))


class TakeBack:
    """One take-back: what is ours is what differs between the states before and after installing."""

    def __init__(self, server, record, before, after):
        self.server = server
        self.record = record
        self.order = record.order
        self.entry = record.order["entry"]
        self.before = before
        self.owners = []
        self.ours = differences(before, after)
        self.ours["files"].update({path: (before["files"].get(path), None) for path in self.order["paths"]})
        for port in self.entry["requires"]["ports"]:
            self.ours["ports"].setdefault(port, (before["ports"].get(port), None))

    def new(self, part):
        return [name for name, (was, _) in sorted(self.ours[part].items()) if was is None]

    def carry_out(self):
        packages = [name for name in self.new("packages") if name in self.server.packages()]
        self.refuse_others(packages)
        self.stop()
        self.put_data_aside()
        if packages:
            self.server.must("apt-get", "--yes", "--quiet=2", "purge", *packages)
        self.bring_replaced()
        archive = self.entry["source"]["archive"]
        if archive:
            shutil.rmtree(archive["into"], ignore_errors=True)
        kept = self.put_data_back()
        self.restore_files()
        self.keep_owners()
        self.remove_accounts()
        if self.server.has_systemd:
            self.server.run("systemctl", "daemon-reload")
            self.server.run("systemctl", "reset-failed")
        return packages, kept

    def refuse_others(self, packages):
        """Refuse, before anything is touched, where the removal would take other packages with it."""
        if not packages:
            return
        out = self.server.must("apt-get", "--simulate", "purge", *packages)
        going = {name.partition(":")[0] for name in re.findall(r"^(?:Purg|Remv) (\S+)", out, re.M)}
        others = sorted(going - {name.partition(":")[0] for name in packages})
        if others:
            raise Fault("%s need it; nothing was changed: remove them first" % ", ".join(others))

    def stop(self):
        if self.server.has_systemd:
            for service in self.entry["services"]:
                self.server.run("systemctl", "disable", "--now", service)

    def put_data_aside(self):
        """Keep data directories away from what a package's own removal deletes."""
        for path in self.order["entry"]["data"]:
            if os.path.isdir(path) and not os.path.islink(path) and not os.path.lexists(path + KEPT):
                os.rename(path, path + KEPT)
            if os.path.isdir(path + KEPT) and self.keeps(path):
                self.owners += owner(path + KEPT)

    def keeps(self, path):
        return not self.order["delete_data"] or path in self.before["data"]

    def put_data_back(self):
        kept = []
        for path in self.order["entry"]["data"]:
            if not os.path.isdir(path + KEPT):
                continue
            if not self.keeps(path):
                shutil.rmtree(path + KEPT)
                continue
            if os.path.isdir(path) and os.listdir(path):
                raise Fault("%s came again while its data stood aside in %s: look at both" % (path, path + KEPT))
            remove(path)
            os.rename(path + KEPT, path)
            kept.append(path)
        return kept

    def bring_replaced(self):
        gone = [name for name, (was, _) in self.ours["packages"].items() if was and name not in self.server.packages()]
        wanted = ["%s=%s" % (name, self.before["packages"][name].split()[0]) for name in gone]
        if wanted:
            self.server.must("apt-get", "--yes", "--quiet=2", "--no-install-recommends", "install", *wanted)

    def restore_files(self):
        for path in sorted(self.ours["files"], reverse=True):
            wanted = self.before["files"].get(path)
            if look(path) == wanted:
                continue
            if wanted is None:
                remove(path)
            elif wanted.startswith("directory"):
                os.makedirs(path, exist_ok=True)
                shutil.copystat(self.record.kept(path), path)
                status = os.lstat(self.record.kept(path))
                os.chown(path, status.st_uid, status.st_gid)
            else:
                bring(self.record.kept(path), path)

    def keep_owners(self):
        """Bring back the accounts that own data which stays: a package's own removal may have deleted them."""
        for user, group in self.owners:
            if group.gr_name not in names("group"):
                self.server.must("groupadd", "--system", "--gid", str(group.gr_gid), group.gr_name)
            if user.pw_name not in names("user"):
                numbers = ["--uid", str(user.pw_uid), "--gid", str(user.pw_gid)]
                rest = ["--home-dir", user.pw_dir, "--no-create-home", "--shell", user.pw_shell, user.pw_name]
                self.server.must("useradd", "--system", *numbers, *rest)

    def remove_accounts(self):
        """Remove the accounts that came, but for those that own data which stays."""
        stay = {"user " + user.pw_name for user, _ in self.owners} | {
            "group " + group.gr_name for _, group in self.owners
        }
        for kind, program in (("user", "userdel"), ("group", "groupdel")):
            for account in self.new("accounts"):
                name = account.partition(" ")[2]
                if account.startswith(kind) and account not in stay and name in names(kind):
                    self.server.run(program, name)
        for account in stay:
            self.ours["accounts"].pop(account, None)

    def left(self):
        """Return what of ours is not as before, and what others changed meanwhile."""
        now = differences(self.before, self.server.state(self.order["paths"]))
        ours = {part: {n: v for n, v in now[part].items() if n in self.ours[part]} for part in PARTS}
        others = {part: {n: v for n, v in now[part].items() if n not in self.ours[part]} for part in PARTS}
        return lines(ours), lines(others)


def remove(path):
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.isdir(path) and not os.listdir(path):
        os.rmdir(path)


def bring(kept, path):
    """Bring a kept file back in one step."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    beside = path + ".sopauto-back"
    if os.path.islink(kept):
        os.symlink(os.readlink(kept), beside)
    else:
        shutil.copy2(kept, beside)
        status = os.lstat(kept)
        os.chown(beside, status.st_uid, status.st_gid)
    os.replace(beside, path)


def record_before(module, server, record):
    if record.read("before.json") is not None:
        module.exit_json(changed=False)
    result = {"changed": True, "diff": {"prepared": "record packages, /etc, services, ports and accounts\n"}}
    if not module.check_mode:
        record.copy_etc()
        there = [path for path in record.order["entry"]["data"] if os.path.isdir(path)]
        record.write(
            "before.json", dict(server.state(record.order["paths"]), ticket=record.order["ticket"], data=there)
        )
    module.exit_json(**result)


def settle(module, server, record):
    if record.read("after.json") is not None:
        module.exit_json(changed=False)
    result = {"changed": True, "diff": {"prepared": "record what installing changed\n"}}
    if not module.check_mode:
        after = server.state(record.order["paths"])
        record.write("after.json", after)
        difference = differences(record.read("before.json"), after)
        for port in record.order["entry"]["requires"]["ports"]:
            difference["ports"].setdefault(port, (None, "to be opened"))
        changed = lines(difference)
        result["evidence"] = {"installed": changed[:MOST], "more": max(0, len(changed) - MOST)}
    module.exit_json(**result)


def restore(module, server, record):
    before = record.read("before.json")
    told = {"running": False, "reason": module.params["reason"]} if module.params["reason"] else {}
    if before is None:
        proof = record.read("proof.json") or {
            "left": ["no state is recorded here"],
            "removed": [],
            "kept": [],
            "others": [],
        }
        module.exit_json(changed=False, evidence=dict(proof, **told))
    work = TakeBack(server, record, before, record.read("after.json") or server.state(record.order["paths"]))
    packages, kept = work.carry_out()
    left, others = work.left()
    proof = {"removed": packages, "kept": kept, "left": left[:MOST], "others": others[:MOST]}
    if not left:
        record.write("proof.json", proof)
        record.forget()
    module.exit_json(changed=True, evidence=dict(proof, **told))


def main():
    options = {
        "action": {"type": "str", "required": True, "choices": ["record", "settle", "restore"]},
        "order": {"type": "dict", "required": True},
        "records": {"type": "str", "required": True},
        "reason": {"type": "str"},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    act = {"record": record_before, "settle": settle, "restore": restore}[module.params["action"]]
    try:
        act(module, Server(module), Record(module))
    except (Fault, OSError, shutil.Error) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
