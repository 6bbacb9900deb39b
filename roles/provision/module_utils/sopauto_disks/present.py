"""The disks of this server as they are: groups, volumes, mounts, and what stands on a device."""

from __future__ import annotations

import json
import os
import shutil

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.sopauto_disks.fstab import fstab_line
from ansible.module_utils.sopauto_disks.wanted import Refused, Volume

TAG = "sopauto.new"


class Present:
    """What was there when it was looked at; the steps keep it up to date."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module

    def ask(self, *command: str) -> tuple[int, str]:
        """Return exit code and output of a command that changes nothing."""
        code, out, err = self.module.run_command(list(command), environ_update={"LC_ALL": "C"})
        return code, out if code == 0 else (err or out)

    def report(self, program: str, *fields: str) -> list[dict[str, str]]:
        """Return the rows of one of LVM's reports; none when LVM is still to be installed."""
        if not shutil.which("lvm"):
            return []
        command = [program, "--reportformat", "json", "--units", "b", "--nosuffix", "-o", ",".join(fields)]
        code, out = self.ask(*command)
        if code:
            raise Refused("`%s` says: %s" % (program, out.strip()))
        rows: list[dict[str, str]] = json.loads(out)["report"][0][program[:-1]]
        return rows

    def look(self) -> None:
        self.groups = {row["vg_name"]: int(row["vg_free"]) for row in self.report("vgs", "vg_name", "vg_free")}
        owners = self.report("pvs", "pv_name", "vg_name")
        self.owners = {os.path.realpath(row["pv_name"]): row["vg_name"] for row in owners}
        rows = self.report("lvs", "vg_name", "lv_name", "lv_size", "lv_tags")
        self.sizes = {(row["vg_name"], row["lv_name"]): int(row["lv_size"]) for row in rows}
        self.fresh = {(row["vg_name"], row["lv_name"]) for row in rows if TAG in row["lv_tags"].split(",")}
        with open("/proc/self/mounts") as mounts:
            fields = [line.split() for line in mounts]
        self.mounts = {each[1]: (os.path.realpath(each[0]), set(each[3].split(","))) for each in fields}

    def signatures(self, device: str) -> list[str]:
        code, out = self.ask("wipefs", "--no-act", "--noheadings", "--output", "TYPE", device)
        if code:
            raise Refused("%s cannot be read: %s" % (device, out.strip()))
        return out.split()

    def unused(self, volume: Volume) -> bool:
        """Tell whether a volume is ours and nobody has ever used it."""
        mounted = os.path.realpath(volume.device) in [source for source, _ in self.mounts.values()]
        return (volume.group, volume.name) in self.fresh and not fstab_line(volume.mount) and not mounted
