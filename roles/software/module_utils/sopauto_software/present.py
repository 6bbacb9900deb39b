"""A server as it is now: packages, files below /etc, services, ports, accounts."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping

from ansible.module_utils.basic import AnsibleModule

QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
# What programs write there by themselves, and the files of accounts, which are compared account by account.
VOLATILE = re.compile(
    r"/etc/(ld\.so\.cache|mtab|resolv\.conf|adjtime|\.updated|\.pwd\.lock|mailcap|rc[0-6S]\.d(/.*)?|init\.d/\.depend\..*"
    r"|(passwd|shadow|group|gshadow|subuid|subgid)-?)"
)
State = Mapping[str, Mapping[str, str | None]]
"""For each part of what is compared, names and what is known of them."""
EPHEMERAL = 32768  # from here on, ports are given out by chance


class Fault(Exception):
    """What stops the work, in one line."""


class Server:
    """The server as it is now."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module

    def run(self, *command: str) -> tuple[int, str, str]:
        code, out, err = self.module.run_command(list(command), environ_update=QUIET)
        return code, out, err

    def must(self, *command: str) -> str:
        code, out, err = self.run(*command)
        if code:
            raise Fault("`%s` says: %s" % (" ".join(command[:3]), " ".join((err or out).split())[-300:]))
        return out

    @property
    def has_systemd(self) -> bool:
        return os.path.isdir("/run/systemd/system")

    def state(self, paths: list[str]) -> State:
        """Return the state of all that is compared; `paths` are files of the software's configuration."""
        outside = {path: look(path) for path in paths if not below_etc(path)}
        return {
            "packages": self.packages(),
            "files": dict(files("/etc"), **{path: found for path, found in outside.items() if found is not None}),
            "services": self.services(),
            "ports": ports(),
            "accounts": accounts(),
        }

    def packages(self) -> dict[str, str]:
        out = self.must("dpkg-query", "-W", "-f", "${binary:Package} ${Version} ${db:Status-Abbrev}\n")
        return {
            name: "%s %s" % (version, state) for name, version, state in (line.split() for line in out.splitlines())
        }

    def services(self) -> dict[str, str]:
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


def below_etc(path: str) -> bool:
    return path.startswith("/etc/")


def files(root: str) -> dict[str, str | None]:
    found = {}
    for folder, names, others in os.walk(root):
        for name in names + others:
            path = os.path.join(folder, name)
            if not VOLATILE.fullmatch(path):
                found[path] = look(path)
    return found


def look(path: str) -> str | None:
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


def ports() -> dict[str, str]:
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


def accounts() -> dict[str, str]:
    found = {}
    for kind, path in (("user", "/etc/passwd"), ("group", "/etc/group")):
        with open(path) as lines:
            for line in lines:
                fields = line.rstrip("\n").split(":")
                found["%s %s" % (kind, fields[0])] = fields[2]
    return found
