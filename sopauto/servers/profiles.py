"""What a server is to become (`profiles/NAME.yaml`), and which controls it need not meet (`waivers.yaml`).

Both are an agency's own data, read when a plan is made: what an official approves holds every value of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sopauto.data_file import read_document, unseen
from sopauto.errors import BadInput

NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
PORT: Final = re.compile(r"([1-9]\d{0,4})(-[1-9]\d{0,4})?/(tcp|udp)", re.ASCII)
HOST: Final = r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$"
PACKAGE: Final = r"^[a-z0-9][a-z0-9.+-]*(:[a-z0-9-]+)?([=/][A-Za-z0-9.+~:*-]+)?$"
LOG_HOST: Final = r"^([A-Za-z0-9][A-Za-z0-9.-]{0,252}(:\d{1,5})?)?$"
VARIABLE: Final = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)
PREFIX: Final = "hardening_"
OF_PROFILE: Final = frozenset(
    f"{PREFIX}{name}" for name in ("waivers", "ssh_users", "open_ports", "container_host", "log_host", "today")
)
"""Variables of the role hardening that keys of a profile, waivers or the day give: `hardening` does not set them."""
LINES: Final = frozenset({"banner"})
"""What of `hardening` may have several lines."""
DEEPEST: Final = 8

Host = Annotated[str, Field(pattern=HOST)]
Package = Annotated[str, Field(pattern=PACKAGE)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    @field_validator("*", mode="after")
    @classmethod
    def _one_line(cls, value: Any) -> Any:
        """Keep every text on its line: in a file of a server's settings a line break begins another setting."""
        refuse_hidden(value)
        return value


def refuse_hidden(value: Any, depth: int = 0, *, lines: bool = False) -> None:
    """Refuse texts with characters that nobody sees, wherever they stand in a value; raises ValueError."""
    if depth > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        hidden = unseen(value.replace("\n", "") if lines else value)
        if hidden:
            raise ValueError(f"holds the control character {hidden}; write it on one line, as plain text")
    elif isinstance(value, Mapping):
        for name, part in value.items():
            refuse_hidden(name, depth + 1)
            refuse_hidden(part, depth + 1, lines=depth == 0 and name in LINES)
    elif isinstance(value, list | tuple):
        for part in value:
            refuse_hidden(part, depth + 1)


class Resources(_Part):
    """What a server must have at least: processors, memory in MB, the whole of its disks in GB."""

    cpus: int = Field(default=1, ge=1, le=4096)
    memory_mb: int = Field(default=256, ge=1)
    disk_gb: int = Field(default=1, ge=1)


