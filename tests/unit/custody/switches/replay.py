"""A switch that answers as was recorded: each file of a platform's `recorded/` is a piece of a session."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netmiko.exceptions import ConfigInvalidException

from sopauto.assets.model import Switch
from sopauto.custody.port_work import PortWork
from sopauto.custody.switches.base import Session
from sopauto.custody.switches.platforms import HERE, platform_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One recorded file: `# port NAME` and perhaps `# refused WORDS`, then each `> command` above its answer."""

    port: str
    refused: str
    answers: Mapping[str, str]


def read_piece(path: Path) -> Piece:
    notes: dict[str, str] = {}
    answers: dict[str, str] = {}
    for part in re.split(r"^(?=[>#] )", path.read_text(), flags=re.M)[1:]:
        head, _, rest = part.partition("\n")
        if head.startswith("# "):
            name, _, value = head.removeprefix("# ").partition(" ")
            notes[name] = value
        else:
            answers[head.removeprefix("> ")] = rest
    return Piece(port=notes["port"], refused=notes.get("refused", ""), answers=answers)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded of a platform."""

    platform: str

    @property
    def folder(self) -> Path:
        return HERE / self.platform / "recorded"

    def __getitem__(self, name: str) -> Piece:
        return read_piece(self.folder / f"{name}.txt")

    def __contains__(self, name: str) -> bool:
        return (self.folder / f"{name}.txt").is_file()

    @property
    def foreign(self) -> list[Piece]:
        return [read_piece(path) for path in sorted(self.folder.glob("foreign-*.txt"))]

    def work(self, **changes: Any) -> PortWork:
        login = {"host": "192.0.2.1", "port": 22, "credentials": "switch", "host_key": ""}
        asked = {"server": "web-01", "ticket": "PS-2026-0001", "port": self["free"].port, "vlan": 30}
        switch = Switch(id="sw1", platform=self.platform, **login)
        return PortWork(**{**asked, "switch": switch, "unused_vlan": 999, **changes})


@dataclass(slots=True)
class Replay:
    """A connection, as netmiko's is used. The lines that connect or free the port change what it answers from then on.

    `fails` are answers that come instead, `drop_at` the number of the question at which the session drops (from 0).
    """

    recorded: Recorded
    at: str = "free"
    fails: Mapping[str, str] = field(default_factory=dict)
    drop_at: int | None = None
    base_prompt: str = "sw1"
    asked: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def send_command(self, command: str, **_: object) -> str:
        return self._answer(command)

    def send_config_set(self, lines: Iterator[str], *, error_pattern: str, **_: object) -> str:
        for line in lines:
            found = re.search(error_pattern, self._answer(line), flags=re.M)
            if found:
                raise ConfigInvalidException(f"Invalid input detected at command: {line}, matched error: {found[0]}")
        return ""

    def _answer(self, command: str) -> str:
        if self.drop_at == len(self.asked):
            self.drop_at = None
            raise EOFError("the switch closed the session")
        self.asked.append(command)
        if command in self.fails:
            return self.fails[command]
        if command in self._port.answers:
            return self._port.answers[command]
        if "save" in self.recorded and command in self.recorded["save"].answers:
            return self.recorded["save"].answers[command]
        return self._take(command)

    @property
    def _port(self) -> Piece:
        return self.recorded[self.at]

    def _take(self, line: str) -> str:
        ways = {"connect": "connected", "disconnect": "free"}
        known = [way for way in ways if line in self.recorded[way].answers]
        assert known, f"nothing was recorded for {line!r}"
        self.lines.append(line)
        for way in known:
            whole = list(self.recorded[way].answers)
            if self.lines[-len(whole) :] == whole:
                self.at = ways[way]
        return self.recorded[known[0]].answers[line]

    @contextmanager
    def session(self, switch: Switch) -> Iterator[Session]:
        """Log in on the switch. Fulfils `live_port.Switches`."""
        yield platform_of(switch).session(self, io.BytesIO(b"sw1# \x1b[2Jhidden\r\n"))
