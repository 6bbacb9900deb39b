"""Logging in on a machine: a login of the settings, and what it is used on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Credentials(Protocol):
    """A login of the settings. `password_env` names the variable that holds the password, or the key's passphrase."""

    @property
    def user(self) -> str:
        """The user's name on the machine."""

    @property
    def key_file(self) -> Path | None:
        """The private key, or a public one (`.pub`) whose private half the user's agent holds."""

    @property
    def password_env(self) -> str | None:
        """The name of an environment variable."""

    @property
    def sudo_password_env(self) -> str | None:
        """The variable that holds the password that sudo asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Which server to log in to, where, with which pinned host key, and as whom (a name of `[credentials]`)."""

    server: str
    address: str
    port: int
    host_key: str
    credentials: str
