"""A login of the settings, as whatever logs in on a machine takes it."""

from __future__ import annotations

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
