"""What other systems are given: held against the rules that they publish."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from jsonschema import Draft7Validator

from sopauto.assets.model import Rack
from sopauto.inventory.cells import safe
from sopauto.inventory.export_glpi import beside, document
from sopauto.inventory.export_hosts import ansible, prometheus
from sopauto.inventory.export_netbox import COLUMNS, rows, write
from tests.unit.inventory.placed import SERVER
from tests.unit.inventory.test_snapshot import answer, recorded

RACK = Rack(id="R1", location="Ruang server", height=42)


def text(pattern: str = "") -> dict[str, Any]:
    return {"type": "string", **({"pattern": pattern} if pattern else {})}


def closed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


NUMBER = {"type": "integer"}
ARCH = "^(mips|mips64|alpha|sparc|sparc64|m68k|i386|x86_64|powerpc|powerpc64|arm.*|aarch64)$"
TYPE = "^(ethernet|wifi|infiniband|aggregate|alias|dialup|loopback|bridge|fibrechannel|bluetooth)$"
GLPI = closed(
    ("content", "deviceid"),
    deviceid=text(),
    itemtype=text("^(Computer|Phone|NetworkEquipment|Printer)$"),
    action=text("^(injector|inventory|netdiscovery|netinventory|.*)$"),
    content=closed(
        ("versionclient",),
        versionclient=text(),
        accesslog=closed(("logdate",), logdate=text("^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$")),
        bios=closed(smanufacturer=text(), smodel=text(), ssn=text(), bdate=text("^[0-9]{4}-[0-9]{2}-[0-9]{2}$")),
        hardware=closed(
            name=text(),
            chassis_type=text(),
            memory=NUMBER,
            defaultgateway=text(),
            dns=text(),
            vmsystem=text(),
        ),
        operatingsystem=closed(
            name=text(),
            version=text(),
            full_name=text(),
            kernel_name=text(),
            kernel_version=text(),
            arch=text(),
            fqdn=text(),
        ),
        cpus=many(closed(name=text(), core=NUMBER, thread=NUMBER, arch=text(ARCH))),
        memories=many(
            closed(
                numslots=NUMBER,
                caption=text(),
                capacity=NUMBER,
                type=text(),
                manufacturer=text(),
                model=text(),
                serialnumber=text(),
            )
        ),
        storages=many(closed(name=text(), model=text(), serial=text(), type=text(), disksize=NUMBER)),
        drives=many(closed(type=text(), volumn=text(), filesystem=text(), total=NUMBER, free=NUMBER)),
        networks=many(
            closed(
                ("description", "status"),
                description=text(),
                status=text("^(up|down)$"),
                mac=text(),
                mtu=NUMBER,
                type=text(TYPE),
                virtualdev={"type": "boolean"},
                ipaddress=text(),
                ipaddress6=text(),
                ipmask=text(),
                ipsubnet=text(),
                ipgateway=text(),
            )
        ),
        softwares=many(closed(("name",), name=text(), version=text())),
        local_users=many(closed(("id",), id=text(), login=text(), name=text(), shell=text())),
    ),
)
"""The rules of GLPI's inventory.schema.json for the fields that are written; any other field is refused."""

NETBOX = {
    "devices": {"name", "role", "tenant", "manufacturer", "device_type", "platform", "serial", "asset_tag", "status"}
    | {"site", "location", "rack", "position", "face", "cluster", "description", "comments", "tags"},
    "interfaces": {"device", "name", "label", "parent", "bridge", "lag", "type", "speed", "duplex", "enabled", "mtu"}
    | {"mark_connected", "wwn", "mgmt_only", "description", "mode", "vrf", "tags"},
    "mac-addresses": {"mac_address", "device", "virtual_machine", "interface", "is_primary", "description", "comments"},
    "ip-addresses": {"address", "vrf", "tenant", "status", "role", "device", "virtual_machine", "interface"}
    | {"fhrp_group", "is_primary", "is_oob", "dns_name", "description", "comments", "tags"},
}
"""The fields of NetBox's import forms (DeviceImportForm and its kin)."""
REQUIRED = {
    "devices": {"name", "role", "manufacturer", "device_type", "status", "site"},
    "interfaces": {"device", "name", "type"},
    "mac-addresses": {"mac_address"},
    "ip-addresses": {"address", "status"},
}


@pytest.mark.parametrize("name", ["debian", "alpine", "rhel"])
def test_glpi_takes_what_is_written(name: str) -> None:
    assert list(Draft7Validator(GLPI).iter_errors(document("web-01", recorded(name)))) == []


def test_glpi_takes_also_what_a_server_says_next_to_nothing_of() -> None:
    assert list(Draft7Validator(GLPI).iter_errors(document("web-01", answer("interface\tx\t\t\t")))) == []


def test_glpi_knows_the_server_again_next_month() -> None:
    assert document("web-01", recorded("debian"))["deviceid"] == "sopauto-web-01"


def test_glpi_is_told_what_the_server_has() -> None:
    content = document("web-01", recorded("debian"))["content"]
    assert content["bios"]["bdate"] == recorded("debian")["server"]["bios_date"]
    assert content["hardware"]["memory"] == 63999
    assert [(one["core"], one["thread"]) for one in content["cpus"]] == [(2, 2), (2, 2)]
    assert content["memories"][0]["capacity"] == 32768
    first = content["networks"][0]
    assert (first["ipaddress"], first["ipmask"], first["ipsubnet"]) == ("192.0.2.30", "255.255.255.0", "192.0.2.0")
    assert {"name": "nginx", "version": "1.22.1-9+deb12u1"} in content["softwares"]
    assert beside("web-01", recorded("debian"))["listening_ports"]


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


def test_a_server_that_was_never_read_is_a_device_without_interfaces() -> None:
    files = {name: read(content) for name, content in write(rows(SERVER, None, None)).items()}
    assert [len(found) for found in files.values()] == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+62", "'+62"),
        ("-", "'-"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        (-5, -5),
        (None, ""),
        ("a=b", "a=b"),
    ],
)
def test_no_cell_is_a_formula(value: object, cell: object) -> None:
    assert safe(value) == cell


def test_prometheus_is_told_where_servers_answer() -> None:
    (target,) = prometheus([SERVER], port=9100)
    assert target["targets"] == ["192.0.2.30:9100"]
    assert target["labels"] == {"server": "web-01", "unit": "dinkes", "rack": "R1", "ticket": "PS-2026-0001"}


def test_ansible_is_told_groups_and_addresses() -> None:
    told = ansible([SERVER], port=22, user="inventaris")
    assert told["all"]["children"] == ["unit_dinkes", "rack_R1", "vlan_30"]
    assert told["_meta"]["hostvars"]["web-01"]["ansible_host"] == "192.0.2.30"
