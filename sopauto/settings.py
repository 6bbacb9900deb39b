"""What an agency sets, read from one file, `sopauto.toml`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date, time
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sopauto.access_settings import Access
from sopauto.data_file import read_bounded
from sopauto.errors import BadInput

FILE: Final = "sopauto.toml"
SECRETS: Final = frozenset({"password", "secret", "token", "passphrase"})
"""Names that must not hold anything in a file (design rule 10)."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Agency(_Part):
    """Whose data centre this is; `letterhead` are the lines at the top of each form."""

    name: str = Field(min_length=1, max_length=200)
    letterhead: tuple[str, ...] = ()
    address: str = Field(default="", max_length=300)
    city: str = Field(default="", max_length=100)


class Mail(_Part):
    """The agency's mail server. `password_env` names the variable that holds the password."""

    host: str = "127.0.0.1"
    port: int = Field(default=25, ge=1, le=65535)
    sender: str = Field(default="sopauto@localhost", pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}$")
    starttls: bool = False
    user: str | None = None
    password_env: str | None = None


class Custody(_Part):
    """Where ports without a server stand, where servers listen, and the login for inventories."""

    unused_vlan: int = Field(default=999, ge=1, le=4094)
    ssh_port: int = Field(default=22, ge=1, le=65535)
    inventory_credentials: str = "inventory"


class Inventory(_Part):
    """The monthly inventory: servers at once, seconds for each, and parts that no server is asked for.

    `full_at` is how many percent of a file system are too full, `warn_days` how long before its end a certificate or
    an operating system is named.
    `by_form` are servers that are recorded by form (Windows, appliances): nobody logs in there. `report_to` is the
    position that gets the month's report.
    """

    parallel: int = Field(default=32, ge=1, le=512)
    seconds: float = Field(default=60, ge=1, le=600)
    skip: tuple[Literal["updates", "certificates", "hardening"], ...] = ()
    by_form: tuple[str, ...] = ()
    report_to: str = "kasi-layanan-infrastruktur"
    full_at: int = Field(default=80, ge=1, le=100)
    warn_days: int = Field(default=60, ge=1, le=3650)


class Anchors(_Part):
    """Where anchors of the journal are written, and the addresses outside that also get each of them."""

    folder: Path = Path("anchors")
    mail_to: tuple[Annotated[str, Field(pattern=r"^[^@\s,;<>]{1,64}@[^@\s,;<>]{1,190}$")], ...] = ()


