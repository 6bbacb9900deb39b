"""ansible-runner, wrapped: one playbook, one server, from the very bytes that were approved.

The only place that knows ansible-runner. Nothing of a run outlives it (`keeper.py`), what is kept of its output is
bounded, and secrets reach Ansible through its own prompt.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import current_thread, main_thread
from types import FrameType
from typing import Any, Final, Protocol

from sopauto.drivers.differences import masked, told, why
from sopauto.drivers.ssh import Ssh
from sopauto.errors import BadInput, StepFailed
from sopauto.procedures.fields import one_line
from sopauto.technical.host_keys import fingerprint
from sopauto.technical.playbook import Change, PlaybookRun, Timed
from sopauto.technical.reach import Silence
from sopauto.work import Json, Report

MAX_CHANGES: Final = 16 * 1024 * 1024
"""Characters of a run's changes that are kept and compared."""
MAX_LOG: Final = 1024 * 1024
"""Characters of a run's log that are kept."""
TIMEOUT: Final = 7200
"""Seconds after which a playbook is stopped."""
GREETING_SECONDS: Final = 20
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


@dataclass(slots=True)
class _Listener:
    """Collects what the events of a run tell; shows each task as it ends."""

    report: Report
    secrets: tuple[str, ...] = ()
    changes: list[Change] = field(default_factory=list)
    tasks: list[Timed] = field(default_factory=list)
    evidence: Json | None = None
    failure: str | None = None
    unreachable: bool = False
    changed: int = 0
    room: int = MAX_CHANGES
    begun: float = field(default_factory=time.monotonic)

    def hear(self, event: dict[str, Any]) -> bool:
        data = event.get("event_data", {})
        handler = {
            "runner_on_ok": self._ok,
            "runner_on_failed": self._failed,
            "runner_on_unreachable": self._unreachable,
            "playbook_on_stats": self._stats,
        }.get(str(event.get("event")))
        if handler:
            handler(data, data.get("res") or {})
        return False  # ansible-runner need not keep the event

    def _ok(self, data: dict[str, Any], result: dict[str, Any]) -> None:
        changed = bool(result.get("changed"))
        if changed:
            self._keep(Change(task=self._task(data), parts=tuple(masked(p, self.secrets) for p in told(result))))
        if isinstance(result.get("evidence"), dict):
            self.evidence = result["evidence"]
        self._ended(data, "changed" if changed else "ok")

    def _keep(self, change: Change) -> None:
        """Keep a change while there is room; one that does not fit is missed when all are counted at the end."""
        self.room -= len(change.task) + sum(map(len, change.parts))
        if self.room > 0:
            self.changes.append(change)

    def _failed(self, data: dict[str, Any], result: dict[str, Any]) -> None:
        if data.get("ignore_errors"):
            return
        # The last failure tells most: a rescue says what became of the first.
        self.failure = masked(one_line(f"{self._task(data)}: {why(result)}"), self.secrets)
        self._ended(data, "FAILED")

    def _unreachable(self, data: dict[str, Any], result: dict[str, Any]) -> None:
        self.unreachable = True
        why = " ".join(str(result.get("msg") or "").split())[:300]
        self.failure = self.failure or masked(one_line(f"{self._task(data)}: unreachable: {why}"), self.secrets)
        self._ended(data, "UNREACHABLE")

    def _stats(self, data: dict[str, Any], _: dict[str, Any]) -> None:
        self.changed = sum(data.get("changed", {}).values())

    def _ended(self, data: dict[str, Any], how: str) -> None:
        task = self._task(data)
        self.tasks.append(Timed(task=task, seconds=round(float(data.get("duration") or 0), 1), how=how))
        self.report(f"{time.monotonic() - self.begun:6.1f} s  {how:<8} {one_line(task)}")

    @staticmethod
    def _task(data: dict[str, Any]) -> str:
        return str(data.get("task", "")).partition(" : ")[2][:200] or str(data.get("task", ""))[:200]


@dataclass(slots=True)
class _Stop:
    """Whether the run is to be stopped: by Ctrl-C or SIGTERM, or because it takes too long."""

    pid_file: Path
    until: float
    why: str | None = None

    def interrupted(self, number: int, _: FrameType | None) -> None:
        self.why = f"stopped by {signal.Signals(number).name}"

    def asked(self) -> bool:
        """Tell ansible-runner whether to stop; by then nothing of the playbook runs any more."""
        if self.why is None and time.monotonic() > self.until:
            self.why = f"stopped after {TIMEOUT} s"
        if self.why is None:
            return False
        with suppress(OSError, ValueError):
            keeper = int(self.pid_file.read_text())
            os.kill(keeper, signal.SIGTERM)
            for _ in range(200):
                os.kill(keeper, 0)
                if _is_zombie(keeper):
                    break
                time.sleep(0.1)
        return True


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
            inventory = self._inventory(login, parameters, directory)
            return self._play(directory, playbook, inventory, login, check=check, report=report)

    def _play(
        self,
        directory: Path,
        playbook: str,
        inventory: dict[str, Any],
        login: Login,
        *,
        check: bool,
        report: Report,
    ) -> PlaybookRun:
        import ansible_runner

        sudo = _secret(login.sudo_password_env)
        listener = _Listener(report=report, secrets=tuple(filter(None, (sudo, _secret(login.password_env)))))
        with _interruptible(directory / "keeper.pid") as stop:
            runner = ansible_runner.run(
                private_data_dir=str(directory),
                playbook=playbook,
                inventory=inventory,
                envvars=_environment(directory),
                passwords={r"BECOME password.*:\s*?$": sudo} if sudo else None,
                suppress_env_files=True,
                cmdline=" ".join(["--diff", *(["--check"] if check else []), *(["--ask-become-pass"] if sudo else [])]),
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

    def _inventory(self, login: Login, parameters: Json, directory: Path) -> dict[str, Any]:
        address, port = str(parameters["address"]), int(parameters["port"])
        known_hosts = directory / "known_hosts"
        key = self._host_key(parameters)
        known_hosts.write_text(f"[{address}]:{port} {key}\n{address} {key}\n")
        host: dict[str, Any] = {
            "ansible_host": address,
            "ansible_port": port,
            "ansible_user": login.user,
            # A Debian server's own; an SOP's variables may name another.
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_common_args": (
                f"-F none -o UserKnownHostsFile={known_hosts} -o GlobalKnownHostsFile=/dev/null "
                "-o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
            ),
            **parameters.get("variables", {}),
        }
        if login.key_file:
            host["ansible_ssh_private_key_file"] = str(login.key_file)
        return {"all": {"hosts": {parameters["server"]: host}}}

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


@contextmanager
def _interruptible(pid_file: Path) -> Iterator[_Stop]:
    """Let Ctrl-C and SIGTERM stop the playbook in an orderly way, so that it can be recorded."""
    stop = _Stop(pid_file=pid_file, until=time.monotonic() + TIMEOUT)
    if current_thread() is not main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _log(runner: Any) -> str:
    with runner.stdout as stream:
        return str(stream.read(MAX_LOG))
