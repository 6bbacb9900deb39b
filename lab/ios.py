"""A switch that speaks Cisco IOS: an SSH server that keeps VLANs, ports, running and startup configuration.

Stricter than the code it tests, and able to misbehave on demand (`Faults`). Every line that it gets is kept in
`received`.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from string import ascii_letters
from types import TracebackType
from typing import Any, Final, Self

import asyncssh

INVALID: Final = "% Invalid input detected at '^' marker."
INCOMPLETE: Final = "% Incomplete command."
NOT_SWITCHED: Final = "% Command rejected: the port does not switch, or is one of a channel."
NAMES: Final = ("description", "switchport mode", "switchport access vlan", "channel-group", "ip address")
"""Settings that hold one value."""
NOT_SWITCHING: Final = ("no switchport", "channel-group")
EDGE: Final = ("spanning-tree portfast", "no cdp enable")
"""What an agency may want on a server's port."""
PAGE: Final = 24
PORTS: Final = 24


@dataclass(slots=True)
class Faults:
    """How the switch misbehaves: each is a part of a line, or None.

    `drop_at` closes the connection when the line comes (before it is carried out), `drop_after` once it was,
    `refuse` answers with an error, `hang_at` never answers, `ignore` accepts the line and does nothing. After a drop
    the switch refuses `away_after_drop` logins (`stay_away`: the next ones). `full` makes saving fail.
    `chatter` is a log message that comes amid a port's lines.
    """

    drop_at: str | None = None
    drop_after: str | None = None
    refuse: str | None = None
    hang_at: str | None = None
    ignore: str | None = None
    stay_away: int = 0
    away_after_drop: int = 0
    full: bool = False
    chatter: str | None = None


@dataclass(slots=True)
class Config:
    """A configuration: VLANs, and the lines below each interface."""

    vlans: set[int]
    ports: dict[str, dict[str, str]]


def factory_config() -> Config:
    """Return 22 ports in VLAN 999 that are shut down, a port channel's member, the uplink and a routed port."""
    ports = {
        f"GigabitEthernet1/0/{i}": {"switchport mode": "access", "switchport access vlan": "999", "shutdown": ""}
        for i in range(1, PORTS - 1)
    }
    ports[f"GigabitEthernet1/0/{PORTS - 1}"] = {"switchport mode": "access", "channel-group": "1 mode active"}
    ports[f"GigabitEthernet1/0/{PORTS}"] = {
        "switchport trunk allowed vlan": "30,40",
        "switchport mode": "trunk",
        "description": "uplink core-1",
    }
    ports[f"GigabitEthernet1/0/{PORTS + 1}"] = {"no switchport": "", "ip address": "192.0.2.1 255.255.255.252"}
    return Config(vlans={1, 30, 40, 999}, ports=ports)


