"""Render a tree of templates here; let the module of the same name bring all of it to the server in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template

OPTIONS = ("tree", "files", "modes", "absent", "check", "activate", "again", "stamp")


class ActionModule(ActionBase):
    """Templates of `templates/<tree>/` of the calling role; a path there is the path on the server."""

    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        given = self._task.args
        unknown = set(given) - set(OPTIONS)
        if unknown:
            raise AnsibleActionFail(f"unknown options: {', '.join(sorted(unknown))}")
        modes = dict(given.get("modes") or {})
        files = [*(given.get("files") or [])]
        if given.get("tree"):
            files += self._rendered(str(given["tree"]), modes)
        if modes:
            raise AnsibleActionFail(f"modes of files that the tree does not have: {', '.join(sorted(modes))}")
        arguments = {
            # A file that renders to nothing is not wanted: that is how a template says so.
            "files": [file for file in files if str(file["content"]).strip()],
            "absent": [
                *(given.get("absent") or []),
                *(file["path"] for file in files if not str(file["content"]).strip()),
            ],
            "check": given.get("check") or [],
            "activate": given.get("activate") or [],
            "again": bool(given.get("again")),
            "stamp": given.get("stamp") or given.get("tree") or "",
        }
        return dict(self._execute_module(module_name="file_tree", module_args=arguments, task_vars=task_vars))

    def _rendered(self, tree: str, modes: dict[str, str]) -> list[dict[str, str]]:
        if self._task._role is None:
            raise AnsibleActionFail("a tree belongs to a role")
        root = Path(self._task._role._role_path) / "templates" / tree
        found = sorted(path for path in root.rglob("*") if path.is_file())
        if not found:
            raise AnsibleActionFail(f"there is no tree {root}")
        return [self._file(root, path, modes) for path in found]

    def _file(self, root: Path, path: Path, modes: dict[str, str]) -> dict[str, str]:
        name = str(path.relative_to(root)).removesuffix(".j2")
        text = path.read_text()
        if path.suffix == ".j2":
            overrides = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
            text = str(self._templar.template(trust_as_template(text), escape_backslashes=False, overrides=overrides))
        return {"path": f"/{name}", "content": text, "mode": str(modes.pop(name, "0644"))}
