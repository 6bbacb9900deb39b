"""A software that goes again: uninstalled, what it changed brought back, and looked at again."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
from typing import Any

from ansible.module_utils.sopauto_software.comparing import PARTS, differences, lines
from ansible.module_utils.sopauto_software.present import Fault, Server, State, accounts, look
from ansible.module_utils.sopauto_software.record import Record

KEPT = ".sopauto-kept"


class TakeBack:
    """One take-back: what is ours is what differs between the states before and after installing."""

    def __init__(self, server: Server, record: Record, before: dict[str, Any], after: State) -> None:
        self.server = server
        self.record = record
        self.order = record.order
        self.entry = record.order["entry"]
        self.before = before
        self.owners: list[tuple[pwd.struct_passwd, grp.struct_group]] = []
        self.ours = differences(before, after)
        self.ours["files"].update({path: (before["files"].get(path), None) for path in self.order["paths"]})
        for port in self.entry["requires"]["ports"]:
            self.ours["ports"].setdefault(port, (before["ports"].get(port), None))

    def new(self, part: str) -> list[str]:
        return [name for name, (was, _) in sorted(self.ours[part].items()) if was is None]

    def carry_out(self) -> tuple[list[str], list[str]]:
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

    def refuse_others(self, packages: list[str]) -> None:
        """Refuse, before anything is touched, where the removal would take other packages with it."""
        if not packages:
            return
        out = self.server.must("apt-get", "--simulate", "purge", *packages)
        going = {name.partition(":")[0] for name in re.findall(r"^(?:Purg|Remv) (\S+)", out, re.M)}
        others = sorted(going - {name.partition(":")[0] for name in packages})
        if others:
            raise Fault("%s need it; nothing was changed: remove them first" % ", ".join(others))

    def stop(self) -> None:
        if self.server.has_systemd:
            for service in self.entry["services"]:
                self.server.run("systemctl", "disable", "--now", service)

    def put_data_aside(self) -> None:
        """Keep data directories away from what a package's own removal deletes."""
        for path in self.order["entry"]["data"]:
            if os.path.isdir(path) and not os.path.islink(path) and not os.path.lexists(path + KEPT):
                os.rename(path, path + KEPT)
            if os.path.isdir(path + KEPT) and self.keeps(path):
                self.owners += owner(path + KEPT)

    def keeps(self, path: str) -> bool:
        return not self.order["delete_data"] or path in self.before["data"]

    def put_data_back(self) -> list[str]:
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

    def bring_replaced(self) -> None:
        gone = [name for name, (was, _) in self.ours["packages"].items() if was and name not in self.server.packages()]
        wanted = ["%s=%s" % (name, self.before["packages"][name].split()[0]) for name in gone]
        if wanted:
            self.server.must("apt-get", "--yes", "--quiet=2", "--no-install-recommends", "install", *wanted)

    def restore_files(self) -> None:
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

    def keep_owners(self) -> None:
        """Bring back the accounts that own data which stays: a package's own removal may have deleted them."""
        for user, group in self.owners:
            if group.gr_name not in names("group"):
                self.server.must("groupadd", "--system", "--gid", str(group.gr_gid), group.gr_name)
            if user.pw_name not in names("user"):
                numbers = ["--uid", str(user.pw_uid), "--gid", str(user.pw_gid)]
                rest = ["--home-dir", user.pw_dir, "--no-create-home", "--shell", user.pw_shell, user.pw_name]
                self.server.must("useradd", "--system", *numbers, *rest)

    def remove_accounts(self) -> None:
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

    def left(self) -> tuple[list[str], list[str]]:
        """Return what of ours is not as before, and what others changed meanwhile."""
        now = differences(self.before, self.server.state(self.order["paths"]))
        ours = {part: {n: v for n, v in now[part].items() if n in self.ours[part]} for part in PARTS}
        others = {part: {n: v for n, v in now[part].items() if n not in self.ours[part]} for part in PARTS}
        return lines(ours), lines(others)


def names(kind: str) -> set[str]:
    """Return the names of all users or groups, read anew."""
    return {account.partition(" ")[2] for account in accounts() if account.startswith(kind)}


def owner(path: str) -> list[tuple[pwd.struct_passwd, grp.struct_group]]:
    """Return user and group of a directory's owner, where it is an account that came with a software."""
    status = os.lstat(path)
    try:
        user = pwd.getpwuid(status.st_uid)
        return [(user, grp.getgrgid(user.pw_gid))] if user.pw_uid else []
    except KeyError:
        return []


def remove(path: str) -> None:
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.isdir(path) and not os.listdir(path):
        os.rmdir(path)


def bring(kept: str, path: str) -> None:
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
