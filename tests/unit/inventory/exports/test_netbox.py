"""NetBox: held against the fields of its import forms, and what it refused when it was tried."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from ipaddress import IPv4Address, ip_interface
from typing import Any

import pytest

from sopauto.assets.model import Server
from sopauto.inventory.exports.netbox import COLUMNS, rows, write
from sopauto.inventory.exports.netbox import NETBOX as EXPORT
from tests.unit.inventory.exports.suite import ExportSuite
from tests.unit.inventory.placed import RACK, SERVER
from tests.unit.inventory.reading.test_snapshot import answer, recorded

NETBOX = {
    "devices": {"name", "role", "tenant", "manufacturer", "device_type", "platform", "serial", "asset_tag", "status"}
    | {"site", "location", "rack", "position", "face", "cluster", "description", "comments", "tags", "owner"},
    "interfaces": {"device", "name", "label", "parent", "bridge", "lag", "type", "speed", "duplex", "enabled", "mtu"}
    | {"mark_connected", "wwn", "mgmt_only", "description", "mode", "vrf", "tags", "owner"},
    "mac-addresses": {"mac_address", "device", "virtual_machine", "interface", "is_primary", "description", "comments"}
    | {"tags", "owner"},
    "ip-addresses": {"address", "vrf", "tenant", "status", "role", "device", "virtual_machine", "interface"}
    | {"fhrp_group", "is_primary", "is_oob", "dns_name", "description", "comments", "tags", "owner"},
}
"""Fields of the import forms of NetBox 4.6.8 that could be written; any other column is refused."""
REQUIRED = {
    "devices": {"role", "manufacturer", "device_type", "status", "site"},
    "interfaces": {"device", "name", "type"},
    "mac-addresses": {"mac_address"},
    "ip-addresses": {"address", "status"},
}


class TestNetbox(ExportSuite):
    export = EXPORT


def read(content: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content)))


def test_netbox_knows_each_column_and_misses_none() -> None:
    for name, columns in COLUMNS.items():
        assert REQUIRED[name] <= set(columns) <= NETBOX[name]


def test_netbox_is_told_device_interfaces_and_addresses() -> None:
    files = {name: read(content) for name, content in write(rows(SERVER, RACK, recorded("debian"))).items()}
    (device,) = files["devices"]
    assert (device["site"], device["rack"], device["position"], device["role"]) == ("Ruang server", "R1", "7", "Server")
    assert device["serial"] == "'=7XK2P93", "no cell is a formula"
    assert {"mac_address": "B0:7B:25:00:00:01", "device": "web-01", "interface": "eno1", "is_primary": "true"} in files[
        "mac-addresses"
    ]
    addresses = {one["address"]: one["is_primary"] for one in files["ip-addresses"]}
    assert addresses["192.0.2.30/24"] == "true"
    assert not any(address.startswith(("127.", "fe80")) for address in addresses)


def exported(*servers: tuple[Server, dict[str, Any] | None]) -> dict[str, list[dict[str, str]]]:
    found = (row for server, snapshot in servers for row in rows(server, RACK, snapshot))
    return {name: read(content) for name, content in write(found).items()}


def placed(name: str, address: str) -> Server:
    assert SERVER.place is not None
    return replace(SERVER, id=name, place=replace(SERVER.place, address=IPv4Address(address)))


def held(interface: str, *addresses: str) -> list[str]:
    return [f"address\t2: {interface}    {'inet6' if ':' in one else 'inet'} {one} scope global" for one in addresses]


def refused_by_netbox(files: dict[str, list[dict[str, str]]]) -> list[str]:
    """Return what NetBox 4.6.8 refused when it was tried; one such line refuses the whole file."""
    faults = [f"{n}: no {f}" for n, lines in files.items() for line in lines for f in REQUIRED[n] if not line[f]]
    devices = {one["name"] for one in files["devices"]}
    interfaces = [(one["device"], one["name"]) for one in files["interfaces"]]
    hosts = [one["address"].partition("/")[0] for one in files["ip-addresses"]]
    faults += [f"serial {one['serial']}" for one in files["devices"] if len(one["serial"]) > 50]
    faults += ["interface twice"] if len(set(interfaces)) < len(interfaces) else []
    faults += ["address twice"] if len(set(hosts)) < len(hosts) else []
    for one in files["interfaces"]:
        bounded = len(one["name"]) <= 64 and (not one["mtu"] or 1 <= int(one["mtu"]) <= 65536)
        faults += [] if bounded and one["device"] in devices else [f"interface {one}"]
    for one in files["mac-addresses"] + files["ip-addresses"]:
        faults += [] if (one["device"], one["interface"]) in interfaces else [f"nowhere: {one}"]
    for one in files["mac-addresses"]:
        faults += [] if re.fullmatch("([0-9A-F]{2}:){5}[0-9A-F]{2}", one["mac_address"]) else [f"MAC {one}"]
    faults += [f"mask of {one['address']}" for one in files["ip-addresses"] if one["address"].endswith("/0")]
    return faults


@pytest.mark.parametrize("name", ["debian", "alpine", "rhel"])
def test_netbox_takes_what_is_written(name: str) -> None:
    files = exported((SERVER, recorded(name)))
    assert refused_by_netbox(files) == []
    assert [len(files[kind]) for kind in ("devices", "ip-addresses")] == [1, 1]


def test_netbox_has_no_place_for_the_hardware_address_of_infiniband() -> None:
    files = exported((SERVER, recorded("rhel")))
    assert [one["name"] for one in files["interfaces"]] == ["bond0", "ib0"]
    assert [one["interface"] for one in files["mac-addresses"]] == ["bond0"]


def test_no_server_can_make_netbox_refuse_the_others() -> None:
    hostile = answer(
        *(f"interface\t{name}\t52:54:00:00:00:01\tup\t1500" for name in ("x" * 65, "", "=x", "'=x", "eth0", "eth0")),
        *(f"interface\tmtu{mtu}\t\tup\t{mtu}" for mtu in (0, 65536, 65537, 999999999999999)),
        *held("=x", "192.0.2.40/24"),
        *held("eth0", "192.0.2.40/32", "192.0.2.41/0", "192.0.2.30/32"),
        *held("x" * 65, "192.0.2.42/24"),
    )
    files = exported((placed("evil", "192.0.2.29"), hostile), (SERVER, recorded("debian")))
    assert refused_by_netbox(files) == []
    assert [one["name"] for one in files["interfaces"]][:2] == ["'=x", "eth0"]
    assert [one["mtu"] for one in files["interfaces"]] == ["1500", "1500", "", "65536", "", "", "1500"]
    assert [(one["address"], one["device"]) for one in files["ip-addresses"]] == [
        ("192.0.2.40/24", "evil"),
        ("192.0.2.30/24", "web-01"),
    ]


def test_an_address_that_several_servers_have_by_themselves_is_none_of_theirs() -> None:
    bridge = ["interface\tdocker0\t02:42:00:00:00:01\tup\t1500", *held("docker0", "172.17.0.1/16")]
    own = ["interface\teth0\t52:54:00:00:00:01\tup\t1500"]
    first, second = (answer(*bridge, *own, *held("eth0", f"192.0.2.{i}/24")) for i in (61, 62))
    files = exported((placed("k-01", "192.0.2.61"), first), (placed("k-02", "192.0.2.62"), second))
    assert [one["address"] for one in files["ip-addresses"]] == ["192.0.2.61/24", "192.0.2.62/24"]
    alone = exported((placed("k-01", "192.0.2.61"), first))
    assert {one["address"] for one in alone["ip-addresses"]} == {"172.17.0.1/16", "192.0.2.61/24"}


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("10.0.0.0/24", False),
        ("10.0.0.255/24", False),
        ("10.0.0.0/31", True),
        ("10.0.0.255/32", True),
        ("2001:db8::/64", False),
        ("2001:db8::/127", True),
        ("2001:db8::ffff:ffff:ffff:ffff/64", True),
        ("10.0.0.5/0", False),
        ("169.254.1.2/24", False),
        ("127.0.0.1/8", False),
        ("::1/128", False),
        ("fe80::1/64", False),
        ("0.0.0.0/32", False),
        ("224.0.0.5/24", False),
    ],
)
def test_netbox_is_told_addresses_of_hosts_only(address: str, taken: bool) -> None:
    files = exported((SERVER, answer("interface\teth0\t\tup\t1500", *held("eth0", address))))
    assert [ip_interface(one["address"]) for one in files["ip-addresses"]] == [ip_interface(address)] * taken


def test_a_serial_number_that_netbox_has_no_room_for_stands_in_the_comments() -> None:
    (device,) = exported((replace(SERVER, serial="S" * 51), None))["devices"]
    assert (device["serial"], device["comments"]) == ("", f"sopauto: dinkes, PS-2026-0001, {'S' * 51}")


def test_a_server_that_was_never_read_is_a_device_without_interfaces() -> None:
    files = {name: read(content) for name, content in write(rows(SERVER, None, None)).items()}
    assert [len(found) for found in files.values()] == [1, 0, 0, 0]
