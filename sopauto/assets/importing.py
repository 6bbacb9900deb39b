"""Assets from outside: YAML or CSV files, and `name=value` on the command line. All faults are told at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Final, NoReturn

from sopauto.assets.model import Contact, Place, Pool, Rack, Server, ServerState, Switch, SwitchPort, Unit, Vlan
from sopauto.assets.spreadsheet import fields_of, sheet_rows
from sopauto.data_file import read_bounded, read_document
from sopauto.errors import BadInput

Asset = Unit | Contact | Rack | Switch | SwitchPort | Vlan | Pool | Server

TALLEST: Final = 60
LAST_VLAN: Final = 4094
LAST_PORT: Final = 65535
FORMULA: Final = ("=", "+", "-", "@")
"""What a spreadsheet takes for a formula; no name begins with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One asset as it was written: its kind, its values, and where it stands."""

    kind: str
    values: Mapping[str, Any]
    where: str

    def fail(self, name: str, what: str, mend: str) -> NoReturn:
        """Raise BadInput about one value."""
        raise BadInput(what, where=f"{self.where} {name}", mend=mend)

    def text(self, name: str, *, required: bool = True, default: str = "") -> str:
        """Return a value as one line of text."""
        value = self.values.get(name)
        text = "" if value is None else str(value).strip()
        if not text and required:
            self.fail(name, f"{name!r} is missing", f"state `{name}`")
        if not text.isprintable():
            self.fail(name, f"{name!r} holds control characters", "write it on one line, as plain text")
        if text.startswith(FORMULA) and not text.lstrip("+-").replace(" ", "").isdigit():
            self.fail(name, f"{name!r} begins like a formula", "begin with a letter or digit")
        if len(text) > 2000:  # noqa: PLR2004 - longer than any host key
            self.fail(name, f"{name!r} is longer than 2000 characters", "shorten it")
        return text or default

    def name(self, name: str) -> str:
        """Return an id: what goes into commands, file names and switch lines needs no quoting."""
        text = self.text(name)
        if not all(c.isascii() and (c.isalnum() or c in "-._/:") for c in text):
            self.fail(name, f"{text[:80]!r} is no {name}", "use letters, digits and . - _ / :")
        return text

    def number(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Return a whole number within bounds."""
        value = self.values.get(name)
        if value in {None, ""} and default is not None:
            return default
        text = str(value).strip()
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            self.fail(name, f"{text[:40]!r} is no number from {low} to {high}", "write digits only")
        return int(text)

    def address(self, name: str) -> IPv4Address:
        """Return an IPv4 address."""
        text = self.text(name)
        try:
            return IPv4Address(text)
        except ValueError:
            self.fail(name, f"{text[:40]!r} is no IPv4 address", "write e.g. 10.20.30.40")

    def several(self, name: str) -> list[str]:
        """Return a list, or a text with commas, as texts."""
        value = self.values.get(name)
        items = value if isinstance(value, list) else str("" if value is None else value).split(",")
        return [str(item).strip() for item in items if str(item).strip()]


def read_assets(path: Path, kind: str = "") -> list[Asset]:
    """Return the assets in a file: YAML with a list per kind, or a table (CSV, XLSX) of one kind.

    The kind of a table is named, or it is the file's name.

    Raises: BadInput, naming every fault of the file.
    """
    tables = {".csv": _csv_rows, ".xlsx": _xlsx_rows}
    rows = list(tables[path.suffix](path, kind or path.stem) if path.suffix in tables else _yaml_rows(path))
    assets: list[Asset] = []
    faults: list[str] = []
    for row in rows:
        try:
            assets.append(asset_of(row))
        except BadInput as error:
            faults.append(str(error))
    if faults:
        raise BadInput("; ".join(faults[:20]), mend=f"{len(faults)} faults, nothing was imported")
    return assets


def asset_of(row: Row) -> Asset:
    """Return the asset that a row describes; raises BadInput."""
    if row.kind not in KINDS:
        raise BadInput(f"unknown kind {row.kind!r}", where=row.where, mend=f"use one of {', '.join(KINDS)}")
    known, make = KINDS[row.kind]
    for name in row.values:
        if name not in known:
            row.fail(str(name)[:80], f"unknown field {str(name)[:80]!r}", f"known: {', '.join(known)}")
    return make(row)


def _yaml_rows(path: Path) -> Iterator[Row]:
    data, line_of = read_document(path)
    if not isinstance(data, dict):
        raise BadInput("is no mapping of kinds to lists", where=str(path), mend=f"write {', '.join(KINDS)}")
    for kind, items in data.items():
        where = f"{path}:{line_of(kind)}"
        if kind not in KINDS or not isinstance(items, list):
            raise BadInput(f"unknown kind {kind!r}", where=where, mend=f"write lists of {', '.join(KINDS)}")
        for i, item in enumerate(items):
            line = f"{path}:{line_of(kind, i)}"
            if not isinstance(item, dict):
                raise BadInput("is no mapping", where=line, mend="write `name: value` pairs")
            yield Row(kind=kind, values=item, where=line)