class Credentials(_Part):
    """A login: user, and a private key or the variable that holds the password (or the key's passphrase).

    `sudo_password_env` names the variable with the password that sudo asks for (None: sudo asks for none), `python` the
    program on the server that runs playbooks' modules.
    """

    user: str = Field(max_length=100, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$")
    python: str = Field(default="/usr/bin/python3", max_length=200, pattern=r"^/[A-Za-z0-9_./+-]+$")
    key_file: Path | None = None
    password_env: str | None = None
    sudo_password_env: str | None = None


class Office(_Part):
    """Office hours by day (`senin` to `minggu`) as `08:00-12:00` periods, and days off beside the national ones.

    `escalate_after` is how many office days at least a reminder is left to work before the superior is told.
    """

    country: str = "ID"
    hours: Mapping[str, tuple[str, ...]] = Field(
        default_factory=lambda: {
            **dict.fromkeys(("senin", "selasa", "rabu", "kamis"), ("07:30-12:00", "13:00-16:00")),
            "jumat": ("07:30-11:30", "13:00-16:30"),
        }
    )
    extra_holidays: tuple[date, ...] = ()
    escalate_after: int = Field(default=1, ge=0, le=260)

    @field_validator("hours")
    @classmethod
    def _known_days_and_periods(cls, hours: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        for day, periods in hours.items():
            if day not in DAYS:
                raise ValueError(f"unknown day {day}; known: {', '.join(DAYS)}")
            for text in periods:
                period(text)
        return hours


DAYS: Final = ("senin", "selasa", "rabu", "kamis", "jumat", "sabtu", "minggu")


def period(text: str) -> tuple[time, time]:
    """Return begin and end of a period such as `07:30-12:00`; raises ValueError."""
    begin, _, end = text.partition("-")
    first, last = time.fromisoformat(begin.strip()), time.fromisoformat(end.strip())
    if first >= last:
        raise ValueError(f"{text} ends before it begins")
    return first, last


class Settings(_Part):
    """All settings of a workspace. Paths in the file are relative to it."""

    root: Path
    agency: Agency
    time_zone: str = "Asia/Jakarta"
    database: str = "sqlite:///sopauto.db"
    people: Path = Path("people.yaml")
    procedures: tuple[Path, ...] = (Path("procedures"),)
    templates: Path = Path("templates")
    office: Office = Office()
    mail: Mail = Mail()
    access: Access = Access()
    anchors: Anchors = Anchors()
    custody: Custody = Custody()
    inventory: Inventory = Inventory()
    credentials: Mapping[str, Credentials] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError("unknown time zone; write e.g. Asia/Jakarta") from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The agency's time zone."""
        return ZoneInfo(self.time_zone)


def load_settings(start: Path | None = None) -> Settings:
    """Return the settings of the workspace around a directory (default: $SOPAUTO_HOME, then the present one).

    Raises: BadInput, with file and field.
    """
    path = find_file(start)
    try:
        data = tomllib.loads(read_bounded(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"malformed TOML ({error})", where=str(path), mend="correct it") from None
    _refuse_secrets(data, path)
    if "root" in data:
        raise BadInput("unknown key", where=f"{path} root", mend=f"known: {', '.join(_known(()))}")
    try:
        settings = Settings(root=path.parent, **data)
    except ValidationError as error:
        raise _told(error, path) from None
    return _absolute(settings)


def find_file(start: Path | None = None) -> Path:
    """Return the workspace's `sopauto.toml`; raises BadInput when there is none."""
    home = os.environ.get("SOPAUTO_HOME")
    if start is None and home:
        start = Path(home)
        folders = [start.resolve()]
    else:
        here = (start or Path.cwd()).resolve()
        folders = [here, *here.parents]
    for folder in folders:
        if (folder / FILE).is_file():
            return folder / FILE
    raise BadInput(
        f"there is no {FILE}", where=str(folders[0]), mend="make a workspace with `inv workspace.init DIRECTORY`"
    )


def _absolute(settings: Settings) -> Settings:
    """Return the settings with paths that do not depend on where a command is typed."""
    root = settings.root
    database = settings.database
    if database.startswith("sqlite:///") and not database.startswith("sqlite:////"):
        database = f"sqlite:///{root / database.removeprefix('sqlite:///')}"
    return settings.model_copy(
        update={
            "database": database,
            "people": root / settings.people,
            "procedures": tuple(root / folder for folder in settings.procedures),
            "templates": root / settings.templates,
            "access": settings.access.below(root),
            "anchors": settings.anchors.model_copy(update={"folder": root / settings.anchors.folder}),
            "credentials": {
                name: login.model_copy(update={"key_file": login.key_file and root / login.key_file.expanduser()})
                for name, login in settings.credentials.items()
            },
        }
    )


def _refuse_secrets(data: Any, path: Path, place: str = "") -> None:
    if not isinstance(data, dict):
        return
    for name, value in data.items():
        if name in SECRETS:
            raise BadInput(
                "secrets do not belong into a file",
                where=f"{path} {place}{name}",
                mend="set a variable of the environment and name it in `password_env`",
            )
        _refuse_secrets(value, path, f"{place}{name}.")


def _told(error: ValidationError, path: Path) -> BadInput:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _known(first["loc"][:-1])
        near = get_close_matches(str(first["loc"][-1]), known, n=1)
        mend = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        return BadInput("unknown key", where=f"{path} {place}", mend=mend)
    return BadInput(str(first["msg"]), where=f"{path} {place}", mend="`inv workspace.settings` prints what is allowed")


def _known(place: tuple[int | str, ...]) -> list[str]:
    parts: dict[str, type[BaseModel]] = {
        "access": Access,
        "agency": Agency,
        "anchors": Anchors,
        "mail": Mail,
        "custody": Custody,
        "inventory": Inventory,
        "office": Office,
        "credentials": Credentials,
    }
    model = parts.get(str(place[0]), Settings) if place else Settings
    return sorted(name for name in model.model_fields if name != "root")
