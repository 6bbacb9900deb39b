"""GLPI: held against the rules that it publishes."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft7Validator

from sopauto.inventory.exports.glpi import GLPI as EXPORT
from sopauto.inventory.exports.glpi import beside, document
from tests.unit.inventory.exports.suite import ExportSuite
from tests.unit.inventory.reading.test_snapshot import answer, recorded


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


class TestGlpi(ExportSuite):
    export = EXPORT


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
