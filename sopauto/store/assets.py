"""The assets in the database. Fulfils `assets.register.Register`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Table, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from sopauto.assets.model import (
    Contact,
    Place,
    Pool,
    Rack,
    Server,
    ServerState,
    Switch,
    SwitchPort,
    Unit,
    Vlan,
    natural,
)
from sopauto.errors import BadInput, Conflict
from sopauto.store import tables_assets as tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

Asset = Unit | Contact | Rack | Switch | SwitchPort | Vlan | Pool

TABLES: Final[Mapping[type, Table]] = {
    Unit: tables.units,
    Contact: tables.contacts,
    Rack: tables.racks,
    Switch: tables.switches,
    SwitchPort: tables.ports,
    Vlan: tables.vlans,
    Pool: tables.pools,
}
KINDS: Final[Mapping[str, type]] = {
    "units": Unit,
    "contacts": Contact,
    "racks": Rack,
    "switches": Switch,
    "ports": SwitchPort,
    "vlans": Vlan,
    "pools": Pool,
}


class SqlRegister:
    """All assets, read and changed inside the transaction that it belongs to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def units(self) -> Sequence[Unit]:
        """Return the owners, by id."""
        return [Unit(**row) for row in self._all(tables.units)]

    def contacts(self, unit: str) -> Sequence[Contact]:
        """Return a unit's contact persons."""
        return [Contact(**row) for row in self._all(tables.contacts) if row["unit"] == unit]

    def racks(self) -> Sequence[Rack]:
        """Return the racks, by id."""
        return [
            Rack(**{**row, "blocked": frozenset(int(unit) for unit in row["blocked"].split(",") if unit)})
            for row in self._all(tables.racks)
        ]

    def switches(self) -> Sequence[Switch]:
        """Return the switches, by id."""
        return [Switch(**row) for row in self._all(tables.switches)]

    def ports(self) -> Sequence[SwitchPort]:
        """Return the ports for custody servers, by switch and natural order of their names."""
        taken = {(row["switch"], row["port"]): row["server"] for row in self._all(tables.places)}
        ports = [SwitchPort(**row, server=taken.get((row["switch"], row["name"]))) for row in self._all(tables.ports)]
        return sorted(ports, key=lambda port: (port.switch, natural(port.name)))

    def vlans(self) -> Sequence[Vlan]:
        """Return the VLANs, by number."""
        return [Vlan(**row) for row in self._all(tables.vlans)]

    def pools(self) -> Sequence[Pool]:
        """Return the address pools, by id."""
        return [
            Pool(
                id=row["id"],
                vlan=row["vlan"],
                network=IPv4Network(row["network"]),
                gateway=IPv4Address(row["gateway"]),
                first=IPv4Address(row["first"]),
                last=IPv4Address(row["last"]),
                dns=tuple(IPv4Address(address) for address in row["dns"].split(",") if address),
            )
            for row in self._all(tables.pools)
        ]

    def servers(self, state: ServerState | None = None) -> Sequence[Server]:
        """Return the servers, by id."""
        places = {row["server"]: row for row in self._all(tables.places)}
        return [
            _server(row, places.get(row["id"]))
            for row in self._all(tables.servers)
            if state is None or row["state"] == state.value
        ]

    def server(self, server_id: str) -> Server:
        """Return a server; raises BadInput (unknown id)."""
        row = self._one(tables.servers, id=server_id)
        if row is None:
            raise BadInput(f"there is no server {server_id!r}", mend="see `inv assets.list servers`")
        return _server(row, self._one(tables.places, server=server_id))

    def add(self, *assets: Asset) -> None:
        """Add assets; raises BadInput when one exists already or names something that does not."""
        for asset in assets:
            table, values = TABLES[type(asset)], _values(asset)
            if self._one(table, **_key(table, values)) is not None:
                raise BadInput(f"{_told(asset)} exists already", mend="choose another id")
            self._refuse_unknown(asset, table, values)
            self._connection.execute(insert(table).values(values))

    def replace(self, *assets: Asset) -> None:
        """Add assets or change those that exist; raises BadInput when one names something that does not exist."""
        for asset in assets:
            table, values = TABLES[type(asset)], _values(asset)
            self._refuse_unknown(asset, table, values)
            if self._one(table, **_key(table, values)) is None:
                self._connection.execute(insert(table).values(values))
            else:
                self._connection.execute(update(table).where(_where(table, _key(table, values))).values(values))

    def remove(self, kind: str, asset_id: str) -> None:
        """Remove an asset that nothing uses; raises BadInput."""
        if kind not in KINDS:
            raise BadInput(f"there is no kind {kind!r}", mend=f"use one of {', '.join(KINDS)}")
        table = TABLES[KINDS[kind]]
        names = [column.name for column in table.primary_key]
        parts = asset_id.split("/", len(names) - 1)
        key = {
            name: int(part) if part.isdigit() and kind == "vlans" else part
            for name, part in zip(names, parts, strict=False)
        }
        if len(parts) != len(names) or self._one(table, **key) is None:
            raise BadInput(f"there is no {kind} {asset_id!r}", mend=f"see `inv assets.list {kind}`")
        if kind == "ports" and self._one(tables.places, switch=key["switch"], port=key["name"]) is not None:
            raise BadInput(f"{kind} {asset_id} is in use", mend="return the server first")
        try:
            self._connection.execute(delete(table).where(_where(table, key)))
        except IntegrityError:
            raise BadInput(f"{kind} {asset_id} is in use", mend="remove first what uses it") from None

    def save_server(self, server: Server) -> None:
        """Add or change a server; its place takes the rack units, the port and the address.

        Raises Conflict when another server took one of them meanwhile.
        """
        values = asdict(server) | {"state": server.state.value}
        del values["place"]
        if self._one(tables.servers, id=server.id) is None:
            self._connection.execute(insert(tables.servers).values(values))
        else:
            self._connection.execute(update(tables.servers).where(tables.servers.c.id == server.id).values(values))
        self._free(server.id)
        if server.place is not None:
            self._take(server.id, server.place)

    def reserve(self, server: Server, place: Place) -> Server:
        """Give the place to the server (state RESERVED); raises Conflict when somebody else took it."""
        reserved = replace(server, state=ServerState.RESERVED, place=place)
        self.save_server(reserved)
        return reserved

    def release(self, server: Server) -> Server:
        """Free the server's rack units, port and address (state RETURNED)."""
        returned = replace(server, state=ServerState.RETURNED, place=None)
        self.save_server(returned)
        return returned

    def _free(self, server_id: str) -> None:
        for table in (tables.places, tables.place_units):
            self._connection.execute(delete(table).where(table.c.server == server_id))

    def _take(self, server_id: str, place: Place) -> None:
        self._refuse_taken(server_id, place)
        self._connection.execute(
            insert(tables.places).values({**asdict(place), "server": server_id, "address": str(place.address)})
        )
        for unit in range(place.bottom_unit, place.bottom_unit + place.height):
            self._connection.execute(insert(tables.place_units).values(rack=place.rack, unit=unit, server=server_id))

    def _refuse_taken(self, server_id: str, place: Place) -> None:
        """Tell by name what another server took; the unique keys would refuse it as well."""
        p, u = tables.places.c, tables.place_units.c
        same = or_(and_(p.switch == place.switch, p.port == place.port), p.address == str(place.address))
        top = place.bottom_unit + place.height - 1
        inside = and_(u.rack == place.rack, u.unit.between(place.bottom_unit, top))
        for other in (
            self._connection.scalar(select(p.server).where(same)),
            self._connection.scalar(select(u.server).where(inside)),
        ):
            if other is not None:
                raise Conflict(
                    f"{other} took the place of {server_id} meanwhile; nothing was written", mend="repeat the command"
                )

    def _refuse_unknown(self, asset: Asset, table: Table, values: Mapping[str, Any]) -> None:
        for column in table.columns:
            for foreign in column.foreign_keys:
                value = values[column.name]
                if value is not None and self._one(foreign.column.table, **{foreign.column.name: value}) is None:
                    raise BadInput(
                        f"{_told(asset)} names the {column.name} {value!r}, which does not exist", mend="add that first"
                    )

    def _all(self, table: Table) -> Sequence[Mapping[str, Any]]:
        rows = self._connection.execute(select(table).order_by(*table.primary_key)).mappings()
        return [dict(row) for row in rows]

    def _one(self, table: Table, **key: Any) -> Mapping[str, Any] | None:
        row = self._connection.execute(select(table).where(_where(table, key))).mappings().first()
        return None if row is None else dict(row)


