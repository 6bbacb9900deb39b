"""SSH to custody servers by paramiko: greet, or run one script. One connection each, bounded in bytes and seconds.

Neither the user's known_hosts nor the user's agent is touched. Only a `key_file` that ends in `.pub` asks the agent,
and only for that key, as OpenSSH's IdentityFile does.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sopauto.drivers.wire import Wire
from sopauto.errors import BadInput, StepFailed
from sopauto.machines.host_keys import fingerprint, key_type, refuse_changed
from sopauto.machines.login import Credentials, Login
from sopauto.machines.met import Greeting, Silence
from sopauto.procedures.fields import visible
from sopauto.work import Json

if TYPE_CHECKING:
    import paramiko

BEFORE_LOGIN: Final = 64 * 1024
"""Bytes for banner, key exchange and login together; an OpenSSH server needs about 4 KiB."""
PIECE: Final = 32 * 1024
LOG: Final = "sopauto.drivers.ssh.paramiko"
RSA: Final = ("rsa-sha2-512", "rsa-sha2-256")
"""Signatures that prove a host key of the type `ssh-rsa`."""
UNREACHABLE: Final = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}


@dataclass(slots=True)
class _SilenceError(Exception):
    silence: Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """An open connection on which the server has proven its host key."""

    wire: Wire
    transport: paramiko.Transport
    tcp_ms: float

    @property
    def host_key(self) -> str:
        key = self.transport.get_remote_server_key()
        return f"{key.get_name()} {key.get_base64()}"


class Ssh:
    """Greets servers and runs scripts on them. Fulfils `reach.Greeter` and `collect.Shell`."""

    def __init__(self, *, credentials: Mapping[str, Credentials]) -> None:
        self._credentials = credentials

    def greet(self, address: str, port: int, *, pinned: str | None, seconds: float) -> Greeting | Silence:
        """Connect, read the banner and have the host key proven; the pinned key's type is asked for first."""
        try:
            with _line(address, port, pinned=pinned, seconds=seconds) as line:
                return Greeting(tcp_ms=line.tcp_ms, banner=line.transport.remote_version, host_key=line.host_key)
        except _SilenceError as error:
            return error.silence

    def run(self, login: Login, script: bytes, *, max_bytes: int, seconds: float) -> bytes:
        """Return what `sh -s` prints for this script on the server.

        The exit status is not asked for: what the script prints last tells that it came to its end.
        Raises: BadInput (unusable credentials), StepFailed (not reachable, another host key, login refused, an answer
        over `max_bytes` or over `seconds`).
        """
        credentials = self._named(login.credentials)
        try:
            with _line(login.address, login.port, pinned=login.host_key, seconds=seconds) as line:
                refuse_changed(login.host_key, line.host_key, server=login.server)
                _log_in(line, login, credentials)
                # Each byte of the answer may come in a packet of its own; no honest server needs twice the room.
                line.wire.allow(2 * max_bytes)
                return _answer(line, login, script, max_bytes=max_bytes, seconds=seconds)
        except _SilenceError as error:
            what = f"does not answer on {login.address} port {login.port}: {error.silence.reason}"
            raise StepFailed(what, where=login.server, mend="run custody.check") from None

    @contextmanager
    def channel(
        self, parameters: Json, *, max_bytes: int, seconds: float
    ) -> Iterator[tuple[paramiko.Channel, Wire, Credentials]]:
        """Log in and return an open channel with its wire: all that comes is bounded in bytes and seconds.

        The server is that of `parameters`: `server`, `address`, `port`, `fingerprint`, `credentials`.
        Raises: BadInput (unusable credentials), StepFailed (not reachable, another host key, login refused).
        """
        server, address, port = str(parameters["server"]), str(parameters["address"]), int(parameters["port"])
        name = str(parameters["credentials"])
        credentials = self._named(name)
        try:
            with _line(address, port, pinned="ssh-ed25519", seconds=seconds) as line:
                found = fingerprint(line.host_key)
                if found != parameters["fingerprint"]:
                    what = f"the host key is {found}, not {parameters['fingerprint']}"
                    raise StepFailed(what, where=server, mend="nothing was sent; read it on the server's console again")
                login = Login(server=server, address=address, port=port, host_key=line.host_key, credentials=name)
                _log_in(line, login, credentials)
                # Each byte of an answer may come in a packet of its own; no honest server needs twice the room.
                line.wire.allow(2 * max_bytes)
                yield line.transport.open_session(timeout=line.wire.seconds_left()), line.wire, credentials
        except _SilenceError as error:
            what = f"does not answer on {address} port {port}: {error.silence.reason}"
            raise StepFailed(what, where=server, mend="look there") from None

    def _named(self, name: str) -> Credentials:
        if name not in self._credentials:
            raise BadInput(
                f"there is no login {visible(name)}", where=f"sopauto.toml [credentials.{visible(name)}]", mend="add it"
            )
        return self._credentials[name]


@contextmanager
def _line(address: str, port: int, *, pinned: str | None, seconds: float) -> Iterator[_Line]:
    """Open a connection and exchange keys; raises _SilenceError."""
    begun = time.monotonic()
    try:
        wire = Wire.to(address, port, max_bytes=BEFORE_LOGIN, seconds=seconds)
    except (OSError, ValueError) as error:  # ValueError: nothing that could be a name
        raise _SilenceError(Silence(reason=_reason(error))) from None
    tcp_ms = round((time.monotonic() - begun) * 1000, 1)
    with wire:
        transport = _transport(wire, pinned)
        try:
            _exchange_keys(transport, wire, tcp_ms)
            yield _Line(wire=wire, transport=transport, tcp_ms=tcp_ms)
        finally:
            transport.close()


