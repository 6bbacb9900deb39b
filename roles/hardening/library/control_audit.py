#!/usr/bin/python
"""Look at every control of a server in one go: what it is like, and whether that is as wanted."""

from __future__ import annotations

DOCUMENTATION = r"""
module: control_audit
short_description: Look at the controls of a server
description:
  - Reads what each control speaks of, and tells what was found and whether it is as wanted. Changes nothing, except that
    I(mend_modes) sets the modes that controls want.
  - With I(before) and I(waivers) the result is the evidence of a hardening, control by control.
options:
  controls:
    description: The controls, as in C(vars/controls.yml).
    type: list
    elements: dict
    required: true
  before:
    description: What this module found before the change.
    type: list
    elements: dict
    default: []
  waivers:
    description: Controls that need not hold, each with reason, owner and expiry date.
    type: list
    elements: dict
    default: []
  mend_modes:
    description: Set the owner (root) and the mode of each file that I(controls) name.
    type: bool
    default: false
author:
  - sopauto
"""
EXAMPLES = r"""
- name: Look
  control_audit:
    controls: "{{ controls }}"
"""
RETURN = r"""
controls:
  description: For each control id, lynis, topic, title, found, holds, applies, packages (to install or remove).
  returned: always
  type: list
failed_controls:
  description: Id, title and what was found of each control that should hold and does not.
  returned: with before
  type: list
evidence:
  description: The controls with before, after, status and waiver, and how many there are of each status.
  returned: with before
  type: dict
"""

import os
import re
import stat
from collections.abc import Iterator
from typing import Any

from ansible.module_utils.basic import AnsibleModule

SSHD = "/usr/sbin/sshd"
Look = tuple[str, bool]
"""What was found, and whether it is as wanted."""


