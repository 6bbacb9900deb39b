"""Switches by netmiko: strict host keys, error patterns, one session at a time on each, a filtered session log."""

from __future__ import annotations

import fcntl
import io
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final, TypeVar
from uuid import UUID

from sopauto.errors import BadInput, Refused, StepFailed
from sopauto.machines.login import Credentials
from sopauto.procedures.fields import one_line, visible
from sopauto.technical.custody_port import SENT, LineRefusedError, Session, SessionLostError
from sopauto.technical.port_state import ACCESS, PortState
from sopauto.work import Json, Report

SECONDS: Final = {"conn_timeout": 10, "auth_timeout": 15, "banner_timeout": 15}
"""How long connecting, login and banner may take."""
ANSWER_SECONDS: Final = 30
LOCK_SECONDS: Final = 30.0
SAVE_SECONDS: Final = 90
"""Older switches take long to write their memory."""
MAX_LOG: Final = 256 * 1024
IOS_ERROR: Final = (
    r"% ?(Invalid|Incomplete|Ambiguous|Unknown|Unrecognized|Command|Bad|Error|Authorization|Access)[^\r\n]*"
)
IOS_END: Final = re.compile(r"!|end|interface .*")
IOS_MODE: Final = "switchport mode"
IOS_VLAN: Final = "switchport access vlan"
IOS_DESCRIPTION: Final = "description"
IOS_KNOWN: Final = re.compile(
    rf"{IOS_MODE} access|{IOS_VLAN} \d+|{IOS_DESCRIPTION} .*|(no )?shutdown"  # what the template writes
    r"|switchport|(duplex|speed|negotiation|mdix) auto"  # defaults that some models show
)
IOS_NO_ACCESS: Final = {
    "no switchport": "routed",
    "ip address": "routed",
    "ipv6 address": "routed",
    "channel-group": "member",
}
DEFAULT_VLAN: Final = 1
OVS_UNSET: Final = ["set", []]
OVS_INTERFACE: Final = "type,options,external_ids"
OVS_KNOWN: Final = ("vlan_mode=access", "external_ids:sopauto=", "type=system")
OVS_QUIET: Final = frozenset(
    {"_uuid", "name", "interfaces", "tag", "rstp_statistics", "rstp_status", "statistics", "status"}
)
"""Columns of a port that hold no setting, or one that is told otherwise."""

T = TypeVar("T")


