"""One script on many servers by the OpenSSH client: a process each, bounded in bytes and seconds.

OpenSSH's cryptography is compiled and runs beside Python, so that hundreds of servers are read as fast as the machine
can; paramiko, on which everything else here rests, spends most of its time under Python's lock. Nothing of the user is
touched: no configuration, no known_hosts, and the agent only for a key file that ends in `.pub`.
"""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from types import TracebackType
from typing import Final, Self

from sopauto.errors import BadInput
from sopauto.inventory.scanning.openssh_words import unread
from sopauto.inventory.scanning.scan import STOPPED, Target, Unread
from sopauto.machines.host_keys import key_type
from sopauto.machines.login import Credentials
from sopauto.procedures.fields import visible

PIECE: Final = 64 * 1024
MAX_ERRORS: Final = 16 * 1024
"""Bytes of the error output, with the banner; and of ssh's log."""
CONNECT_SECONDS: Final = 10
"""For the connection and the server's greeting."""
LOOK_SECONDS: Final = 0.25
"""How often a running ssh is looked at: for bytes that it takes in and gives to nobody, and for an end of the scan."""
OVERHEAD: Final = 4 * 1024 * 1024
"""Bytes that ssh may read beside the answer: its own files, the protocol, each byte of the answer in its own packet."""
SSH_FAILED: Final = 255
ASK: Final = "#!/bin/sh\nprintf '%s\\n' \"$SOPAUTO_ASKED\"\n"
"""Answers ssh's question for a password or passphrase, from the environment."""
RSA: Final = "rsa-sha2-512,rsa-sha2-256"
ALIAS: Final = "server"


class OpenSsh:
    """Runs one script on servers, from any number of threads. A context manager; fulfils `scan.Shell`."""

    def __init__(self, *, credentials: Mapping[str, Credentials]) -> None:
        self._credentials = credentials
        self._numbers = count()
        self._folder = TemporaryDirectory(prefix="sopauto-scan-")

    def __enter__(self) -> Self:
        """Return this."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the files that ssh was given."""
        self._folder.cleanup()

    def refuse_unknown(self, name: str) -> None:
        """Raise BadInput when the settings have no such login, or when there is no ssh."""
        self._named(name)
        if shutil.which("ssh") is None:
            raise BadInput("there is no ssh", mend="install openssh-client")

    def run(
        self, target: Target, script: bytes, *, max_bytes: int, seconds: float, stop: Event
    ) -> tuple[bytes, str | None]:
        """Return what `sh -s` prints for this script, and the host key where none was pinned.

        Raises: BadInput (there is no such login), Unread (why there is no answer).
        """
        login = self._named(target.credentials)
        with self._files(target) as (hosts, log):
            command = [*_command(target, login, hosts, log), "sh -s"]
            given = self._file("script", script)
            with given.open("rb") as source, _started(command, self._environment(login), source) as process:
                answer, errors = _Bounds(process, log, max_bytes=max_bytes, seconds=seconds, stop=stop).gather()
            if process.returncode == SSH_FAILED:
                raise unread(_read(log), errors=errors, answered=bool(answer), pinned=target.host_key)
            return answer, None if target.host_key else _shown_key(hosts)

    def _named(self, name: str) -> Credentials:
        if name not in self._credentials:
            where = f"sopauto.toml [credentials.{visible(name)}]"
            raise BadInput(f"there is no login {visible(name)}", where=where, mend="add it")
        return self._credentials[name]

    @contextmanager
    def _files(self, target: Target) -> Iterator[tuple[Path, Path]]:
        """Give a file with the one host key that this connection may meet, and an empty one for ssh's log.

        A file with all host keys would be read by each ssh.
        """
        number = next(self._numbers)
        hosts, log = (Path(self._folder.name) / f"{name}-{number}" for name in ("hosts", "log"))
        hosts.write_text(f"{ALIAS} {target.host_key}\n" if target.host_key else "")
        log.touch()
        try:
            yield hosts, log
        finally:
            hosts.unlink()
            log.unlink()

    def _file(self, name: str, content: bytes, mode: int = 0o600) -> Path:
        """Return a file with this content; it is written once, whole, whichever thread comes first."""
        path = Path(self._folder.name) / name
        if not path.exists():
            draft = path.with_name(f"{name}-{os.getpid()}-{time.monotonic_ns()}")
            draft.write_bytes(content)
            draft.chmod(mode)
            draft.replace(path)
        return path

    def _environment(self, login: Credentials) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "SSH_AUTH_SOCK") if name in os.environ}
        secret = os.environ.get(login.password_env) if login.password_env else None
        if secret is None:
            return {**kept, "LC_ALL": "C"}
        ask = self._file("ask", ASK.encode(), 0o700)
        return {
            **kept,
            "LC_ALL": "C",
            "SSH_ASKPASS": str(ask),
            "SSH_ASKPASS_REQUIRE": "force",
            "SOPAUTO_ASKED": secret,
        }


