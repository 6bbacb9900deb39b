"""ansible-runner, wrapped: one playbook, one server, from the very bytes that were approved."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from sopauto.errors import BadInput, StepFailed
from sopauto.technical.playbook import Change, PlaybookRun
from sopauto.work import Json, Report

MAX_DIFF = 64 * 1024
"""Characters of one task's difference that are shown and compared; a server could answer without end."""
MAX_LOG = 1024 * 1024
"""Characters of a run's log that are kept."""
TIMEOUT = 1800
"""Seconds after which a playbook is stopped."""


class Login(Protocol):
    """A login of the settings."""

    @property
    def user(self) -> str:
        """The user's name on the server."""

    @property
    def key_file(self) -> Path | None:
        """The private key."""


@dataclass(slots=True)
class _Listener:
    """Collects what the events of a run tell."""

    report: Report
    changes: list[Change] = field(default_factory=list)
    failure: str | None = None

    def hear(self, event: dict[str, Any]) -> bool:
        data = event.get("event_data", {})
        result = data.get("res") or {}
        task = str(data.get("task", ""))[:200]
        kind = event.get("event")
        if kind == "playbook_on_task_start":
            self.report(task)
        elif kind in {"runner_on_failed", "runner_on_unreachable"} and not data.get("ignore_errors"):
            self.failure = self.failure or f"{task}: {str(result.get('msg', 'failed'))[:500]}"
        elif kind == "runner_on_ok" and result.get("changed"):
            self.changes.append(Change(task=task, diff=_diff(result.get("diff"))))
        return False  # ansible-runner need not keep the event


class Ansible:
    """Runs playbooks by ansible-runner. `credentials` are the settings' logins by name."""

    def __init__(self, *, credentials: Mapping[str, Login]) -> None:
        self._credentials = credentials

    def run(
        self, playbook: str, files: Mapping[str, bytes], parameters: Json, *, check: bool, report: Report
    ) -> PlaybookRun:
        """Run the playbook from these very files; `check` changes nothing.

        Raises: BadInput (unknown login), StepFailed (it did not start).
        """
        import ansible_runner

        with TemporaryDirectory(prefix="sopauto-playbook-") as directory:
            project = Path(directory) / "project"
            for name, content in files.items():
                (project / name).parent.mkdir(parents=True, exist_ok=True)
                (project / name).write_bytes(content)
            listener = _Listener(report=report)
            runner = ansible_runner.run(
                private_data_dir=directory,
                playbook=playbook,
                inventory=self._inventory(parameters, Path(directory)),
                extravars=dict(parameters.get("variables", {})),
                envvars=_environment(project),
                cmdline="--diff --check" if check else "--diff",
                event_handler=listener.hear,
                timeout=TIMEOUT,
                quiet=True,
            )
            log = _log(runner)
            if runner.status != "successful" and listener.failure is None:
                listener.failure = f"ansible-playbook ended as {runner.status}: {log.strip()[-300:]}"
        return PlaybookRun(changes=listener.changes, failure=listener.failure, log=log)

    def _inventory(self, parameters: Json, directory: Path) -> dict[str, Any]:
        login = self._credentials.get(str(parameters.get("credentials")))
        if login is None:
            raise BadInput(
                f"no login {parameters.get('credentials')}", where="sopauto.toml [credentials]", mend="add it"
            )
        if not parameters.get("host_key"):
            raise StepFailed("no host key is pinned", where=str(parameters["server"]), mend="run custody.check first")
        address, port = parameters["address"], parameters["port"]
        known_hosts = directory / "known_hosts"
        known_hosts.write_text(f"[{address}]:{port} {parameters['host_key']}\n{address} {parameters['host_key']}\n")
        host: dict[str, Any] = {
            "ansible_host": address,
            "ansible_port": port,
            "ansible_user": login.user,
            # A Debian server's own; an SOP's variables may name another.
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_common_args": (
                f"-o UserKnownHostsFile={known_hosts} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes"
            ),
        }
        if login.key_file:
            host["ansible_ssh_private_key_file"] = str(login.key_file)
        return {"all": {"hosts": {parameters["server"]: host}}}


def _environment(project: Path) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        "ANSIBLE_ROLES_PATH": str(project / "roles"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_PIPELINING": "True",
        # A shared connection would outlive the playbook.
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=no -o ControlPath=none",
        "LC_ALL": "C.UTF-8",
    }


def _diff(difference: Any) -> str:
    """Return a task's difference as text, bounded."""
    parts = difference if isinstance(difference, list) else [difference] if difference else []
    told = []
    for part in parts:
        if isinstance(part, dict) and "prepared" in part:
            told.append(str(part["prepared"]))
        else:
            told.append(json.dumps(part, ensure_ascii=False, sort_keys=True, default=str))
    return "\n".join(told)[:MAX_DIFF]


def _log(runner: Any) -> str:
    with runner.stdout as stream:
        return str(stream.read(MAX_LOG))