def _transport(wire: Wire, pinned: str | None) -> paramiko.Transport:
    import paramiko

    transport = paramiko.Transport(wire)
    # paramiko logs what the peer says as it is: never to a terminal.
    log = logging.getLogger(LOG)
    log.propagate = False
    transport.set_log_channel(LOG)
    transport.banner_timeout = wire.seconds_left() + 1  # the wire ends first, so that the reason is known
    options = transport.get_security_options()
    wanted = RSA if key_type(pinned or "") == "ssh-rsa" else (key_type(pinned or ""),)
    options.key_types = sorted(options.key_types, key=lambda kind: kind not in wanted)
    return transport


def _exchange_keys(transport: paramiko.Transport, wire: Wire, tcp_ms: float) -> None:
    import paramiko

    try:
        transport.start_client(timeout=wire.seconds_left() + 1)
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise _SilenceError(Silence(reason=_cut(wire) or _reason(error), tcp_ms=tcp_ms)) from None
    if not transport.initial_kex_done:
        raise _SilenceError(Silence(reason="timeout", tcp_ms=tcp_ms))


def _cut(wire: Wire) -> str | None:
    return {"bytes": "flood", "seconds": "timeout"}.get(wire.exceeded or "")


def _reason(error: Exception) -> str:
    if isinstance(error, socket.gaierror | ValueError):
        return "dns"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, OSError):
        return "unreachable" if error.errno in UNREACHABLE else "reset"
    return "not-ssh"


def _log_in(line: _Line, login: Login, credentials: Credentials) -> None:
    import paramiko

    key = _key(credentials)
    transport = line.transport
    try:
        if key is not None:
            further = transport.auth_publickey(credentials.user, key)
        else:
            further = transport.auth_password(credentials.user, _secret(credentials) or "")
    except (paramiko.SSHException, OSError, EOFError) as error:
        told = _cut(line.wire) or type(error).__name__
        raise _login_refused(login, credentials, told) from None
    if further:
        raise _login_refused(login, credentials, f"the server also wants {visible(', '.join(further))}")


def _login_refused(login: Login, credentials: Credentials, told: str) -> StepFailed:
    return StepFailed(
        f"login as {credentials.user} failed ({told})",
        where=login.server,
        mend=f"let the server's contact authorise the key of [credentials.{login.credentials}]",
    )


def _key(credentials: Credentials) -> paramiko.PKey | None:
    """Return the key to log in with (None: by password). Raises BadInput."""
    import paramiko

    path = credentials.key_file
    if path is None:
        if _secret(credentials) is None:
            raise BadInput(
                f"the login of {credentials.user} has neither key_file nor password",
                where="sopauto.toml [credentials]",
                mend="state key_file, or set the variable that password_env names",
            )
        return None
    try:
        if path.suffix == ".pub":
            return _agent_key(path)
        secret = _secret(credentials)
        password = secret.encode() if secret else None
        return paramiko.PKey.from_path(path, password)  # type: ignore[arg-type]  # decrypts with bytes, whatever it says
    except (paramiko.SSHException, OSError, ValueError, TypeError) as error:
        raise BadInput(
            f"the key cannot be used ({type(error).__name__})",
            where=str(path),
            mend="check name, rights and passphrase",
        ) from None


def _agent_key(public: Path) -> paramiko.PKey:
    import paramiko

    wanted = public.read_text(errors="replace").split()[1:2]
    for key in paramiko.Agent().get_keys():
        if [key.get_base64()] == wanted:
            return key
    raise BadInput("the agent does not hold this key", where=str(public), mend="ssh-add it")


def _secret(credentials: Credentials) -> str | None:
    return os.environ.get(credentials.password_env) if credentials.password_env else None


def _answer(line: _Line, login: Login, script: bytes, *, max_bytes: int, seconds: float) -> bytes:
    import paramiko

    answer = bytearray()
    try:
        channel = line.transport.open_session(timeout=line.wire.seconds_left())
        channel.set_combine_stderr(True)
        channel.exec_command("sh -s")
        channel.settimeout(line.wire.seconds_left())
        channel.sendall(script)
        channel.shutdown_write()
        while piece := _piece(channel, line.wire):
            answer += piece
            if len(answer) > max_bytes:
                raise _too_much(login, max_bytes)
    except (paramiko.SSHException, OSError, EOFError) as error:
        if line.wire.exceeded is None and line.wire.seconds_left() > 0:
            what = f"the session ended early ({type(error).__name__})"
            raise StepFailed(what, where=login.server, mend="collect again") from None
    if line.wire.exceeded == "bytes":
        raise _too_much(login, max_bytes)
    if line.wire.seconds_left() == 0:
        raise StepFailed(f"did not come to an end within {seconds:g} s", where=login.server, mend="look at the server")
    return bytes(answer)


def _piece(channel: Any, wire: Wire) -> bytes:
    """Return the next piece of the answer; empty at its end."""
    channel.settimeout(wire.seconds_left())
    return bytes(channel.recv(PIECE))


def _too_much(login: Login, max_bytes: int) -> StepFailed:
    return StepFailed(f"answered more than {max_bytes} bytes", where=login.server, mend="look at the server")