class NetmikoSwitches:
    """Logs in on switches. Fulfils `custody_port.Switches`. `locks` is a directory for one lock file per switch."""

    def __init__(self, *, credentials: Mapping[str, Credentials], locks: Path) -> None:
        self._credentials = credentials
        self._locks = locks

    @contextmanager
    def session(self, switch: Json) -> Iterator[Session]:
        """Open a session.

        Raises: StepFailed (not reachable, wrong host key, login refused), Refused (somebody else works there).
        """
        with self._locked(str(switch["id"])), NamedTemporaryFile("w", prefix="sopauto-known-") as known_hosts:
            known_hosts.write(_known_host(switch))
            known_hosts.flush()
            log = io.BytesIO()
            connection = self._connect(switch, known_hosts.name, log)
            try:
                yield PLATFORMS[str(switch["platform"])](connection, log)
            finally:
                _close(connection)

    def _connect(self, switch: Json, known_hosts: str, log: io.BytesIO) -> Any:
        from netmiko import ConnectHandler
        from netmiko.exceptions import NetmikoBaseException
        from paramiko import SSHException

        # What a switch sends is never printed as it is; paramiko would, when nobody listens to its log.
        logging.getLogger("paramiko").addHandler(logging.NullHandler())
        login = self._credentials.get(str(switch["credentials"]))
        where = f"{switch['id']} ({switch['host']}:{switch['port']})"
        if login is None:
            raise BadInput(
                f"there is no login {switch['credentials']}", where="sopauto.toml [credentials]", mend="add it"
            )
        try:
            connection = ConnectHandler(
                device_type=str(switch["platform"]),
                host=str(switch["host"]),
                port=int(switch["port"]),
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
            words = " ".join(str(error).split())[:300] or type(error).__name__
            raise StepFailed(f"no session: {visible(words)}", where=where, mend="nothing was sent") from None
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


class _Netmiko:
    """What the sessions of all platforms share."""

    def __init__(self, connection: Any, log: io.BytesIO) -> None:
        self._connection = connection
        self._log = log

    def log(self) -> str:
        """Return what was said in the session, without secrets and control characters."""
        text = self._log.getvalue()[-MAX_LOG:].decode(errors="replace").replace("\r", "")
        return "\n".join("".join(c if c.isprintable() else visible(c) for c in line) for line in text.split("\n"))

    def _ask(self, command: str, *, seconds: int = ANSWER_SECONDS) -> str:
        """Return what the switch answers to a command, up to its next prompt."""
        # Told what ends the answer, netmiko need not find out the prompt by asking for it and waiting.
        prompt = rf"{re.escape(self._connection.base_prompt)}[^\r\n]*[#>$]\s*$"
        return self._guarded(
            lambda: str(self._connection.send_command(command, expect_string=prompt, read_timeout=seconds))
        )

    def _guarded(self, talk: Callable[[], T]) -> T:
        """Talk to the switch; a session that drops or falls silent is lost."""
        from netmiko.exceptions import ConfigInvalidException, NetmikoBaseException
        from paramiko import SSHException

        try:
            return talk()
        except ConfigInvalidException as error:
            raise LineRefusedError(visible(" ".join(str(error).split())[-300:])) from None
        except (NetmikoBaseException, SSHException, OSError, EOFError, ValueError) as error:
            raise SessionLostError(visible(" ".join(str(error).split())[:200] or type(error).__name__)) from None


class _Ios(_Netmiko):
    """Cisco IOS."""

    def read(self, port: str) -> PortState:
        """Return a port's running state; raises BadInput (no such port)."""
        lines = self._block(f"show running-config interface {port}", port)
        if lines is None:
            raise BadInput(f"there is no port {port}", mend="write it as `show running-config` does")
        return _ios_state(lines)

    def saved(self, port: str) -> PortState:
        """Return the state that the port has after a restart."""
        return _ios_state(self._block(f"show startup-config | section ^interface {port}$", port) or ())

    def send(self, lines: Sequence[str], report: Report) -> None:
        """Send configuration lines one by one; raises LineRefusedError."""
        self._guarded(
            lambda: self._connection.send_config_set(
                _told(lines, report),
                read_timeout=ANSWER_SECONDS,
                error_pattern=IOS_ERROR,
                cmd_verify=True,
                bypass_commands="",  # looking for them, netmiko would take all lines before it sends the first
            )
        )

    def save(self) -> None:
        """Save the running configuration; raises LineRefusedError."""
        answer = self._ask("write memory", seconds=SAVE_SECONDS)
        if "[OK]" not in answer:
            raise LineRefusedError(f"saving failed: {visible(' '.join(answer.split())[-200:])}")

    def _block(self, command: str, port: str) -> list[str] | None:
        """Return the lines below `interface PORT`; None, when the answer has no such line."""
        lines = self._ask(command).splitlines()
        heads = [i for i, line in enumerate(lines) if line.strip() == f"interface {port}"]
        if not heads:
            return None
        rest = lines[heads[0] + 1 :]
        # Whatever else gets in between counts as a line of the port: nothing below it may be missed.
        ends = [i for i, line in enumerate(rest) if IOS_END.fullmatch(line.rstrip())]
        return [one_line(line) for line in rest[: ends[0] if ends else len(rest)] if line.strip()]


def _told(lines: Sequence[str], report: Report) -> Iterator[str]:
    """Yield the lines; when the next one is asked for, the one before was taken."""
    for line in lines:
        yield line
        report(f"{SENT}: {line}")


def _ios_state(lines: Sequence[str]) -> PortState:
    """Return the state that an interface's configuration lines describe."""
    vlan = _ios_value(lines, IOS_VLAN) or str(DEFAULT_VLAN)
    others = [line for line in lines if not IOS_KNOWN.fullmatch(line)]
    if not _ios_value(lines, IOS_MODE):
        others.append(f"no {IOS_MODE}")  # no line tells of this default
    return PortState(
        mode=_ios_mode(lines),
        vlan=int(vlan) if vlan.isdigit() else None,
        description=_ios_value(lines, IOS_DESCRIPTION),
        enabled="shutdown" not in lines,
        other_lines=tuple(others),
    )


def _ios_mode(lines: Sequence[str]) -> str:
    """Return what a port serves as; without a line it negotiates, and may become a trunk."""
    for start, mode in IOS_NO_ACCESS.items():
        if any(f"{line} ".startswith(f"{start} ") for line in lines):
            return mode
    return (_ios_value(lines, IOS_MODE) or "dynamic").split()[0]


def _ios_value(lines: Sequence[str], name: str) -> str:
    """Return what follows a setting's name (empty: it is not set)."""
    return next((line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")), "")


class _Ovs(_Netmiko):
    """Open vSwitch, by `ovs-vsctl` in a shell. Its database is saved with each change."""

    def read(self, port: str) -> PortState:
        """Return a port's state; raises BadInput (no such port)."""
        try:
            row = self._row(f"list port {port}")
            interfaces = _ovs_items(row["interfaces"])
            # Several interfaces are a bond; of a single one its type tells whether a server can be behind it.
            one = f"--columns={OVS_INTERFACE} list interface {UUID(interfaces[0][1])}" if len(interfaces) == 1 else ""
            return _ovs_state(row, self._row(one) if one else None)
        except (ValueError, KeyError, IndexError, TypeError):
            raise SessionLostError("ovs-vsctl answered something else than JSON") from None

    def _row(self, question: str) -> dict[str, Any]:
        """Return the row of the database that a question is for."""
        answer, code = self._shell(f"ovs-vsctl --format=json {question}")
        if code and "no row" in answer:
            raise BadInput(f"there is no port {question.rpartition(' ')[2]}", mend="see `ovs-vsctl list-ports`")
        if code:
            raise SessionLostError(f"ovs-vsctl: {visible(answer)}")
        table = json.loads(answer)
        return dict(zip(table["headings"], table["data"][0], strict=True))

    def saved(self, port: str) -> PortState:
        """Return the state that the port has after a restart: the database is its own memory."""
        return self.read(port)

    def send(self, lines: Sequence[str], report: Report) -> None:
        """Send commands; each changes everything it names, or nothing. Raises LineRefusedError."""
        for line in lines:
            answer, code = self._shell(line)
            if code:
                raise LineRefusedError(visible(" ".join(answer.split())[-300:]))
            report(f"{SENT}: {line}")

    def save(self) -> None:
        """Do nothing: the database was saved with the change."""

    def _shell(self, command: str) -> tuple[str, int]:
        """Return what a command prints, and its exit status."""
        answer = self._ask(f"{command} 2>&1; echo status=$?")
        text, _, status = answer.rpartition("status=")
        if not status.strip().isdigit():
            raise SessionLostError("the shell gave no exit status")
        return text.strip(), int(status)


def _ovs_state(row: Mapping[str, Any], interface: Mapping[str, Any] | None) -> PortState:
    """Return the state that a row of the Port table and the port's only interface (None: a bond) describe."""
    return PortState(
        mode=_ovs_mode(row, interface),
        vlan=row["tag"] if isinstance(row["tag"], int) else None,
        description=one_line(str(dict(row["external_ids"][1]).get("sopauto", ""))),
        enabled=True,
        other_lines=tuple(line for line in _ovs_settings(row, interface) if not line.startswith(OVS_KNOWN)),
    )


def _ovs_settings(row: Mapping[str, Any], interface: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what a port and its interface are set to."""
    for name, value in (*row.items(), *(interface or {}).items()):
        if name not in OVS_QUIET:
            yield from _ovs_lines(name, value)
    if row["tag"] == OVS_UNSET:
        yield "tag=[]"
    if interface is None:
        yield f"interfaces={len(_ovs_items(row['interfaces']))}"


def _ovs_mode(row: Mapping[str, Any], interface: Mapping[str, Any] | None) -> str:
    """Return what a port serves as; without a tag it carries every VLAN."""
    if interface is None:
        return "member"
    if interface["type"] not in {"", "system"}:
        return "virtual"
    accessible = isinstance(row["tag"], int) and row["vlan_mode"] in ("access", OVS_UNSET)
    return ACCESS if accessible and not _ovs_items(row["trunks"]) else "trunk"


def _ovs_lines(column: str, value: Any) -> list[str]:
    """Return a column as ovs-vsctl would be told it; nothing, when it is not set."""
    if isinstance(value, list) and value[0] == "map":
        return [one_line(f"{column}:{key}={held}") for key, held in value[1]]
    items = [item[1] if isinstance(item, list) else item for item in _ovs_items(value) if item]
    told = ",".join("true" if item is True else str(item) for item in items)
    return [one_line(f"{column}={told}")] if told else []


def _ovs_items(value: Any) -> list[Any]:
    """Return an OVSDB value as a list: `["set", […]]`, or a single one."""
    if isinstance(value, list) and len(value) == 2 and value[0] == "set":  # noqa: PLR2004 - OVSDB's notation
        return list(value[1])
    return [value]


def _known_host(switch: Json) -> str:
    host, port, key = switch["host"], int(switch["port"]), switch["host_key"]
    name = host if port == 22 else f"[{host}]:{port}"  # noqa: PLR2004 - the port that known_hosts leaves out
    return f"{name} {key}\n"


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


PLATFORMS: Final[Mapping[str, type[_Ios] | type[_Ovs]]] = {"cisco_ios": _Ios, "ovs_linux": _Ovs}
"""How the switches of each platform are talked to."""
