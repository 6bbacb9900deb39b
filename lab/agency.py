"""An agency with one server that it prepares or installs software on, and a throw-away workspace of its people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.cast import Role
from lab.mailbox import Mailbox
from lab.workspace import Workspace, make_key, people_file


class Bare(Protocol):
    """A server that is to be prepared: how it is called and reached, and its host key."""

    @property
    def name(self) -> str:
        """Its host name."""

    @property
    def host(self) -> str:
        """Its address."""

    @property
    def port(self) -> int:
        """The port of its SSH."""

    @property
    def user(self) -> str:
        """Who logs in."""

    @property
    def key_file(self) -> Path:
        """That user's private key."""

    @property
    def host_key(self) -> str:
        """`ssh-ed25519 AAAA…`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """Who an agency is: letterhead and mail, and people with positions, superiors (by position) and units."""

    name: str
    letterhead: Sequence[str]
    address: str
    city: str
    sender: str
    cast: Sequence[Role]
    positions: Mapping[str, str]
    superiors: Mapping[str, str]
    units: Mapping[str, str]

    def workspace(self, home: Path, *, server: Bare, mailbox: Mailbox) -> Workspace:
        """Make a workspace in a new directory: settings, people with fresh keys, and the login of the server."""
        home.mkdir(parents=True)
        workspace = Workspace(home=home)
        for role in self.cast:
            workspace.keys[role.id] = make_key(home / "keys" / role.id)
        people = people_file(
            workspace.keys, self.cast, positions=self.positions, superiors=self.superiors, units=self.units
        )
        (home / "people.yaml").write_text(people)
        (home / "sopauto.toml").write_text(self._settings(server, mailbox))
        return workspace

    def _settings(self, server: Bare, mailbox: Mailbox) -> str:
        letterhead = ", ".join(f'"{line}"' for line in self.letterhead)
        return f"""\
[agency]
name = "{self.name}"
letterhead = [{letterhead}]
address = "{self.address}"
city = "{self.city}"

[mail]
host = "{mailbox.host}"
port = {mailbox.port}
sender = "{self.sender}"

[credentials.servers]
user = "{server.user}"
key_file = "{server.key_file}"
"""
