"""ansible-runner, wrapped: one playbook, one server, from the very bytes that were approved.

The only place that knows ansible-runner. Nothing of a run outlives it (`keeper.py`), what is kept of its output is
bounded, and secrets reach Ansible through its own prompt.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from sopauto.drivers.differences import masked
from sopauto.drivers.events import Listener
from sopauto.drivers.inventory_file import inert, inventory
from sopauto.drivers.run_folder import environment, program, run_folder, ssh_options
from sopauto.drivers.ssh import Ssh
from sopauto.drivers.stopping import interruptible
from sopauto.drivers.watched import prepare, watched
from sopauto.errors import BadInput, StepFailed
from sopauto.machines.host_keys import fingerprint
from sopauto.machines.met import Silence
from sopauto.procedures.fields import one_line
from sopauto.technical.front_matter import varying
from sopauto.technical.playbook import LEAVE, PlaybookRun
from sopauto.work import Json, Report

MAX_LOG: Final = 1024 * 1024
"""Characters of a run's log that are kept."""
GREETING_SECONDS: Final = 20
HOSTS: Final = "inventory/hosts.yml"
LINE: Final = "line.yml"
"""Files of a run: its one server, and how that is reached, which nothing that is played can say otherwise."""


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
    """Runs playbooks by ansible-runner. `credentials` are the settings' logins by name, `zone` is that of its dates."""

    def __init__(self, *, credentials: Mapping[str, Login], zone: str = "UTC") -> None:
        self._credentials = credentials
        self._zone = zone

    def run(
        self, playbook: str, files: Mapping[str, bytes], parameters: Json, *, check: bool, report: Report
    ) -> PlaybookRun:
        """Run the playbook from these very files; `check` changes nothing.

        Raises: BadInput (unknown login), StepFailed (no host key, or another one).
        """
        files = dict(files)
        leave = files.pop(LEAVE, None)
        login = self._login(parameters)
        with run_folder(files) as directory:
            self._inventory(login, parameters, directory)
            patterns = [each.expression for each in varying(files[playbook], playbook)]
            prepare(directory, server=str(parameters["server"]), check=check, leave=leave, varies=patterns)
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
        from ansible_runner import Runner

        sudo = _secret(login.sudo_password_env)
        secrets = tuple(filter(None, (sudo, _secret(login.password_env))))
        listener = Listener(report=report, secrets=secrets, folder=str(directory))
        options = [
            "--diff",
            f"--extra-vars=@{directory / LINE}",
            *(["--check"] if check else []),
            *(["--ask-become-pass"] if sudo else []),
        ]
        with interruptible(directory / "keeper.pid") as stop:
            runner = Runner(
                self._config(directory, playbook, options, {r"BECOME password.*:\s*?$": sudo} if sudo else None),
                event_handler=listener.hear,
                cancel_callback=stop.asked,
            )
            runner.run()
        log = masked(_log(runner), listener.secrets)
        seen = watched(directory, secrets)
        if seen.stop:
            listener.failure = one_line(f"stopped: {seen.stop}")
        elif runner.status != "successful":
            ended = f"ansible-playbook ended as {runner.status}: {log.strip()[-300:]}"
            listener.failure = stop.why or listener.failure or one_line(ended)
        else:
            # A failure that a rescue took care of is none; but what was sent to nobody did not run.
            listener.failure = listener.failure if listener.unreachable else None
            if check and listener.changed > len(listener.changes):
                listener.failure = "a task answered more than can be kept; its changes cannot be told"
        listener.failure = _refused(directory) or listener.failure
        return PlaybookRun(
            changes=listener.told(seen.restless, seen.shown),
            failure=listener.failure,
            unreachable=listener.unreachable,
            ignored=tuple(listener.ignored),
            log=log,
            tasks=listener.tasks,
            evidence=listener.evidence,
            unforeseen=seen.unforeseen,
            checked=seen.checked if check else None,
            leave=seen.leave if check else None,
            ran=seen.ran,
            strange=seen.strange,
            stopped=bool(seen.stop),
        )

    def _config(self, directory: Path, playbook: str, options: list[str], passwords: dict[str, str] | None) -> Any:
        """Return ansible-runner's configuration; its environment is ours alone, it would add all of the caller's."""
        from ansible_runner import RunnerConfig
        from ansible_runner.utils import get_callback_dir

        config = RunnerConfig(
            private_data_dir=str(directory),
            playbook=playbook,
            inventory=str(directory / HOSTS),
            passwords=passwords,
            cmdline=shlex.join(options),
            quiet=True,
        )
        config.prepare()
        config.env = {
            **environment(directory, self._zone),
            "AWX_ISOLATED_DATA_DIR": config.artifact_dir,
            "ANSIBLE_CALLBACK_PLUGINS": get_callback_dir(),
            "ANSIBLE_STDOUT_CALLBACK": "awx_display",
            "ANSIBLE_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": config.fact_cache,
        }
        config.command[:1] = program(directory)
        return config

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
            # Ansible takes the older spelling before the newer one, wherever either is set.
            **dict.fromkeys(("ansible_port", "ansible_ssh_port"), port),
            **dict.fromkeys(("ansible_user", "ansible_ssh_user"), login.user),
            "ansible_ssh_common_args": ssh_options(directory),
            "ansible_ssh_extra_args": "",
        }
        if login.key_file:
            line["ansible_ssh_private_key_file"] = str(login.key_file)
        # A role that moves the server to another address goes on there: it is the same key that has to answer.
        server = {"ansible_host": address, "ansible_connection": "ssh", "ansible_python_interpreter": login.python}
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


def _refused(directory: Path) -> str | None:
    """Return what the playbook asked for and must not have, also when Ansible passed over the refusal."""
    path = directory / "refused"
    told = list(dict.fromkeys(path.read_text(errors="replace").splitlines())) if path.exists() else []
    if not told:
        return None
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    return one_line(f"the playbook {told[0]}{more}, which is no part of what was approved")


def _secret(variable: str | None) -> str | None:
    return os.environ.get(variable) if variable else None


def _log(runner: Any) -> str:
    with runner.stdout as stream:
        return str(stream.read(MAX_LOG))
