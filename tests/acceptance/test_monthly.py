"""The monthly inventory by the real commands: a scan of the room, history, drift, exports and reports."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from lab.loopback import LoopbackServer
from lab.workspace import public_half
from sopauto.assets.model import Place, Server, ServerState
from tests.acceptance.office import Office, open_office

NAMES = ("simpus-01", "web-01", "web-02")


@dataclass(slots=True, kw_only=True)
class Room:
    """An office with servers in its room, each at an address of its own on loopback."""

    office: Office
    servers: dict[str, LoopbackServer]

    def inv(self, *arguments: str, expect: int = 0) -> str:
        done = self.office.inv(*arguments, expect=expect)
        return done.stderr if expect else done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.inv(*arguments, "--json"))


def placed(name: str, address: str, unit: int) -> Server:
    return Server(
        id=name,
        unit="dinkes",
        ticket="-",
        brand="Dell",
        model="R650",
        serial=f"SN-{name}",
        height=1,
        state=ServerState.PLACED,
        place=Place(
            rack="R1",
            bottom_unit=unit,
            height=1,
            switch="sw1",
            port=f"GigabitEthernet1/0/{unit}",
            vlan=30,
            pool="titipan",
            address=IPv4Address(address),
        ),
    )


@contextmanager
def open_room(home: Path) -> Iterator[Room]:
    with ExitStack() as stack:
        office = stack.enter_context(open_office(home))
        authorized = public_half(home / "login")
        servers = {NAMES[0]: office.server}
        for i, name in enumerate(NAMES[1:], 1):
            further = LoopbackServer(authorized=authorized, host=f"127.0.31.{10 + i}", port=office.server.port)
            servers[name] = stack.enter_context(further)
        with office.workspace.app().store.write() as writer:
            for i, (name, server) in enumerate(servers.items(), 1):
                writer.assets.save_server(placed(name, server.host, i))
        office.edit(
            "sopauto.toml", lambda text: text + '\n[inventory]\nparallel = 4\nseconds = 50\nskip = ["updates"]\n'
        )
        yield Room(office=office, servers=servers)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path) as opened:
        yield opened


def test_a_scan_of_the_room(room: Room) -> None:
    assert "no server could be read" in room.inv("inventory.scan", expect=1)
    assert "no host key is pinned" in room.inv("inventory.scans")
    told = room.inv("inventory.scan", "--pin")
    assert "3 of 3 servers read" in told
    room.servers["web-01"].unplug()
    room.servers["web-02"].change_host_key()
    told = room.inv("inventory.scan")
    assert "1 of 3 servers read" in told
    assert "nothing listens there" in told
    assert "the host key changed" in told
    answer = room.json("inventory.scan", "--host", "simpus-01")
    assert (answer["wanted"], answer["read"], answer["unread"]) == (1, 1, [])
    assert [scan["wanted"] for scan in room.json("inventory.scans")["scans"]] == [1, 3, 3, 3]


def test_what_cannot_be_scanned_is_said_in_one_line(room: Room) -> None:
    assert "no server 'nobody'" in room.inv("inventory.scan", "--host", "nobody", expect=2)
    assert "no scan was broken off" in room.inv("inventory.scan", "--resume", expect=2)
    room.office.settings_replace("[credentials.inventory]", "[credentials.other]")
    assert "there is no login inventory" in room.inv("inventory.scan", expect=2)
    assert room.json("inventory.scans")["scans"] == []


def test_an_interrupted_scan_is_taken_up_where_it_was(room: Room) -> None:
    room.inv("inventory.scan", "--pin")
    hanging = room.servers["web-02"]
    hanging.delay = 30.0
    run = room.office.run_until("inventory.scan", as_="", told=["2 of 3 servers"])
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 1, errors
    assert "interrupted after 2 of 3 servers" in errors
    assert "broken off" in room.inv("inventory.scans")
    before = len(room.servers["web-01"].commands)
    hanging.delay = 0.0
    begun = time.monotonic()
    assert "1 of 1 servers read" in room.inv("inventory.scan", "--resume")
    assert time.monotonic() - begun < 25
    assert len(room.servers["web-01"].commands) == before
