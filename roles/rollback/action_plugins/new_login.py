"""Log in to the server by SSH on a connection of its own: proof that a new login works with the new settings."""

from __future__ import annotations

import subprocess
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

SECONDS = 60


class ActionModule(ActionBase):
    """Runs `ssh` with the given arguments and `true` as its command; nothing of it comes from the server."""

    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return how ssh ended, as the module `command` does."""
        super().run(tmp, task_vars)
        unknown = set(self._task.args) - {"arguments"}
        if unknown:
            raise AnsibleActionFail(f"unknown options: {', '.join(sorted(unknown))}")
        command = ["ssh", *map(str, self._task.args["arguments"]), "true"]
        try:
            ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return {"failed": True, "rc": 255, "msg": "the server does not answer", "stderr": ""}
        stderr = ended.stderr.decode(errors="replace").strip()
        if ended.returncode:
            return {"failed": True, "rc": ended.returncode, "msg": "non-zero return code", "stderr": stderr}
        return {"changed": False, "rc": 0, "stderr": stderr}