class Volume(_Part):
    """A logical volume: its size (`10g`, or `100%FREE`), where it is mounted, with which file system and options."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,30}$")
    size: str = Field(pattern=r"^(\d+[mgt]|\d{1,3}%FREE)$")
    mount: str = Field(pattern=r"^/[A-Za-z0-9_./-]+$")
    file_system: str = Field(default="ext4", pattern=r"^(ext4|xfs)$")
    options: str = Field(default="nodev,nosuid", pattern=r"^[a-z0-9=,_-]+$")


class Disk(_Part):
    """A data disk: its device, and the volume group on it."""

    device: str = Field(pattern=r"^/dev/[A-Za-z0-9/_:.-]+$")
    group: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,30}$")
    volumes: tuple[Volume, ...] = ()


class Network(_Part):
    """Static addresses of one interface."""

    interface: str = Field(pattern=r"^[A-Za-z0-9._-]{1,15}$")
    address: str = Field(pattern=r"^[0-9A-Fa-f.:]+/\d{1,3}$")
    gateway: str = Field(pattern=r"^[0-9A-Fa-f.:]+$")
    dns: tuple[Annotated[str, Field(pattern=r"^[0-9A-Fa-f.:]+$")], ...] = ()
    search: tuple[Host, ...] = ()


class Profile(_Part):
    """What a server is to become.

    `credentials` names the login of the settings, `administrators` are people of the people file, `open_ports` what the
    firewall lets in beside SSH (`443/tcp`), `hardening` further variables of the role hardening without their prefix.
    """

    title: str = Field(min_length=1, max_length=200)
    credentials: str = Field(default="servers", pattern=r"^[A-Za-z0-9_-]{1,100}$")
    resources: Resources = Resources()
    time_zone: str = Field(default="Asia/Jakarta", pattern=r"^[A-Za-z0-9_+/-]+$")
    ntp: tuple[Host, ...] = ()
    locale: str = Field(default="C.UTF-8", pattern=r"^[A-Za-z0-9_.@-]+$")
    package_sources: tuple[str, ...] = ()
    packages: tuple[Package, ...] = ()
    upgrade: bool = True
    administrators: tuple[str, ...] = ()
    swap_mb: int = Field(default=0, ge=0)
    disks: tuple[Disk, ...] = ()
    network: Network | None = None
    open_ports: tuple[str, ...] = ()
    container_host: bool = False
    log_host: str = Field(default="", pattern=LOG_HOST)
    hardening: Mapping[str, Any] = Field(default_factory=dict)

    @field_validator("open_ports")
    @classmethod
    def _ports(cls, ports: tuple[str, ...]) -> tuple[str, ...]:
        for port in ports:
            if not PORT.fullmatch(port):
                raise ValueError(f"{port!r} is no port; write e.g. 443/tcp")
        return ports

    @field_validator("hardening")
    @classmethod
    def _variables(cls, hardening: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in hardening:
            if not VARIABLE.fullmatch(name):
                raise ValueError(f"{name!r} is no variable of the role hardening; write its name without {PREFIX}")
            if f"{PREFIX}{name}" in OF_PROFILE:
                raise ValueError(
                    f"{name!r} is not set here; the profile has a key of its own for it, or the day gives it"
                )
        return hardening


class Waiver(_Part):
    """A control that a server need not meet until a day, with the reason and who answers for it."""

    server: str = Field(min_length=1)
    control: str = Field(min_length=1)
    reason: str = Field(min_length=1, max_length=1000)
    approved_by: str = Field(min_length=1, max_length=200)
    expires: date
    ticket: str = ""
    compensating: str = ""

    @field_validator("reason", "compensating", mode="before")
    @classmethod
    def _joined(cls, text: Any) -> Any:
        """Take a text of several lines as one."""
        return " ".join(text.split()) if isinstance(text, str) else text


class Profiles:
    """The profiles and waivers of a workspace."""

    def __init__(self, root: Path) -> None:
        self._profiles = root / "profiles"
        self._waivers = root / "waivers.yaml"

    def get(self, name: str) -> Profile:
        """Return a profile; raises BadInput (there is none, or what is wrong with it)."""
        path = self._profiles / f"{name}.yaml"
        if not NAME.fullmatch(name) or not path.is_file():
            known = ", ".join(sorted(found.stem for found in self._profiles.glob("*.yaml"))) or "none"
            raise BadInput(f"there is no profile {name!r}", where=str(self._profiles), mend=f"known: {known}")
        data, _ = read_document(path)
        return _read(Profile, data, str(path))

    def waivers(self, server: str, on: date) -> list[Waiver]:
        """Return the waivers of a server that are in force.

        Raises: BadInput (malformed, or one of this server has expired: it is renewed or taken away, never ignored).
        """
        if not self._waivers.is_file():
            return []
        data, _ = read_document(self._waivers)
        if not isinstance(data, list):
            raise BadInput("is not a list of waivers", where=str(self._waivers), mend="write `- server: …` entries")
        found = [
            (_read(Waiver, each, f"{self._waivers} [{number}]"), number) for number, each in enumerate(data, start=1)
        ]
        for waiver, number in found:
            if waiver.server == server and waiver.expires < on:
                raise BadInput(
                    f"the waiver of {waiver.control} for {server} expired on {waiver.expires.isoformat()}",
                    where=f"{self._waivers} [{number}]",
                    mend=f"ask {waiver.approved_by} to renew it, or take it away",
                )
        return [waiver for waiver, _ in found if waiver.server == server]


_Model = TypeVar("_Model", bound=_Part)


def _read(model: type[_Model], data: Any, where: str) -> _Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        strange = first["type"] == "extra_forbidden"
        what, _, mend = str(first["msg"]).removeprefix("Value error, ").partition("; ")
        known = f"known: {', '.join(model.model_fields)}" if strange else "see docs/servers.md"
        raise BadInput(what, where=f"{where} {place}".strip(), mend=mend or known) from None