def _where(table: Table, key: Mapping[str, Any]) -> Any:
    return and_(*(table.c[name] == value for name, value in key.items()))


def _key(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    return {column.name: values[column.name] for column in table.primary_key}


def _values(asset: Asset) -> dict[str, Any]:
    """Return an asset as a row of its table."""
    values = asdict(asset)
    if isinstance(asset, SwitchPort):
        del values["server"]  # what a server takes stands in `places`
    for name, value in values.items():
        if isinstance(value, IPv4Address | IPv4Network):
            values[name] = str(value)
        elif isinstance(value, frozenset):
            values[name] = ",".join(str(item) for item in sorted(value))
        elif isinstance(value, tuple):
            values[name] = ",".join(str(item) for item in value)
    return values


def _told(asset: Asset) -> str:
    if isinstance(asset, SwitchPort):
        return f"port {asset.switch}/{asset.name}"
    if isinstance(asset, Contact):
        return f"contact {asset.unit}/{asset.email}"
    return f"{type(asset).__name__.lower()} {asset.id}"


def _server(row: Mapping[str, Any], place: Mapping[str, Any] | None) -> Server:
    kept = None
    if place is not None:
        rest = {name: value for name, value in place.items() if name != "server"}
        kept = Place(**{**rest, "address": IPv4Address(place["address"])})
    return Server(**{**row, "state": ServerState(row["state"]), "place": kept})
