#!/usr/bin/python
"""Look whether a server has all that a software needs; change nothing, and tell everything at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: software_requirements
short_description: Requirements of a software, met or not
description:
  - Compares system, processors, memory, disk, ports, packages and target directory with what an entry asks for.
options:
  name:
    description: Name of the entry.
    type: str
    required: true
  entry:
    description: What the entry says.
    type: dict
    required: true
  records:
    description: Where recorded states are kept.
    type: str
    required: true
  ticket:
    description: The ticket that asks.
    type: str
    required: true
author:
  - sopauto
"""
EXAMPLES = r"""
- name: Requirements
  software_requirements:
    name: nginx
    entry: "{{ entry }}"
    records: /var/lib/sopauto/software
    ticket: PL-2026-0001
"""
RETURN = r"""
failures:
  description: One line for each requirement that is not met.
  returned: always
  type: list
"""

import json
import os
import re
import socket
from typing import Any

from ansible.module_utils.basic import AnsibleModule

SLACK = 0.9  # a part of the memory is the firmware's


class Look:
    """What was looked at, and what is lacking."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.rows: list[dict[str, object]] = []
        self.failures: list[str] = []

    def row(self, what: str, wanted: object, found: object, ok: bool, fault: str) -> None:
        self.rows.append({"what": what, "wanted": str(wanted), "found": str(found), "met": bool(ok)})
        if not ok:
            self.failures.append(fault)

    def run(self, *command: str) -> tuple[int, str, str]:
        code, out, err = self.module.run_command(list(command), environ_update={"LC_ALL": "C.UTF-8"})
        return code, out, err


def system() -> str:
    values = {}
    with open("/etc/os-release") as lines:
        for line in lines:
            name, _, value = line.strip().partition("=")
            values[name] = value.strip('"')
    return "%s-%s" % (values.get("ID", ""), values.get("VERSION_ID", ""))


def memory_mb() -> int:
    with open("/proc/meminfo") as lines:
        return int(next(line for line in lines if line.startswith("MemTotal")).split()[1]) // 1024


def free_mb(path: str) -> int:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize >> 20


def busy(port: int, protocol: str) -> bool:
    """Tell whether somebody has the port, by asking for it."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            with socket.socket(family, kind) as asked:
                if protocol == "tcp":
                    asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    asked.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                asked.bind((address, port))
        except OSError as error:
            if error.errno == 98:
                return True
    return False


def installed(look: Look, package: str) -> bool:
    code, out, _ = look.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}", package)
    return code == 0 and out.startswith("ii")


def recorded(path: str) -> str:
    """Return the ticket for which a state is recorded (empty: none is)."""
    try:
        with open(path) as kept:
            return str(json.load(kept)["ticket"])
    except OSError:
        return ""


def absent(look: Look, entry: dict[str, Any]) -> None:
    """Look that the software is not there already: what somebody else installed is not ours to take back."""
    source = entry["source"]
    if source["packages"] and not source["archive"]:
        package = source["packages"][0]
        there = installed(look, package)
        fault = "%s is installed already, by somebody else" % package
        look.row("package " + package, "absent", "installed" if there else "absent", not there, fault)


def candidates(look: Look, entry: dict[str, Any]) -> None:
    """Look at what the package sources offer."""
    packages = entry["source"]["packages"]
    _, out, _ = look.run("apt-cache", "policy", *packages)
    offered = dict(re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: (\S+)", out, re.M))
    for package in packages:
        version = offered.get(package, "(none)")
        look.row("package " + package, "can be had", version, version != "(none)", "package %s cannot be had" % package)
    if entry["source"]["archive"]:
        return
    version = offered.get(packages[0], "").partition(":")[2] or offered.get(packages[0], "")
    ok = any(version.startswith(wanted) for wanted in entry["versions"])
    wanted = ", ".join(entry["versions"])
    look.row(
        "version of " + packages[0], wanted, version, ok, "%s is offered as %s, not %s" % (packages[0], version, wanted)
    )


def others(look: Look, entry: dict[str, Any]) -> None:
    """Look that installing neither removes nor upgrades a package of somebody else: that could not be taken back."""
    packages = entry["source"]["packages"]
    code, out, err = look.run("apt-get", "--simulate", "--no-install-recommends", "install", *packages)
    if code:
        words = " ".join((err or out).split())[:300]
        look.row("installing", "possible", "not possible", ok=False, fault="apt-get says: %s" % words)
        return
    going = set(re.findall(r"^Remv (\S+)", out, re.M)) - set(entry["requires"]["replaces"])
    newer = set(re.findall(r"^Inst (\S+) \[", out, re.M))
    for what, names in (("removes", going), ("upgrades", newer)):
        told = ", ".join(sorted(names))
        look.row("installing " + what, "nothing", told or "nothing", not names, "installing it %s %s" % (what, told))


def main() -> None:
    options = {
        "name": {"type": "str", "required": True},
        "entry": {"type": "dict", "required": True},
        "records": {"type": "str", "required": True},
        "ticket": {"type": "str", "required": True},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    entry = module.params["entry"]
    requires = entry["requires"]
    owner = recorded(os.path.join(module.params["records"], module.params["name"], "before.json"))
    ours = owner == module.params["ticket"]
    look = Look(module)
    found = system()
    look.row("system", ", ".join(entry["systems"]), found, found in entry["systems"], "its system is %s" % found)
    cpus = len(os.sched_getaffinity(0))
    look.row(
        "processors",
        requires["cpus"],
        cpus,
        cpus >= requires["cpus"],
        "%d processors, %d are needed" % (cpus, requires["cpus"]),
    )
    memory = memory_mb()
    wanted = requires["memory_mb"]
    look.row(
        "memory in MB", wanted, memory, memory >= wanted * SLACK, "%d MB of memory, %d are needed" % (memory, wanted)
    )
    archive = entry["source"]["archive"]
    free = min(free_mb(path) for path in ["/usr", "/var"] + ([archive["into"]] if archive else []))
    wanted = requires["disk_mb"]
    look.row("free disk in MB", wanted, free, free >= wanted, "%d MB of disk are free, %d are needed" % (free, wanted))
    if owner and not ours:
        fault = "%s is installed already, by %s" % (module.params["name"], owner)
        look.row("installed before", "no", owner, ok=False, fault=fault)
    elif not ours:
        absent(look, entry)
        for port in requires["ports"]:
            number, _, protocol = port.partition("/")
            taken = busy(int(number), protocol)
            look.row("port " + port, "free", "in use" if taken else "free", not taken, "port %s is in use" % port)
        for package in requires["conflicts"]:
            there = installed(look, package)
            look.row(
                "package " + package,
                "absent",
                "installed" if there else "absent",
                not there,
                "%s is installed, which conflicts" % package,
            )
        if archive:
            there = os.path.lexists(archive["into"])
            look.row(
                archive["into"],
                "absent",
                "there" if there else "absent",
                not there,
                "%s is there already" % archive["into"],
            )
    if entry["source"]["packages"]:
        candidates(look, entry)
        if not look.failures and not ours:
            others(look, entry)
    look.rows.append({"what": "licence", "wanted": entry["licence"], "found": "stated", "met": True})
    module.exit_json(
        changed=False, failures=look.failures, evidence={"requirements": look.rows, "failures": look.failures}
    )


if __name__ == "__main__":
    main()
