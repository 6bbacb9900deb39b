"""The words of a catalogue entry (`catalogue/NAME/software.yaml`): all of it comes from outside and is checked here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sopauto.software.patterns import refuse_unusable

NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
PLACEHOLDER: Final = re.compile(r"\$\{([a-z][a-z0-9_]*)\}", re.ASCII)
"""A setting in a test: `${port}`. Nothing else of a test is interpreted."""


def _absolute(path: str) -> str:
    if not path.startswith("/") or ".." in PurePosixPath(path).parts or str(PurePosixPath(path)) != path:
        raise ValueError(f"{path!r} is no absolute path; write e.g. /var/lib/redis")
    return path


def _beside(path: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError(f"{path!r} leads out of the entry's directory; name a file beside software.yaml")
    return path


def _deep(path: str) -> str:
    if len(PurePosixPath(path).parts) < len(("/", "var", "lib")):
        raise ValueError(f"{path!r} is no directory of one software; write e.g. /opt/agenda")
    return path


AbsolutePath = Annotated[str, Field(pattern=r"^[A-Za-z0-9/_.@+-]+$"), AfterValidator(_absolute)]
OwnDirectory = Annotated[AbsolutePath, AfterValidator(_deep)]
EntryFile = Annotated[str, Field(pattern=r"^[A-Za-z0-9/_.+-]+$"), AfterValidator(_beside)]
Package = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]
Unit = Annotated[str, Field(pattern=r"^[A-Za-z0-9@_.-]+$")]
Port = Annotated[str, Field(pattern=r"^(\d{1,5}|\$\{[a-z][a-z0-9_]*\})/(tcp|udp)$")]
FixedPort = Annotated[str, Field(pattern=r"^\d{1,5}/(tcp|udp)$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PublicKey = Annotated[str, Field(pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/]+=*$")]
Mode = Annotated[str, Field(pattern=r"^0[0-7]{3}$")]
Command = Annotated[tuple[str, ...], Field(min_length=1)]
"""Program and arguments; no shell reads them."""


class Part(BaseModel):
    """What every part of an entry has in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Archive(Part):
    """A `.tar.gz` beside the entry: its SHA-256, and its signature (`ssh-keygen -Y sign -n file`) by one of `signers`.

    It is unpacked into `into`, which belongs to this software alone; `units` are systemd units beside the entry.
    """

    file: EntryFile
    sha256: Sha256
    signature: EntryFile
    signers: tuple[PublicKey, ...] = Field(min_length=1)
    into: OwnDirectory
    units: tuple[EntryFile, ...] = ()


class PackageFile(Part):
    """A `.deb` beside the entry, with its SHA-256."""

    file: EntryFile
    sha256: Sha256


class Source(Part):
    """Where the software comes from: packages of the distribution, package files, or an archive (with packages)."""

    packages: tuple[Package, ...] = ()
    package_files: tuple[PackageFile, ...] = ()
    archive: Archive | None = None

    @model_validator(mode="after")
    def _something(self) -> Source:
        if not (self.packages or self.package_files or self.archive):
            raise ValueError("names nothing to install; state packages, package_files or archive")
        return self


class Requirements(Part):
    """What a server must have before anything changes. `replaces` are packages that may give way."""

    cpus: int = Field(default=1, ge=1, le=4096)
    memory_mb: int = Field(default=0, ge=0)
    disk_mb: int = Field(default=0, ge=0)
    ports: tuple[FixedPort, ...] = ()
    conflicts: tuple[Package, ...] = ()
    replaces: tuple[Package, ...] = ()


