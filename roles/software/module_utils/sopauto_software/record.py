"""What is kept of a software on the server, so that it can be taken back."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.sopauto_software.present import below_etc

TREES = "/var/lib/sopauto/trees"


class Record:
    """What is kept of a software on the server."""

    def __init__(self, module: AnsibleModule) -> None:
        self.order = module.params["order"]
        self.folder = os.path.join(module.params["records"], self.order["software"])

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def read(self, name: str) -> Any:
        try:
            with open(self.path(name)) as kept:
                return json.load(kept)
        except OSError:
            return None

    def write(self, name: str, value: object) -> None:
        os.makedirs(self.folder, 0o700, exist_ok=True)
        with open(self.path(name) + ".new", "w") as kept:
            json.dump(value, kept)
            kept.flush()
            os.fsync(kept.fileno())
        os.replace(self.path(name) + ".new", self.path(name))

    def copy_etc(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.path("incoming"), 0o700)
        os.chmod(self.folder, 0o700)

        def passed_over(folder: str, names: list[str]) -> list[str]:
            return [name for name in names if not os.path.lexists(os.path.join(folder, name))]

        shutil.copytree("/etc", self.path("etc"), symlinks=True, ignore=passed_over)
        for path in self.order["paths"]:
            if not below_etc(path) and os.path.lexists(path):
                os.makedirs(os.path.dirname(self.kept(path)), exist_ok=True)
                shutil.copy2(path, self.kept(path), follow_symlinks=False)
                status = os.lstat(path)
                os.chown(self.kept(path), status.st_uid, status.st_gid, follow_symlinks=False)

    def kept(self, path: str) -> str:
        """Return where the copy of a file lies."""
        return self.path(path[1:]) if below_etc(path) else self.path("outside" + path)

    def forget(self) -> None:
        for name in ("before.json", "after.json", "unpacked"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        for name in ("etc", "outside", "incoming"):
            shutil.rmtree(self.path(name), ignore_errors=True)
        for stamp in ("software-%s" % self.order["software"], "software-%s-units" % self.order["software"]):
            if os.path.exists(os.path.join(TREES, stamp)):
                os.unlink(os.path.join(TREES, stamp))
