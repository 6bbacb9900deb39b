"""Assets: owners, contacts, racks, switches, ports, VLANs, address pools and servers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sopauto.cli.console import Context, app, command, hint, print_json, say, table
from sopauto.errors import BadInput

if TYPE_CHECKING:
    from sopauto.assets.importing import Asset
    from sopauto.assets.register import Register

KINDS = ("units", "contacts", "racks", "switches", "ports", "vlans", "pools", "servers")
KIND = f"one of {', '.join(KINDS)}"


@command(name="list", help={"kind": KIND, "json": "print JSON"})
def list_(c: Context, kind: str, json: bool = False) -> None:
    """List assets of one kind. Example: `inv assets.list ports`."""
    with app(c).store.read() as reader:
        found = _of_kind(reader.assets, kind)
    rows = [_flat(asset) for asset in found]
    if json:
        print_json(rows)
    elif rows:
        table(list(rows[0]), [["-" if value is None else value for value in row.values()] for row in rows])
    else:
        hint(f"no {kind}; add some with `inv assets.import FILE`")


@command(help={"kind": KIND, "set": "a value as name=value (several times)"}, iterable=["set"])
def add(c: Context, kind: str, set: list[str] | None = None) -> None:
    """Add one asset. Example: `inv assets.add vlans --set id=30 --set name=titipan`."""
    from sopauto.assets.importing import Row, asset_of

    values = dict(_pair(text) for text in set or [])
    asset = asset_of(Row(kind=kind, values=values, where="--set"))
    _write(c, [asset], replace=False)
    say(f"added {kind}: {' '.join(f'{name}={value}' for name, value in _flat(asset).items() if value)}")


@command(help={"kind": KIND, "asset": "its id; SWITCH/PORT for a port, UNIT/EMAIL for a contact"})
def remove(c: Context, kind: str, asset: str) -> None:
    """Remove an asset that nothing uses. Example: `inv assets.remove racks R2`."""
    with app(c).store.write() as writer:
        writer.assets.remove(kind, asset)
    say(f"removed {kind} {asset}")


@command(
    name="import",
    help={
        "file": "YAML with a list per kind, or CSV with a heading",
        "kind": "the kind of a CSV file (default: its name)",
        "dry-run": "check everything, write nothing",
    },
)
def import_(c: Context, file: str, kind: str = "", dry_run: bool = False) -> None:
    """Import assets; those that exist are changed. All faults are told at once, and then nothing is written."""
    from sopauto.assets.importing import read_assets

    assets = read_assets(Path(file), kind)
    _write(c, assets, replace=True, dry_run=dry_run)
    say(f"{len(assets)} assets {'are sound; nothing was written' if dry_run else 'imported'}")


@command(help={"rack": "the rack's id"})
def rack(c: Context, rack: str) -> None:
    """Draw a rack: what stands in which unit."""
    from sopauto.assets.drawing import draw_rack
    from sopauto.assets.room import read_estate

    with app(c).store.read() as reader:
        estate = read_estate(reader.assets)
    racks = {one.id: one for one in estate.racks}
    if rack not in racks:
        raise BadInput(f"there is no rack {rack!r}", mend=f"known: {', '.join(racks) or 'none'}")
    for line in draw_rack(estate, racks[rack]).splitlines():
        say(line)


@command(help={"height": "the server's height in rack units", "json": "print JSON"})
def room(c: Context, height: int = 1, json: bool = False) -> None:
    """Tell whether there is room for a server, and where. Reserves nothing."""
    from sopauto.assets.room import NoRoom, find_place, read_estate

    with app(c).store.read() as reader:
        place = find_place(read_estate(reader.assets), height=height)
    if isinstance(place, NoRoom):
        print_json({"room": False, "reasons": place.reasons}) if json else say(f"no room: {'; '.join(place.reasons)}")
    elif json:
        print_json({"room": True, "place": asdict(place)})
    else:
        top = place.bottom_unit + height - 1
        say(f"room: rack {place.rack} units {place.bottom_unit} to {top}, {place.switch} {place.port}, {place.address}")


def _of_kind(register: Register, kind: str) -> list[Any]:
    if kind == "contacts":
        return [contact for unit in register.units() for contact in register.contacts(unit.id)]
    if kind not in KINDS:
        raise BadInput(f"there is no kind {kind!r}", mend=f"use {KIND}")
    return list(getattr(register, kind)())


def _flat(asset: Any) -> dict[str, Any]:
    """Return an asset as one flat row."""
    row: dict[str, Any] = {}
    for name, value in asdict(asset).items():
        if name == "place":
            row |= {key: str(part) for key, part in (value or {}).items() if key != "height"}
        elif isinstance(value, frozenset | tuple):
            row[name] = ",".join(str(item) for item in sorted(value))
        else:
            row[name] = value if isinstance(value, int | None) else str(value)
    return row


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadInput(f"{text!r} is not name=value", where="--set", mend='write --set name="value"')
    return name.strip(), value


class _DryRun(Exception):
    """Ends the transaction without keeping it."""


def _write(c: Context, assets: list[Asset], *, replace: bool, dry_run: bool = False) -> None:
    from sopauto.assets.checking import refuse_misplaced, refuse_overlap
    from sopauto.assets.model import Pool, Server

    try:
        with app(c).store.write() as writer:
            for asset in assets:
                if isinstance(asset, Server):
                    refuse_misplaced(writer.assets, asset)
                    writer.assets.save_server(asset)
                    continue
                if isinstance(asset, Pool):
                    refuse_overlap(writer.assets, asset)
                (writer.assets.replace if replace else writer.assets.add)(asset)
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
