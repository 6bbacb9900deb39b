"""ansible-runner, wrapped: one playbook, one server, from the very bytes that were approved.

The only place that knows ansible-runner. Nothing of a run outlives it (`keeper.py`), what is kept of its output is
bounded, and secrets reach Ansible through its own prompt.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

from sopauto.drivers.differences import masked
from sopauto.drivers.events import Listener
from sopauto.drivers.inventory_file import inert, inventory
from sopauto.drivers.ssh import Ssh
from sopauto.drivers.stopping import interruptible
from sopauto.errors import BadInput, StepFailed
from sopauto.procedures.fields import one_line
from sopauto.technical.host_keys import fingerprint
from sopauto.technical.playbook import PlaybookRun
from sopauto.technical.reach import Silence
from sopauto.work import Json, Report

MAX_LOG: Final = 1024 * 1024
"""Characters of a run's log that are kept."""
GREETING_SECONDS: Final = 20
HOSTS: Final = "inventory/hosts.yml"
LINE: Final = "line.yml"
"""Files of a run: its one server, and how that is reached, which nothing that is played can say otherwise."""
KEEPER: Final = Path(__file__).with_name("keeper.py")


class Login(Protocol):
    """A login of the settings."""

    @property
    def user(self) -> str:
        """The user's name on the server."""

    @property
    def key_file(self) -> Path | None:
        """The private key."""

    @property
    def password_env(self) -> str | None:
        """The variable that holds the password, or the key's passphrase."""

    @property
    def sudo_password_env(self) -> str | None:
        """The variable that holds the password that sudo asks for."""

    @property
    def python(self) -> str:
        """The Python on the server that runs Ansible's modules."""


