"""Logins on switches by netmiko: strict host keys, one session at a time on each, a session log."""

from __future__ import annotations

import fcntl
import io
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from sopauto.assets.model import Switch
from sopauto.custody.switches.base import MAX_WORDS, Session
from sopauto.custody.switches.platforms import platform_of
from sopauto.errors import BadInput, Refused, StepFailed
from sopauto.machines.login import Credentials
from sopauto.procedures.fields import one_line

SECONDS: Final = {"conn_timeout": 10, "auth_timeout": 15, "banner_timeout": 15}
"""How long connecting, login and banner may take."""
LOCK_SECONDS: Final = 30.0


class NetmikoSwitches:
    """Logs in on switches. Fulfils `live_port.Switches`. `locks` is a directory for one lock file per switch."""

    def __init__(self, *, credentials: Mapping[str, Credentials], locks: Path) -> None:
        self._credentials = credentials
        self._locks = locks

    @contextmanager
    def session(self, switch: Switch) -> Iterator[Session]:
        """Open a session.

        Raises: StepFailed (not reachable, wrong host key, login refused), Refused (somebody else works there).
        """
        with self._locked(switch.id), NamedTemporaryFile("w", prefix="sopauto-known-") as known_hosts:
            known_hosts.write(_known_host(switch))
            known_hosts.flush()
            log = io.BytesIO()
            connection = self._connect(switch, known_hosts.name, log)
            try:
                yield platform_of(switch).session(connection, log)
            finally:
                _close(connection)

    def _connect(self, switch: Switch, known_hosts: str, log: io.BytesIO) -> Any:
        from netmiko import ConnectHandler
        from netmiko.exceptions import NetmikoBaseException
        from paramiko import SSHException

        # What a switch sends is never printed as it is; paramiko would, when nobody listens to its log.
        logging.getLogger("paramiko").addHandler(logging.NullHandler())
        login = self._credentials.get(switch.credentials)
        where = f"{switch.id} ({switch.host}:{switch.port})"
        if login is None:
            raise BadInput(f"there is no login {switch.credentials}", where="sopauto.toml [credentials]", mend="add it")
        try:
            connection = ConnectHandler(
                device_type=switch.platform,
                host=switch.host,
                port=switch.port,
                username=login.user,
                password=os.environ.get(login.password_env or "", ""),
                use_keys=login.key_file is not None,
                key_file=None if login.key_file is None else str(login.key_file),
                allow_agent=False,
                ssh_strict=True,
                system_host_keys=False,
                alt_host_keys=True,
                alt_key_file=known_hosts,
                session_log=log,
                fast_cli=False,
                **SECONDS,
            )
        except (NetmikoBaseException, SSHException, OSError, EOFError, ValueError) as error:
            words = one_line(str(error), MAX_WORDS) or type(error).__name__
            raise StepFailed(f"no session: {words}", where=where, mend="nothing was sent") from None
        _notice_drops(connection)
        return connection

    @contextmanager
    def _locked(self, switch: str) -> Iterator[None]:
        """Hold the switch's lock: one change at a time, whoever types the command."""
        self._locks.mkdir(parents=True, exist_ok=True)
        with os.fdopen(_private(self._locks / f"{switch.replace('/', '_')}.lock"), "w") as file:
            until = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise Refused(f"somebody else changes {switch} now", mend="repeat it later") from None
                    time.sleep(0.1)
            yield


def _private(path: Path) -> int:
    """Open a file that only its owner may read, whatever the caller's umask."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _known_host(switch: Switch) -> str:
    # Port 22 is left out in known_hosts.
    name = switch.host if switch.port == 22 else f"[{switch.host}]:{switch.port}"  # noqa: PLR2004 - SSH's own port
    return f"{name} {switch.host_key}\n"


def _notice_drops(connection: Any) -> None:
    """Let a dropped session be noticed at once: netmiko would wait for an answer until its time is up."""
    read = connection.channel.read_channel

    def read_or_fail() -> str:
        data = str(read())
        if not data and (connection.remote_conn.closed or connection.remote_conn.eof_received):
            raise EOFError("the switch closed the session")
        return data

    connection.channel.read_channel = read_or_fail


def _close(connection: Any) -> None:
    """End a session without asking whether it still lives."""
    with suppress(Exception):  # a session that is gone already is closed
        connection.remote_conn_pre.close()
