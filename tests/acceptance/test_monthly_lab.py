"""The inventory of three containers and this machine, by the real commands; one story in the tests' order."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from lab.guest import Guest
from lab.sshd import Sshd
from lab.workspace import public_half
from sopauto.cli.console import say
from tests.acceptance.office import Office, open_office
from tests.acceptance.test_monthly import JAKARTA, placed, text_of
from tests.conftest import need_or_skip

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

VIRTUAL = ("simpus-01", "web-01", "web-02")
HERE = "ruang-kontrol"
"""This machine's name in the room."""
ALONE = 'unshare --net sh -c "$SSH_ORIGINAL_COMMAND"'
"""In a network of its own: other tests open and close ports on this machine meanwhile."""
LET_ROOT_IN = "sudo install -d -m 700 /root/.ssh && sudo tee /root/.ssh/authorized_keys >/dev/null"
SERVICE = r"""
printf '[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n' \
    >/etc/systemd/system/antrean.service
systemctl enable --now antrean
"""
CHANGE = r"""
mkdir -p /root/ukur/DEBIAN
printf 'Package: ukur\nVersion: 1.2\nArchitecture: all\nMaintainer: A\nDescription: A\n' >/root/ukur/DEBIAN/control
dpkg-deb --build /root/ukur && dpkg --install /root/ukur.deb
useradd --uid 4711 --no-create-home --shell /bin/sh tamu
systemctl stop antrean
"""
CHANGED = [
    "paket ukur dipasang, versi 1.2",
    "layanan antrean berubah dari running menjadi dead",
    "pengguna tamu ditambahkan (UID 4711, /bin/sh)",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """An office whose room has three servers and this one."""

    office: Office
    guests: dict[str, Guest]

    def inv(self, *arguments: str) -> str:
        return self.office.inv(*arguments).stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.inv(*arguments, "--json"))

    def on(self, name: str, script: str) -> None:
        """Run a script on a server as root."""
        subprocess.run(self.guests[name].ssh("sudo", "sh", "-es"), input=script, text=True, check=True, timeout=120)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        need_or_skip(missing="root on Debian (containers)")
    home = tmp_path_factory.mktemp("room")
    with ExitStack() as stack:
        office = stack.enter_context(open_office(home))
        stem, port = office.server.host.rpartition(".")[0], office.server.port
        guests: dict[str, Guest] = {}
        for i, name in enumerate(VIRTUAL, 1):
            guest = Guest.up(home / f"vm{i}", name=name, host=f"{stem}.{10 + i}", port=port, contained=True, say=say)
            stack.callback(guest.down)
            subprocess.run(guest.ssh(LET_ROOT_IN), input=public_half(home / "login"), text=True, check=True, timeout=60)
            guests[name] = guest
        options = {"ForceCommand": ALONE, "AuthorizedKeysFile": str(home / "login.pub")}
        here = stack.enter_context(Sshd(host=f"{stem}.14", port=port, options=options))
        with office.workspace.app().store.write() as writer:
            for i, (name, server) in enumerate({**guests, HERE: here}.items(), 1):
                writer.assets.save_server(placed(name, server.host, i))
        login = "[credentials.inventory]\nuser = "
        office.settings_replace(f'{login}"{office.server.user}"', f'{login}"root"')
        made = Room(office=office, guests=guests)
        made.on("web-01", SERVICE)
        yield made


@pytest.fixture(scope="module")
def first_read(room: Room) -> datetime:
    """The moment after the first scan."""
    assert "4 of 4 servers read" in room.inv("inventory.scan", "--pin")
    return datetime.now(JAKARTA)


def test_all_of_them_are_read_and_their_host_keys_pinned(room: Room, first_read: datetime) -> None:
    assert first_read
    with room.office.workspace.app().store.read() as reader:
        assert {name: reader.pinned_host_key(name) for name in VIRTUAL} == {
            name: guest.host_key for name, guest in room.guests.items()
        }


def test_what_changed_on_one_is_told_and_nothing_else(room: Room, first_read: datetime) -> None:
    room.on("web-01", CHANGE)
    assert "4 of 4 servers read" in room.inv("inventory.scan")
    found = room.json("inventory.diff", moment(first_read), moment(datetime.now(JAKARTA)))
    told = {one["server"]: [change["words"] for change in one["changes"]] for one in found}
    assert told == {"web-01": CHANGED}


def moment(at: datetime) -> str:
    """Return a moment as a user types it."""
    return f"{at:%Y-%m-%dT%H:%M:%S}"


def test_the_month_is_reported_without_the_one_that_lost_its_power(room: Room) -> None:
    room.guests["web-02"].power_cut()
    told = room.inv("inventory.monthly")
    assert "scanned, reported and mailed" in told
    (unread,) = room.json("inventory.scans")["unread"]
    assert (unread["server"], unread["reason"]) == ("web-02", "refused")
    (message,) = room.office.mailbox.messages
    assert "Server terbaca: 3" in text_of(message)
    assert [carried.get_content_type() for carried in message.iter_attachments()] == ["application/pdf"]