def _csv_rows(path: Path, kind: str) -> Iterator[Row]:
    try:
        text = read_bounded(path).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        for row in reader:
            if None in row or None in row.values():
                raise BadInput("has more or fewer values than the heading", where=f"{path}:{reader.line_num}")
            yield Row(kind=kind, values=fields_of(row, kind), where=f"{path}:{reader.line_num}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"is no CSV ({error})", where=str(path), mend="save it as UTF-8 with a heading") from None


def _xlsx_rows(path: Path, kind: str) -> Iterator[Row]:
    for line, values in sheet_rows(path):
        yield Row(kind=kind, values=fields_of(values, kind), where=f"{path}:{line}")


def _unit(row: Row) -> Unit:
    return Unit(id=row.name("id"), name=row.text("name"))


def _contact(row: Row) -> Contact:
    email = row.text("email")
    if "@" not in email or " " in email:
        row.fail("email", f"{email[:80]!r} is no e-mail address", "write e.g. nama@contoh.go.id")
    return Contact(unit=row.name("unit"), name=row.text("name"), email=email, phone=row.text("phone", required=False))


def _rack(row: Row) -> Rack:
    height = row.number("height", 1, TALLEST)
    blocked = row.several("blocked")
    if not all(unit.isdigit() and 1 <= int(unit) <= height for unit in blocked):
        row.fail("blocked", f"names units that a rack of {height} does not have", f"write units from 1 to {height}")
    return Rack(
        id=row.name("id"),
        location=row.text("location", required=False),
        height=height,
        blocked=frozenset(map(int, blocked)),
    )


def _switch(row: Row) -> Switch:
    key = row.text("host_key")
    if len(key.split()) < 2:  # noqa: PLR2004 - type and blob
        row.fail("host_key", "is no host key", "paste what `ssh-keyscan` prints behind the host name")
    return Switch(
        id=row.name("id"),
        platform=row.name("platform"),
        host=row.name("host"),
        port=row.number("port", 1, LAST_PORT, default=22),
        credentials=row.name("credentials"),
        host_key=" ".join(key.split()[:2]),
    )


def _port(row: Row) -> SwitchPort:
    rack = row.text("rack", required=False)
    return SwitchPort(switch=row.name("switch"), name=row.name("name"), rack=rack or None)


def _vlan(row: Row) -> Vlan:
    return Vlan(id=row.number("id", 1, LAST_VLAN), name=row.text("name"))


def _pool(row: Row) -> Pool:
    text = row.text("network")
    try:
        network = IPv4Network(text)
    except ValueError:
        row.fail("network", f"{text[:40]!r} is no network", "write e.g. 10.20.30.0/24")
    gateway, first, last = (row.address(name) for name in ("gateway", "first", "last"))
    for name, address in (("gateway", gateway), ("first", first), ("last", last)):
        if address not in network:
            row.fail(name, f"{address} is outside {network}", "write an address of the network")
    if first > last:
        row.fail("first", f"{first} comes after {last}", "write the lowest address first")
    try:
        dns = tuple(IPv4Address(address) for address in row.several("dns"))
    except ValueError:
        row.fail("dns", "holds something that is no IPv4 address", "write addresses, joined by commas")
    return Pool(
        id=row.name("id"),
        vlan=row.number("vlan", 1, LAST_VLAN),
        network=network,
        gateway=gateway,
        first=first,
        last=last,
        dns=dns,
    )


def _server(row: Row) -> Server:
    height = row.number("height", 1, TALLEST)
    place = Place(
        rack=row.name("rack"),
        bottom_unit=row.number("bottom_unit", 1, TALLEST),
        height=height,
        switch=row.name("switch"),
        port=row.name("port"),
        vlan=row.number("vlan", 1, LAST_VLAN),
        pool=row.name("pool"),
        address=row.address("address"),
    )
    return Server(
        id=row.name("id").lower(),
        unit=row.name("unit"),
        ticket=row.text("ticket", required=False, default="-"),
        brand=row.text("brand"),
        model=row.text("model"),
        serial=row.text("serial"),
        height=height,
        state=ServerState.PLACED,
        features=row.text("features", required=False),
        mac=row.text("mac", required=False) or None,
        place=place,
    )


SERVER_FIELDS: Final = (
    *("id", "unit", "ticket", "brand", "model", "serial", "height", "features", "mac"),
    *("rack", "bottom_unit", "switch", "port", "vlan", "pool", "address"),
)
KINDS: Final[Mapping[str, tuple[Sequence[str], Callable[[Row], Asset]]]] = {
    "units": (("id", "name"), _unit),
    "contacts": (("unit", "name", "email", "phone"), _contact),
    "racks": (("id", "location", "height", "blocked"), _rack),
    "vlans": (("id", "name"), _vlan),
    "switches": (("id", "platform", "host", "port", "credentials", "host_key"), _switch),
    "ports": (("switch", "name", "rack"), _port),
    "pools": (("id", "vlan", "network", "gateway", "first", "last", "dns"), _pool),
    "servers": (SERVER_FIELDS, _server),
}
"""The fields of each kind and what makes an asset of them, in the order in which they can be added."""
