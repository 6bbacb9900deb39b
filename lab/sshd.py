"""A real OpenSSH server on loopback, with a host key, a configuration and a login of its own. Needs no root."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Final, Self

from sopauto.errors import StepFailed

PATIENCE: Final = 10.0
"""Seconds until a server that was started has to answer."""


class Sshd:
    """An sshd as a context manager: `with Sshd() as server: server.host, server.port, server.host_key, …`.

    It lets in `user`, who is whoever started it, with the private key in `key_file`. `options` are lines of
    sshd_config, which win over those written here (`{"ForceCommand": "…"}`). `directory` is kept when it is given and
    removed otherwise; host key and login key in it are used again, so that a restarted server is the same server.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        directory: Path | None = None,
        options: Mapping[str, str] | None = None,
        host_key_type: str = "ed25519",
    ) -> None:
        self.host = host
        self.port = port or free_port(host)
        self.user = getpass.getuser()
        self._keep = directory is not None
        self.directory = directory or Path(mkdtemp(prefix="sopauto-sshd-"))
        self._options = dict(options or {})
        self._host_key_type = host_key_type
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def key_file(self) -> Path:
        """The private key that is let in."""
        return self.directory / "login_key"

    @property
    def host_key(self) -> str:
        """The public host key, `ssh-ed25519 AAAA…`."""
        return " ".join((self.directory / "host_key.pub").read_text().split()[:2])

    def log(self) -> str:
        """Return what the server has logged: each connection, login and command."""
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Write the configuration and start the server; raises StepFailed (sshd is missing, or did not answer)."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._make_keys()
        (self.directory / "sshd_config").write_text(self._configuration())
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # a root sshd refuses to start without it
        command = [_sshd(), "-D", "-f", str(self.directory / "sshd_config"), "-E", str(self.directory / "log")]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self._wait()

    def stop(self) -> None:
        """End the server and its sessions; its directory stays when it was given."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)
            self._process = None
        if not self._keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _make_keys(self) -> None:
        for name, kind in (("host_key", self._host_key_type), ("login_key", "ed25519")):
            if not (self.directory / name).exists():
                command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", str(self.directory / name)]
                subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    def _configuration(self) -> str:
        own = {
            "ListenAddress": f"{self.host}:{self.port}",
            "HostKey": self.directory / "host_key",
            "AuthorizedKeysFile": self.directory / "login_key.pub",
            "AllowUsers": self.user,
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "UseDNS": "no",
            "PermitRootLogin": "prohibit-password",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PrintMotd": "no",
            "PrintLastLog": "no",
            "MaxStartups": "500",
            "LogLevel": "VERBOSE",
            "Subsystem": "sftp internal-sftp",
        }
        return "".join(f"{name} {value}\n" for name, value in {**own, **self._options}.items())

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while not _greets(self.host, self.port):
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > until:
                told = self.log().strip()[-300:]
                self.stop()
                raise StepFailed(f"sshd on {self.host} port {self.port} does not answer: {told}", mend="see its log")
            time.sleep(0.02)


def free_port(host: str) -> int:
    """Return a TCP port that nobody listens on at this address just now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _sshd() -> str:
    path = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        raise StepFailed("there is no sshd", mend="install openssh-server")
    return path


def _greets(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