class Server:
    """What is asked of the server more than once is read once."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self._sshd: list[tuple[str, str]] | None = None
        self._installed: set[str] | None = None
        self._mounts: dict[str, list[str]] | None = None

    def run(self, command: list[str]) -> tuple[int, str]:
        """Return exit code and what a command says, trimmed."""
        try:
            code, out, err = self.module.run_command(command, handle_exceptions=False)
        except OSError as error:
            return 127, error.strerror or "cannot be started"
        return code, out.strip() or err.strip()

    def sysctl(self, key: str, wanted: Any) -> Look:
        found = read("/proc/sys/" + key.replace(".", "/"))
        if found is None:
            return "%s: not in this kernel" % key, True
        return "%s = %s" % (key, found.strip()), found.strip() == str(wanted)

    def sshd(self, option: str, wanted: Any) -> Look:
        if self._sshd is None:
            code, out, _ = self.module.run_command([SSHD, "-T", "-C", "user=root,host=localhost,addr=127.0.0.1"])
            lines = [line.partition(" ") for line in out.lower().splitlines()]
            self._sshd = [(name, value) for name, _, value in lines] if code == 0 else []
        wanted = {True: "yes", False: "no"}.get(wanted, str(wanted)) if isinstance(wanted, bool) else str(wanted)
        found = [value for name, value in self._sshd if name == option]
        return "%s %s" % (option, " ".join(found) or "(not set)"), found == [wanted.lower()]

    def kernel_module(self, name: str) -> Look:
        loaded = re.search(r"^%s\b" % name.replace("-", "_"), read("/proc/modules") or "", re.M)
        barred = any(
            re.search(
                r"^install\s+%s\s+/bin/(false|true)" % name, read(os.path.join("/etc/modprobe.d", file)) or "", re.M
            )
            for file in sorted(os.listdir("/etc/modprobe.d"))
        )
        return "%s %s" % (name, "loaded" if loaded else "barred" if barred else "can be loaded"), barred and not loaded

    def packages(self, control: dict[str, Any]) -> list[str]:
        """Return the packages that are to be installed or removed for a control."""
        wanted = [(name, True) for name in control.get("packages", [])]
        wanted += [(name, False) for name in control.get("absent", [])]
        return [name for name, there in wanted if not self.package(name, there)[1]]

    def package(self, name: str, there: bool) -> Look:
        if self._installed is None:
            _, out, _ = self.module.run_command(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"])
            self._installed = {line.split()[0] for line in out.splitlines() if line.endswith(" installed")}
        found = name in self._installed
        return "%s %s" % (name, "installed" if found else "not installed"), found is there

    def service(self, unit: str, wanted: str) -> Look:
        unit = unit if "." in unit else unit + ".service"
        code, found = self.run(["systemctl", "is-" + wanted, unit])
        return "%s %s" % (unit, found.splitlines()[0] if found else "unknown"), code == 0

    def mount(self, point: str, wanted: list[str]) -> Look:
        if self._mounts is None:
            self._mounts = {
                line.split()[1]: line.split()[3].split(",") for line in (read("/proc/mounts") or "").splitlines()
            }
        if point not in self._mounts:
            return "%s: no file system of its own" % point, False
        found = [option for option in wanted if option in self._mounts[point]]
        return "%s %s" % (point, ",".join(found) or "(none of the options)"), found == list(wanted)

    def has(self, path: str, pattern: str, there: bool) -> Look:
        text = read(path)
        found = text is not None and re.search(pattern, text, re.M) is not None
        told = "no such file" if text is None else "%s %s" % ("has" if found else "lacks", pattern)
        return "%s %s" % (path, told), found is there

    def mode(self, path: str, wanted: str) -> Look:
        found = mode_of(path)
        if found is None:
            return "%s: not there" % path, True
        mode, owner = found
        return "%s %04o owner %d" % (path, mode, owner), owner == 0 and not mode & ~int(wanted, 8)

    def command(self, asked: dict[str, Any]) -> Look:
        code, found = self.run(asked["run"])
        fits = re.search(asked["gives"], found, re.M) is not None
        return "%s: %s" % (
            asked["run"].split()[0],
            found.splitlines()[0][:120] if found else "(nothing)",
        ), code == 0 and fits


def read(path: str) -> str | None:
    try:
        with open(path, errors="replace") as file:
            return file.read(1024 * 1024)
    except OSError:
        return None


def mode_of(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return stat.S_IMODE(status.st_mode), status.st_uid


def looks(server: Server, control: dict[str, Any]) -> Iterator[Look]:
    """Yield what was found, and whether it is as wanted, of everything that a control speaks of."""
    for key, wanted in control.get("sysctl", {}).items():
        yield server.sysctl(key, wanted)
    for option, wanted in control.get("sshd", {}).items():
        yield server.sshd(option, wanted)
    for name in control.get("modules", []):
        yield server.kernel_module(name)
    for kind, there in (("packages", True), ("absent", False)):
        for name in control.get(kind, []):
            yield server.package(name, there)
    for unit, wanted in control.get("services", {}).items():
        yield server.service(unit, wanted)
    for point, wanted in control.get("mounts", {}).items():
        yield server.mount(point, wanted)
    for kind, there in (("has", True), ("lacks", False)):
        for path, patterns in control.get(kind, {}).items():
            for pattern in patterns:
                yield server.has(path, pattern, there)
    for path, wanted in control.get("modes", {}).items():
        yield server.mode(path, wanted)
    if "command" in control:
        yield server.command(control["command"])


def look(server: Server, control: dict[str, Any]) -> dict[str, Any]:
    found = list(looks(server, control))
    wrong = [told for told, holds in found if not holds]
    return {
        "id": str(control["id"]),
        "lynis": control.get("lynis"),
        "topic": control["topic"],
        "title": control["title"],
        "found": "; ".join(wrong or [told for told, holds in found])[:1000],
        "holds": not wrong,
        "applies": not truth(control.get("unless", False)),
        "report": bool(control.get("report")),
        "packages": server.packages(control),
    }


def truth(value: Any) -> bool:
    return value if isinstance(value, bool) else str(value).lower() in {"true", "1", "yes"}


def status(before: dict[str, Any], after: dict[str, Any], waiver: dict[str, Any] | None) -> str:
    if not after["applies"]:
        return "tidak berlaku"
    if waiver:
        return "dikecualikan"
    if not after["holds"]:
        return "perlu dilihat" if after["report"] else "gagal"
    return "sesuai" if before.get("holds") else "berubah"


def evidence(
    controls: list[dict[str, Any]], before: list[dict[str, Any]], waivers: list[dict[str, Any]]
) -> dict[str, Any]:
    earlier = {control["id"]: control for control in before}
    waived = {str(waiver["control"]): waiver for waiver in waivers}
    rows = []
    for control in controls:
        was = earlier.get(control["id"], {})
        rows.append(
            {
                "id": control["id"],
                "lynis": control["lynis"],
                "topic": control["topic"],
                "title": control["title"],
                "before": was.get("found", ""),
                "after": control["found"],
                "status": status(was, control, waived.get(control["id"])),
                "waiver": waived.get(control["id"]),
            }
        )
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    return {"controls": rows, "summary": counts}


def set_modes(module: AnsibleModule, controls: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Take away the rights that controls do not want; return the difference."""
    changes = []
    for path, wanted in sorted(pair for control in controls for pair in control.get("modes", {}).items()):
        found = mode_of(path)
        if found is None or (found[1] == 0 and not found[0] & ~int(wanted, 8)):
            continue
        mode = found[0] & int(wanted, 8)
        changes.append(
            {
                "before_header": path,
                "after_header": path,
                "before": "mode %04o\n" % found[0],
                "after": "mode %04o\n" % mode,
            }
        )
        if not module.check_mode:
            os.chown(path, 0, -1)
            os.chmod(path, mode)
    return changes


def main() -> None:
    options = {
        "controls": {"type": "list", "elements": "dict", "required": True},
        "before": {"type": "list", "elements": "dict", "default": []},
        "waivers": {"type": "list", "elements": "dict", "default": []},
        "mend_modes": {"type": "bool", "default": False},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    given = module.params
    if given["mend_modes"]:
        changes = set_modes(module, given["controls"])
        module.exit_json(changed=bool(changes), diff=changes)
    server = Server(module)
    found = [look(server, control) for control in given["controls"]]
    result: dict[str, Any] = {"changed": False, "controls": found}
    if given["before"]:
        result["evidence"] = evidence(found, given["before"], given["waivers"])
        result["failed_controls"] = [
            "%s %s (%s)" % (row["id"], row["title"], row["after"])
            for row in result["evidence"]["controls"]
            if row["status"] == "gagal"
        ]
    module.exit_json(**result)


if __name__ == "__main__":
    main()
