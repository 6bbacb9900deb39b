"""Drift: what no ticket explains, also between two scans of one second; and that no pair is compared twice."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sopauto.inventory.comparing.difference import Change, Comparison, changes, compare
from sopauto.inventory.comparing.drift import drift
from tests.unit.inventory.placed import SERVER
from tests.unit.inventory.read_before import ReadBefore
from tests.unit.inventory.reading.test_snapshot import recorded

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def changed(**server: Any) -> dict[str, Any]:
    snapshot = copy.deepcopy(recorded("debian"))
    snapshot["server"].update(server)
    return snapshot


def heard(switch: str, port: str | None, *addresses: str) -> dict[str, Any]:
    """Return a snapshot of a server that hears this switch at this port, and has these addresses."""
    snapshot = copy.deepcopy(recorded("debian"))
    snapshot["network"]["neighbours"] = [{"interface": "eno1", "switch": switch, "port": port}]
    snapshot["network"]["interfaces"] = [
        {"name": "eno1", "mac": None, "state": "up", "mtu": 1500, "addresses": list(addresses)}
    ]
    return snapshot


def told(snapshot: dict[str, Any]) -> list[Change]:
    """Return the drift of a server that was read once."""
    read = ReadBefore()
    read.add("web-01", NOW, snapshot)
    return [change for one in drift(Comparison(read.history), [SERVER], [], {}, now=NOW) for change in one.changes]


def test_what_changed_between_two_scans_of_one_second_is_drift() -> None:
    read = ReadBefore()
    read.add("web-01", NOW, heard("sw1", "Gi1/0/7", "192.0.2.30/24"))
    read.add("web-01", NOW, changed(kernel="6.1.0-99-amd64"))
    (found,) = drift(Comparison(read.history), [SERVER], [], {}, now=NOW)
    assert ("perangkat", "kernel") in {(change.topic, change.item) for change in found.changes}


@pytest.mark.parametrize("port", ["Gi1/0/7", "GigabitEthernet1/0/7", "gi1/0/7 "])
@pytest.mark.parametrize("switch", ["sw1", "SW1", "sw1.contoh.go.id"])
def test_a_switch_port_is_the_same_however_the_switch_writes_it(switch: str, port: str) -> None:
    assert told(heard(switch, port, "192.0.2.30/24")) == []


@pytest.mark.parametrize(("switch", "port"), [("sw2", "Gi1/0/7"), ("sw1", "Gi1/0/8"), ("sw1", "Te1/0/7")])
def test_another_switch_or_another_port_is_drift(switch: str, port: str) -> None:
    (change,) = told(heard(switch, port, "192.0.2.30/24"))
    assert (change.item, change.before, change.after) == ("port switch", "sw1 Gi1/0/7", f"{switch} {port}")


def test_of_other_addresses_only_those_are_named_that_others_can_reach() -> None:
    own = ("127.0.0.1/8", "::1/128", "fe80::1/64")
    (change,) = told(heard("sw1", "Gi1/0/7", *own, "192.0.2.31/24", "2001:db8::1/64"))
    assert (change.item, change.after) == ("alamat IP", "192.0.2.31, 2001:db8::1")
    (change,) = told(heard("sw1", "Gi1/0/7", *own))
    assert change.after == "tidak ada"


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        ("nginx", "", False),
        ("", "nginx", False),
        ("nginx", "apache2", True),
        (None, "", True),
        ("", None, True),
        ("", "", False),
    ],
)
def test_who_holds_a_port_may_be_told_at_one_time_and_not_at_another(
    before: str | None, after: str | None, differs: bool
) -> None:
    fact = ("port", "tcp 80 pada *")
    old, new = ({} if held is None else {fact: held} for held in (before, after))
    assert bool(changes(old, new)) is differs


def test_no_pair_of_snapshots_is_compared_twice() -> None:
    read = ReadBefore()
    for at, kernel in ((NOW, "6.1.0-18-amd64"), (LATER, "6.1.0-99-amd64")):
        read.add("web-01", at, changed(kernel=kernel))
        read.add("web-02", at, changed(kernel=kernel))
    comparison = Comparison(read.history)
    first = list(compare(comparison, NOW, LATER))
    asked = len(read.asked)
    found = list(drift(comparison, [SERVER, replace(SERVER, id="web-02")], [], {}, now=LATER))
    assert [one.server for one in first] == [one.server for one in found] == ["web-01", "web-02"]
    assert len(read.asked) == asked + 1, "network and gaps of the newest snapshots, nothing to compare"