class Ansible:
    """Runs playbooks by ansible-runner. `credentials` are the settings' logins by name."""

    def __init__(self, *, credentials: Mapping[str, Login]) -> None:
        self._credentials = credentials

    def run(
        self, playbook: str, files: Mapping[str, bytes], parameters: Json, *, check: bool, report: Report
    ) -> PlaybookRun:
        """Run the playbook from these very files; `check` changes nothing.

        Raises: BadInput (unknown login), StepFailed (no host key, or another one).
        """
        with TemporaryDirectory(prefix="sop-") as name:
            directory = Path(name)
            for path, content in files.items():
                (directory / "project" / path).parent.mkdir(parents=True, exist_ok=True)
                (directory / "project" / path).write_bytes(content)
            login = self._login(parameters)
            self._inventory(login, parameters, directory)
            return self._play(directory, playbook, login, check=check, report=report)

    def _play(
        self,
        directory: Path,
        playbook: str,
        login: Login,
        *,
        check: bool,
        report: Report,
    ) -> PlaybookRun:
        import ansible_runner

        sudo = _secret(login.sudo_password_env)
        listener = Listener(report=report, secrets=tuple(filter(None, (sudo, _secret(login.password_env)))))
        with interruptible(directory / "keeper.pid") as stop:
            runner = ansible_runner.run(
                private_data_dir=str(directory),
                playbook=playbook,
                inventory=str(directory / HOSTS),
                envvars=_environment(directory),
                passwords={r"BECOME password.*:\s*?$": sudo} if sudo else None,
                suppress_env_files=True,
                cmdline=shlex.join(
                    [
                        "--diff",
                        f"--extra-vars=@{directory / LINE}",
                        *(["--check"] if check else []),
                        *(["--ask-become-pass"] if sudo else []),
                    ]
                ),
                event_handler=listener.hear,
                cancel_callback=stop.asked,
                quiet=True,
            )
        log = masked(_log(runner), listener.secrets)
        if runner.status != "successful":
            ended = f"ansible-playbook ended as {runner.status}: {log.strip()[-300:]}"
            listener.failure = stop.why or listener.failure or one_line(ended)
        else:
            # A failure that a rescue took care of is none.
            listener.failure = None
            if check and listener.changed > len(listener.changes):
                listener.failure = "a task answered more than can be kept; its changes cannot be told"
        return PlaybookRun(
            changes=listener.changes,
            failure=listener.failure,
            unreachable=listener.unreachable,
            log=log,
            tasks=listener.tasks,
            evidence=listener.evidence,
        )

    def _login(self, parameters: Json) -> Login:
        name = str(parameters.get("credentials"))
        login = self._credentials.get(name)
        if login is None:
            raise BadInput(f"no login {name}", where=f"sopauto.toml [credentials.{name}]", mend="add it")
        if login.sudo_password_env and not os.environ.get(login.sudo_password_env):
            where = f"sopauto.toml [credentials.{name}]"
            raise BadInput(f"{login.sudo_password_env} is not set", where=where, mend="set it to sudo's password")
        return login

    def _inventory(self, login: Login, parameters: Json, directory: Path) -> None:
        """Write the inventory, and how the one server is reached, which no playbook can say otherwise."""
        address, port = str(parameters["address"]), int(parameters["port"])
        known_hosts = directory / "known_hosts"
        key = self._host_key(parameters)
        known_hosts.write_text(f"[{address}]:{port} {key}\n{address} {key}\n")
        line: dict[str, Any] = {
            "ansible_port": port,
            "ansible_user": login.user,
            "ansible_ssh_common_args": (
                f"-F none -o UserKnownHostsFile={known_hosts} -o GlobalKnownHostsFile=/dev/null "
                "-o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
            ),
            "ansible_ssh_extra_args": "",
        }
        if login.key_file:
            line["ansible_ssh_private_key_file"] = str(login.key_file)
        # A role that moves the server to another address goes on there: it is the same key that has to answer.
        server = {"ansible_host": address, "ansible_connection": "ssh", "ansible_python_interpreter": login.python}
        (directory / HOSTS).parent.mkdir()
        hosts = inventory(str(parameters["server"]), parameters.get("variables", {}), {**server, **line})
        (directory / HOSTS).write_text(hosts)
        (directory / LINE).write_text(inert(line))

    def _host_key(self, parameters: Json) -> str:
        """Return the pinned host key, or the one whose fingerprint was read from the server's console."""
        where = str(parameters["server"])
        if parameters.get("host_key"):
            return str(parameters["host_key"])
        stated = parameters.get("fingerprint")
        if not stated:
            raise StepFailed("no host key is pinned", where=where, mend="run custody.check first")
        address, port = str(parameters["address"]), int(parameters["port"])
        found = Ssh(credentials={}).greet(address, port, pinned="ssh-ed25519", seconds=GREETING_SECONDS)
        if isinstance(found, Silence):
            raise StepFailed(
                f"does not answer on {address} port {port}: {found.reason}", where=where, mend="look there"
            )
        if fingerprint(found.host_key) != stated:
            raise StepFailed(
                f"the host key is {fingerprint(found.host_key)}, not {stated}",
                where=where,
                mend="nothing was sent; read the fingerprint on the server's console again",
            )
        return found.host_key


def _environment(directory: Path) -> dict[str, str]:
    """Return Ansible's environment; its `ansible-playbook` is one that the keeper runs."""
    programs = Path(sys.executable).parent
    keeper = directory / "bin" / "ansible-playbook"
    keeper.parent.mkdir()
    command = [sys.executable, "-I", "-S", str(KEEPER), sys.executable, str(programs / "ansible-playbook")]
    keeper.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    keeper.chmod(0o700)
    return {
        "PATH": f"{keeper.parent}:{programs}:{os.environ.get('PATH', '')}",
        "SOPAUTO_KEEPER_PID": str(directory / "keeper.pid"),
        "ANSIBLE_ROLES_PATH": str(directory / "project" / "roles"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_PIPELINING": "True",
        # One login for all tasks. The keeper ends it, so that it does not outlive the playbook; a line that is cut ends
        # it after a minute, where TCP would wait for a quarter of an hour.
        "ANSIBLE_SSH_ARGS": (
            f"-o ControlMaster=auto -o ControlPersist=60 -o ControlPath={directory}/%C "
            "-o ServerAliveInterval=15 -o ServerAliveCountMax=4"
        ),
        "ANSIBLE_TIMEOUT": "30",
        "ANSIBLE_LOCAL_TEMP": str(directory / "tmp"),
        "LC_ALL": "C.UTF-8",
    }


def _secret(variable: str | None) -> str | None:
    return os.environ.get(variable) if variable else None


def _log(runner: Any) -> str:
    with runner.stdout as stream:
        return str(stream.read(MAX_LOG))
