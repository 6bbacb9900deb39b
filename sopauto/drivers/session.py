"""One login on which many commands run: one channel, one program on the server, an answer for each command.

A channel for each command would cost a login shell each time; this way a command costs what it costs on the server.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sopauto.drivers.ssh import Ssh
from sopauto.errors import StepFailed
from sopauto.machines.login import Credentials
from sopauto.work import Json

if TYPE_CHECKING:
    from sopauto.drivers.wire import Wire

PIECE: Final = 32 * 1024
LONGEST_HEAD: Final = 64
AGENT: Final = """\
import json, subprocess, sys
for line in sys.stdin.buffer:
    order = json.loads(line)
    try:
        ended = subprocess.run(
            ["/bin/sh", "-c", order["command"]], input=order["given"].encode(), capture_output=True, timeout=60
        )
        code, out, err = ended.returncode, ended.stdout[:1048576], ended.stderr[:65536]
    except subprocess.TimeoutExpired:
        code, out, err = 124, b"", b"did not end within 60 s"
    sys.stdout.buffer.write(b"%d %d %d\\n" % (code, len(out), len(err)) + out + err)
    sys.stdout.buffer.flush()
"""
"""What runs on the server: a line of JSON in; exit status and two lengths out, then output and error output."""


class Session:
    """Commands on a server, one after the other. `left` are the bytes that their answers may still have."""

    def __init__(self, channel: Any, wire: Wire, *, server: str, credentials: Credentials, left: int) -> None:
        self._channel = channel
        self._wire = wire
        self._server = server
        self._credentials = credentials
        self._left = left
        self._ahead = bytearray()

    def run(self, command: str, given: str = "") -> tuple[int, bytes, bytes]:
        """Return exit status, output and error output of a shell's command line; `given` is its input.

        Raises: StepFailed (the session broke off, or its answers are out of bounds).
        """
        self._channel.settimeout(self._wire.seconds_left())
        try:
            self._channel.sendall(json.dumps({"command": command, "given": given}).encode() + b"\n")
            code, out, err = self._head()
            return code, self._exactly(out), self._exactly(err)
        except (OSError, EOFError, ValueError) as error:
            why = self._wire.exceeded or type(error).__name__
            raise StepFailed(
                f"the session ended early ({why})", where=self._server, mend="look at the server"
            ) from None

    def run_as(self, user: str, command: str) -> tuple[int, bytes, bytes]:
        """Return the same of a command that another user of the server runs; raises StepFailed."""
        if self._credentials.user in {"root", user}:
            same = user == self._credentials.user
            return self.run(command if same else f"runuser --user {shlex.quote(user)} -- {command}")
        password = os.environ.get(self._credentials.sudo_password_env or "", "")
        return self.run(f"sudo -S -p '' -u {shlex.quote(user)} -- {command}", f"{password}\n")

    def _head(self) -> tuple[int, int, int]:
        while b"\n" not in self._ahead:
            if len(self._ahead) > LONGEST_HEAD:
                raise ValueError("no head")
            self._read()
        head, _, rest = bytes(self._ahead).partition(b"\n")
        self._ahead = bytearray(rest)
        code, out, err = map(int, head.split())
        if min(out, err) < 0 or out + err > self._left:
            raise ValueError("out of bounds")
        self._left -= out + err
        return code, out, err

    def _exactly(self, count: int) -> bytes:
        while len(self._ahead) < count:
            self._read()
        taken = bytes(self._ahead[:count])
        del self._ahead[:count]
        return taken

    def _read(self) -> None:
        piece = self._channel.recv(PIECE)
        if not piece:
            raise EOFError
        self._ahead += piece


@contextmanager
def session(ssh: Ssh, parameters: Json, *, max_bytes: int, seconds: float) -> Iterator[Session]:
    """Log in once; all commands together are bounded in bytes and seconds.

    The server is that of `parameters`: `server`, `address`, `port`, `fingerprint`, `credentials`.
    Raises: BadInput (unusable credentials), StepFailed (not reachable, another host key, login refused).
    """
    with ssh.channel(parameters, max_bytes=max_bytes, seconds=seconds) as (channel, wire, credentials):
        channel.exec_command(f"exec python3 -u -c {shlex.quote(AGENT)}")
        yield Session(channel, wire, server=str(parameters["server"]), credentials=credentials, left=max_bytes)