class Test(Part):
    """One check: exactly one of the kinds below, with what it expects.

    `port` listens (at `address`, default: anywhere), `http` answers with `status` and `contains`, `command` ends with
    `exit` and prints `contains`, `file` exists (with `mode`, and `contains`), `sql` answers a ping of the database's
    own administrator. `within` are the seconds that it may take to come true.
    """

    package: Package | None = None
    service: Unit | None = None
    port: Port | None = None
    process: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] | None = None
    http: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    command: Command | None = None
    file: AbsolutePath | None = None
    sql: Literal["postgresql", "mariadb"] | None = None
    address: Annotated[str, Field(pattern=r"^([0-9A-Fa-f.:]+|\$\{[a-z][a-z0-9_]*\})$")] | None = None
    version: str | None = None
    status: int = Field(default=200, ge=100, le=599)
    contains: str = ""
    exit: int = Field(default=0, ge=0, le=255)
    mode: Mode | None = None
    within: int = Field(default=0, ge=0, le=600)

    @property
    def kind(self) -> str:
        """What it checks."""
        return next(name for name in KINDS if getattr(self, name) is not None)

    @property
    def title(self) -> str:
        """What it checks, in one line."""
        value = getattr(self, self.kind)
        return f"{self.kind} {' '.join(value) if isinstance(value, tuple) else value}"

    @model_validator(mode="after")
    def _one_kind(self) -> Test:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError(f"a test checks exactly one of {', '.join(KINDS)}")
        return self


KINDS: Final = ("package", "service", "port", "process", "http", "command", "file", "sql")


class Setting(Part):
    """One thing that an engineer may set: its type, and what it may be."""

    type: Literal["text", "number", "flag", "choice", "host", "path"]
    label: str = Field(min_length=1, max_length=100)
    default: str | int | bool
    pattern: str = r"[A-Za-z0-9 ._:/@+=-]*"
    longest: int = Field(default=200, ge=1, le=4000)
    minimum: int = 0
    maximum: int = 65535
    choices: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> Setting:
        if self.type == "choice" and not self.choices:
            raise ValueError("a choice without choices; state `choices: [...]`")
        try:
            refuse_unusable(self.pattern)
        except ValueError as error:
            raise ValueError(f"the pattern does not work ({error})") from None
        return self


class Template(Part):
    """A file that is made from a template beside the entry and the settings."""

    template: EntryFile
    path: AbsolutePath
    mode: Mode = "0644"
    owner: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*$")] = "root"
    group: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*$")] = "root"


class Configuration(Part):
    """How the software is configured: templates, the service's own checker, what makes it count, and the proof."""

    settings: Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Setting] = Field(default_factory=dict)
    templates: tuple[Template, ...] = ()
    check: tuple[str, ...] = ()
    apply: tuple[str, ...] = ()
    verify: tuple[Test, ...] = ()


class Software(Part):
    """One entry of the catalogue.

    `versions` are beginnings of the versions that it was tested with, `systems` `ID-VERSION` of os-release, `services`
    what is started and stays running, `data` directories that outlive a removal unless an approved row says otherwise.
    """

    title: str = Field(min_length=1, max_length=200)
    versions: tuple[Annotated[str, Field(min_length=1, max_length=60)], ...] = Field(min_length=1)
    licence: str = Field(min_length=1, max_length=200)
    systems: tuple[Annotated[str, Field(pattern=r"^[a-z0-9]+-[0-9.]+$")], ...] = ("debian-12",)
    source: Source
    requires: Requirements = Requirements()
    services: tuple[Unit, ...] = ()
    tests: tuple[Test, ...] = Field(min_length=1)
    configuration: Configuration = Configuration()
    data: tuple[OwnDirectory, ...] = ()

    @model_validator(mode="after")
    def _known_settings(self) -> Software:
        known = set(self.configuration.settings)
        for test in (*self.tests, *self.configuration.verify):
            for name in placeholders(test.model_dump()):
                if name not in known:
                    raise ValueError(f"a test names ${{{name}}}, which is no setting")
        return self


def placeholders(value: Any) -> list[str]:
    """Return the settings that a test's values name."""
    if isinstance(value, str):
        return PLACEHOLDER.findall(value)
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [name for part in parts for name in placeholders(part)]


def filled(value: Any, settings: Mapping[str, Any]) -> Any:
    """Return a test's values with each `${setting}` replaced, once; what a setting holds is not looked at again."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda found: str(settings[found[1]]), value)
    if isinstance(value, Mapping):
        return {name: filled(part, settings) for name, part in value.items()}
    return [filled(part, settings) for part in value] if isinstance(value, list | tuple) else value