def _command(target: Target, login: Credentials, hosts: Path, log: Path) -> list[str]:
    by_agent = login.key_file is not None and login.key_file.suffix == ".pub"
    options = {
        "BatchMode": "no" if login.password_env else "yes",
        "NumberOfPasswordPrompts": "1",
        "ConnectTimeout": str(CONNECT_SECONDS),
        "ConnectionAttempts": "1",
        "StrictHostKeyChecking": "yes" if target.host_key else "accept-new",
        "UserKnownHostsFile": _quoted(hosts),
        "GlobalKnownHostsFile": "none",
        "HostKeyAlias": ALIAS,
        "HashKnownHosts": "no",
        "CheckHostIP": "no",
        "UpdateHostKeys": "no",
        "VerifyHostKeyDNS": "no",
        "IdentitiesOnly": "yes",
        "IdentityFile": _quoted(login.key_file) if login.key_file else "none",
        "IdentityAgent": "SSH_AUTH_SOCK" if by_agent else "none",
        "PreferredAuthentications": "publickey" if login.key_file else "password",
        "ControlPath": "none",
        "ClearAllForwardings": "yes",
        "Compression": "no",
        # Both for `openssh_words`, which finds in the log how far ssh came.
        "LogLevel": "VERBOSE",
        "VisualHostKey": "yes",
    }
    if target.host_key:
        kind = key_type(target.host_key)
        options["HostKeyAlgorithms"] = RSA if kind == "ssh-rsa" else kind
    named = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    ssh = ["ssh", "-F", "none", "-E", str(log), "-T", "-x", "-a", *named, "-p", str(target.port), "-l", login.user]
    return [*_ending_with_us(), *ssh, target.address]


def _quoted(path: Path) -> str:
    """Return a path as ssh's configuration reads it back: blanks part words there, and `%` begins what ssh fills in."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


@cache
def _ending_with_us() -> Sequence[str]:
    """Return what goes before a command that has to end when we are killed, where Linux' own tool for it is there."""
    return ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()


@contextmanager
def _started(command: list[str], environment: dict[str, str], source: object) -> Iterator[subprocess.Popen[bytes]]:
    """Start ssh in a session of its own, so that Ctrl-C reaches us and not it; nothing of it is left behind."""
    process = subprocess.Popen(
        command,
        stdin=source,  # type: ignore[call-overload]  # an open file
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        bufsize=0,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


class _Bounds:
    """Takes what a process prints until it ends, or until it exceeds a bound."""

    def __init__(
        self, process: subprocess.Popen[bytes], log: Path, *, max_bytes: int, seconds: float, stop: Event
    ) -> None:
        self._process = process
        self._log = log
        self._max_bytes = max_bytes
        self._until = time.monotonic() + seconds
        self._seconds = seconds
        self._stop = stop
        self._answer = bytearray()
        self._errors = bytearray()

    def gather(self) -> tuple[bytes, bytes]:
        """Return output and error output; raises Unread (flood, timeout, stopped)."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        with selectors.DefaultSelector() as ready:
            ready.register(self._process.stdout, selectors.EVENT_READ, self._answer)
            ready.register(self._process.stderr, selectors.EVENT_READ, self._errors)
            while ready.get_map():
                for key, _ in ready.select(LOOK_SECONDS):
                    piece = os.read(key.fd, PIECE)
                    key.data.extend(piece)
                    if not piece:
                        ready.unregister(key.fileobj)
                self._hold()
        self._wait()
        return bytes(self._answer), bytes(self._errors)

    def _hold(self) -> None:
        if self._stop.is_set():
            raise Unread(STOPPED, "the scan was ended")
        if len(self._answer) > self._max_bytes:
            raise Unread("flood", f"answered more than {self._max_bytes} bytes")
        if max(len(self._errors), self._log.stat().st_size) > MAX_ERRORS:
            raise Unread("flood", f"made ssh say more than {MAX_ERRORS} bytes")
        if time.monotonic() > self._until:
            raise Unread("timeout", f"did not come to an end within {self._seconds:g} s")
        if _taken_in(self._process.pid) > 2 * self._max_bytes + OVERHEAD:
            raise Unread("flood", "sent far more than it answered")

    def _wait(self) -> None:
        """Let ssh end after its output has; a server may keep the connection open without one."""
        while True:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(LOOK_SECONDS)
                return
            self._hold()


def _taken_in(pid: int) -> int:
    """Return the bytes that a process has read, from whatever: files, pipes, connections."""
    try:
        with Path(f"/proc/{pid}/io").open("rb") as told:
            return int(told.readline().split()[1])
    except (OSError, IndexError, ValueError):
        return 0  # it ended meanwhile


def _read(log: Path) -> bytes:
    with log.open("rb") as file:
        return file.read(MAX_ERRORS)


def _shown_key(hosts: Path) -> str | None:
    """Return the host key that ssh wrote down at the first contact."""
    fields = hosts.read_text().split()
    return f"{fields[1]} {fields[2]}" if len(fields) > 2 else None  # noqa: PLR2004 - alias, type and blob