@dataclass(slots=True)
class IosSwitch:
    """A running switch; use it as a context manager. `authorized` is the public key that may log in."""

    authorized: str
    user: str = "sopauto"
    name: str = "sw1"
    host: str = "127.0.0.1"
    port: int = 0
    slow: float = 0.0
    faults: Faults = field(default_factory=Faults)
    running: Config = field(default_factory=factory_config)
    startup: Config = field(default_factory=factory_config)
    received: list[str] = field(default_factory=list)
    host_key: str = ""
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None
    _server: Any = None

    def __enter__(self) -> Self:
        """Start the switch in a thread of its own."""
        key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = " ".join(key.export_public_key().decode().split()[:2])
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(key), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread is not None
        self._thread.join(10)
        self._loop.close()

    async def _listen(self, key: asyncssh.SSHKey) -> None:
        self._server = await asyncssh.create_server(
            lambda: _Login(self),
            self.host,
            self.port,
            server_host_keys=[key],
            authorized_client_keys=asyncssh.import_authorized_keys(self.authorized),
            process_factory=lambda process: _Shell(self, process).run(),
            line_editor=False,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def configured(self) -> list[str]:
        """Return the configuration lines that were received, without those that only read."""
        quiet = ("show", "terminal", "exit", "end")
        return [line for line in self.received if line and not line.startswith(quiet)]

    def settings(self, port: str) -> dict[str, str]:
        """Return the running settings of a port."""
        return self.running.ports[port]

    def hold(self, port: str, *lines: str) -> None:
        """Give a port the lines that an engineer wrote and saved, and no others."""
        for config in (self.running, self.startup):
            config.ports[port] = dict(map(_setting, lines))

    def change_behind_our_back(self, port: str) -> None:
        """Set a port's description as somebody on the console would."""
        self.running.ports[port]["description"] = "changed on the console"

    def power_cycle(self) -> None:
        """Forget what was not saved."""
        self.running = deepcopy(self.startup)


class _Login(asyncssh.SSHServer):
    def __init__(self, switch: IosSwitch) -> None:
        self._switch = switch

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        if self._switch.faults.stay_away > 0:
            self._switch.faults.stay_away -= 1
            conn.abort()

    def begin_auth(self, username: str) -> bool:
        del username
        return True


class _DroppedError(Exception):
    pass


class _Shell:
    """One login: modes, prompts, paging."""

    def __init__(self, switch: IosSwitch, process: Any) -> None:
        self.switch = switch
        self.process = process
        self.mode = ""
        self.interface = ""
        self.length = PAGE
        self.pending = ""

    async def run(self) -> None:
        """Talk until the other side leaves."""
        try:
            self._write("\r\n" + self._prompt())
            while True:
                line = await self._line()
                self._write(f"{line}\r\n")
                await self._answer(line.strip())
                self._write(self._prompt())
        except (_DroppedError, asyncssh.Error, OSError, EOFError):
            self.process.channel.get_connection().abort()

    def _prompt(self) -> str:
        return f"{self.switch.name}{self.mode}#"

    def _write(self, text: str) -> None:
        self.process.stdout.write(text)

    async def _line(self) -> str:
        while not (match := re.search(r"\r\n|\r|\n", self.pending)):
            more = await self.process.stdin.read(4096)
            if not more:
                raise EOFError
            self.pending += more
        line, self.pending = self.pending[: match.start()], self.pending[match.end() :]
        return line

    async def _answer(self, line: str) -> None:
        switch, faults = self.switch, self.switch.faults
        if switch.slow:
            await asyncio.sleep(switch.slow)
        if _hits(faults.drop_at, line):
            faults.drop_at, faults.stay_away = None, faults.away_after_drop
            raise _DroppedError
        if line:
            switch.received.append(line)
        if _hits(faults.hang_at, line):
            await asyncio.sleep(3600)
        if _hits(faults.refuse, line):
            faults.refuse = None
            await self._print([" " * 10 + "^", INVALID])
        elif not _hits(faults.ignore, line):
            await self._print(list(self._carry_out(line)))
        if _hits(faults.drop_after, line):
            faults.drop_after, faults.stay_away = None, faults.away_after_drop
            raise _DroppedError

    async def _print(self, lines: list[str]) -> None:
        for i, line in enumerate(lines, start=1):
            self._write(f"{line}\r\n")
            if self.length and i % (self.length - 1) == 0 and i < len(lines):
                self._write(" --More-- ")
                await self.process.stdin.read(1)
                self._write("\b" * 10 + " " * 10 + "\b" * 10)

    def _carry_out(self, line: str) -> Iterator[str]:
        if not line:
            return
        if line in {"end", "exit"}:
            self.mode = "(config)" if line == "exit" and self.mode == "(config-if)" else ""
        elif not self.mode:
            yield from self._exec(line)
        elif line.startswith("interface "):
            yield from self._enter(line.removeprefix("interface ").strip())
        elif self.mode == "(config-if)":
            yield from self._interface_line(line)
        else:
            yield INVALID

    def _exec(self, line: str) -> Iterator[str]:
        words = line.split()
        if line.startswith("terminal length "):
            self.length = int(words[2])
        elif line.startswith("terminal width "):
            return
        elif line in {"configure terminal", "conf t"}:
            self.mode = "(config)"
            yield "Enter configuration commands, one per line.  End with CNTL/Z."
        elif line.startswith("show running-config interface "):
            yield from self._show(self._in_full(words[3]))
        elif match := re.fullmatch(r"show startup-config \| section \^interface (\S+)\$", line):
            if match[1] in self.switch.startup.ports:
                yield from _block(match[1], self.switch.startup.ports[match[1]])
        elif line == "show running-config":
            for name, settings in self.switch.running.ports.items():
                yield from _block(name, settings)
        elif line in {"write mem", "write memory", "write"}:
            yield from self._save()
        else:
            yield INVALID

    def _in_full(self, port: str) -> str:
        """Return the name of the port that an abbreviation means, as IOS takes it wherever a port is named."""
        number = port.lstrip(ascii_letters)
        kind = port.removesuffix(number)
        ports = self.switch.running.ports
        names = [name for name in ports if name.startswith(kind) and name.lstrip(ascii_letters) == number]
        return names[0] if len(names) == 1 else port

    def _show(self, port: str) -> Iterator[str]:
        if port not in self.switch.running.ports:
            yield INVALID
            return
        block = list(_block(port, self.switch.running.ports[port]))
        yield "Building configuration..."
        yield ""
        yield f"Current configuration : {sum(map(len, block))} bytes"
        yield "!"
        yield from block[:2]
        if self.switch.faults.chatter:
            yield self.switch.faults.chatter
        yield from block[2:]
        yield "end"
        yield ""

    def _save(self) -> Iterator[str]:
        yield "Building configuration..."
        if self.switch.faults.full:
            yield "%Error copying nvram:/startup-config (No space left on device)"
            return
        self.switch.startup = deepcopy(self.switch.running)
        yield "[OK]"

    def _enter(self, port: str) -> Iterator[str]:
        port = self._in_full(port)
        if port not in self.switch.running.ports:
            yield INVALID
            return
        self.mode, self.interface = "(config-if)", port

    def _interface_line(self, line: str) -> Iterator[str]:
        settings = self.switch.running.ports[self.interface]
        if line.startswith("switchport") and any(name in settings for name in NOT_SWITCHING):
            yield NOT_SWITCHED
        elif line in {"shutdown", "no shutdown"}:
            settings.pop("shutdown", None) if line.startswith("no") else settings.update(shutdown="")
        elif line == "no description":
            settings.pop("description", None)
        elif match := re.fullmatch(r"description (.{1,200})", line):
            settings["description"] = match[1]
        elif match := re.fullmatch(r"switchport mode (access|trunk)", line):
            settings["switchport mode"] = match[1]
        elif match := re.fullmatch(r"switchport access vlan (\d{1,4})", line):
            if int(match[1]) not in self.switch.running.vlans:
                self.switch.running.vlans.add(int(match[1]))
                yield f"% Access VLAN does not exist. Creating vlan {match[1]}"
            settings["switchport access vlan"] = match[1]
        elif line in EDGE:
            settings[line] = ""
        elif line in NAMES:
            yield INCOMPLETE
        else:
            yield INVALID


def _setting(line: str) -> tuple[str, str]:
    """Return a line as name and value."""
    name = next((name for name in NAMES if line.startswith(f"{name} ")), line)
    return name, line.removeprefix(name).strip()


def _hits(part: str | None, line: str) -> bool:
    return part is not None and part in line


def _block(port: str, settings: dict[str, str]) -> Iterator[str]:
    yield f"interface {port}"
    for name, value in settings.items():
        yield f" {name} {value}".rstrip()
