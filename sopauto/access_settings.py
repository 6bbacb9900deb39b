"""What an agency sets about access to rooms: the table `[access]` of `sopauto.toml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
"""Of zones and doors: they go into lists, files and addresses."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Zone(_Part):
    """A part of the building that cards open. `reviewer` is the position that reviews who may enter it."""

    title: str = Field(min_length=1, max_length=100)
    reviewer: str = "kasi-layanan-infrastruktur"


class DoorAt(_Part):
    """A door controller and the zones behind it: `http` at a URL, or `csv`, a file for the vendor's own program.

    `token_env` names the variable with the controller's bearer token; `seconds` bounds one request, of which `tries`
    are made.
    """

    kind: Literal["http", "csv"]
    zones: tuple[str, ...] = Field(min_length=1)
    url: str = Field(default="", max_length=500)
    file: Path | None = None
    token_env: str | None = None
    seconds: float = Field(default=5.0, gt=0, le=60)
    tries: int = Field(default=3, ge=1, le=10)

    @model_validator(mode="after")
    def _reachable(self) -> DoorAt:
        if self.kind == "http" and not self.url.startswith(("http://", "https://")):
            raise ValueError("an http controller needs `url` (http:// or https://)")
        if self.kind == "http" and not _is_address(self.url):
            raise ValueError("`url` is no address: write e.g. https://10.20.0.9/api, without user, `?` or `#`")
        if self.kind == "csv" and self.file is None:
            raise ValueError("a csv controller needs `file`")
        return self


def _is_address(url: str) -> bool:
    """Tell whether a URL names a host, a sound port if any, a path, and nothing else."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url
    return plain and bool(parts.hostname) and "@" not in parts.netloc and not parts.query and not parts.fragment


class Events(_Part):
    """How a controller's event file reads: its delimiter, the headings of its columns, and how it writes moments.

    `time_format` is that of `strptime` (empty: ISO 8601); `zones` says which zone a reader of the file guards.
    """

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    at: str = "waktu"
    card: str = "kartu"
    zone: str = "zona"
    time_format: str = ""
    zones: Mapping[str, str] = Field(default_factory=dict)


class Access(_Part):
    """Who may enter: the range of card numbers, how long access lasts, when it is reviewed, zones and doors.

    Days are calendar days. A review that nobody answers is reminded of after `remind_after` days; what is not answered
    after `suspend_after` days is suspended. `card_key` signs the tokens of cards.
    """

    card_prefix: str = Field(default="KA-", pattern=r"^[A-Z0-9-]{0,12}$")
    card_digits: int = Field(default=6, ge=1, le=12)
    first_card: int = Field(default=1, ge=0)
    last_card: int = Field(default=999_999, ge=0)
    longest_temporary: int = Field(default=180, ge=1)
    longest_visit: int = Field(default=7, ge=1)
    review_months: int = Field(default=3, ge=1, le=24)
    remind_after: int = Field(default=7, ge=1)
    suspend_after: int = Field(default=14, ge=1)
    card_key: Path = Path("keys/kartu-akses.pem")
    zones: Mapping[str, Zone] = Field(default_factory=dict)
    doors: Mapping[str, DoorAt] = Field(default_factory=dict)
    events: Events = Events()

    def below(self, root: Path) -> Access:
        """Return the settings with paths that do not depend on where a command is typed."""
        doors = {name: at.model_copy(update={"file": at.file and root / at.file}) for name, at in self.doors.items()}
        return self.model_copy(update={"card_key": root / self.card_key, "doors": doors})

    @model_validator(mode="after")
    def _fits(self) -> Access:
        if self.first_card > self.last_card or len(str(self.last_card)) > self.card_digits:
            raise ValueError("the range of card numbers is empty or does not fit `card_digits`")
        for name in (*self.zones, *self.doors):
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name; use lower-case letters, digits and hyphens")
        for name, door in self.doors.items():
            if unknown := sorted(set(door.zones) - set(self.zones)):
                raise ValueError(f"door {name} names the zone {unknown[0]!r}, which does not exist")
        return self
