"""What is counted of a month: each rack its own units, each machine by its age."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from sopauto.assets.model import Rack, Server
from sopauto.inventory.reports.recap import Bounds, Counting, Room, recap
from sopauto.inventory.reports.support import load_support
from tests.unit.inventory.placed import RACK, SERVER
from tests.unit.inventory.reading.test_snapshot import recorded

TODAY = date(2026, 11, 20)


def standing(name: str, rack: str, height: int) -> Server:
    assert SERVER.place is not None
    return replace(SERVER, id=name, height=height, place=replace(SERVER.place, rack=rack, height=height))


def made(root: Path, *snapshots: dict[str, Any], **more: Any) -> dict[str, Any]:
    counting = Counting(today=TODAY, support=load_support(root), bounds=Bounds(full_at=80, warn_days=60))
    for i, snapshot in enumerate(snapshots, 1):
        counting.add(f"web-{i:02}", snapshot)
    nothing: dict[str, Any] = {"read": 0, "by_form": 0, "unread": [], "differences": [], "drift": []}
    return recap(counting, Room(**{"servers": [], "racks": [], **nothing, **more}), month="November 2026")


def chart(found: dict[str, Any], title: str) -> list[list[Any]]:
    return next(one["batang"] for one in found["grafik"] if one["judul"].startswith(title))


def test_each_rack_counts_its_own_units_only(tmp_path: Path) -> None:
    servers = [standing("a", "R1", 2), standing("b", "R2", 4), standing("c", "R2", 1), replace(SERVER, place=None)]
    r2 = Rack(id="R2", location="Ruang server", height=12, blocked=(1, 2))
    racks = [RACK, r2, Rack(id="R3", location="", height=42)]
    found = made(tmp_path, servers=servers, racks=racks)
    rows = next(table["baris"] for table in found["tabel"] if table["judul"] == "Kapasitas rak")
    assert rows == [["R1", 42, 2, 4], ["R2", 10, 5, 50], ["R3", 42, 0, 0]]
    assert chart(found, "Kapasitas rak") == [["R1", 4], ["R2", 50], ["R3", 0]]


def test_a_rack_of_which_every_unit_is_blocked_is_full(tmp_path: Path) -> None:
    found = made(tmp_path, racks=[Rack(id="R1", location="", height=2, blocked=(1, 2))])
    assert chart(found, "Kapasitas rak") == [["R1", 100]]


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (0, "kurang dari 3 tahun"),
        (1095, "kurang dari 3 tahun"),
        (1096, "3 sampai 5 tahun"),
        (1826, "3 sampai 5 tahun"),
        (1827, "5 sampai 8 tahun"),
        (2921, "5 sampai 8 tahun"),
        (2922, "lebih dari 8 tahun"),
        (None, "tidak diketahui"),
    ],
)
def test_a_machine_is_as_old_as_its_firmware(tmp_path: Path, days: int | None, age: str) -> None:
    snapshot = recorded("debian")
    snapshot["server"]["bios_date"] = None if days is None else (TODAY - timedelta(days=days)).isoformat()
    assert chart(made(tmp_path, snapshot), "Umur perangkat") == [[age, 1]]


def test_ages_stand_from_the_youngest_to_the_oldest_and_what_is_not_known_last(tmp_path: Path) -> None:
    snapshots = []
    for days in (None, 4000, 2000, 1500, 10, 20):
        snapshots.append(snapshot := recorded("debian"))
        snapshot["server"]["bios_date"] = None if days is None else (TODAY - timedelta(days=days)).isoformat()
    assert chart(made(tmp_path, *snapshots), "Umur perangkat") == [
        ["kurang dari 3 tahun", 2],
        ["3 sampai 5 tahun", 1],
        ["5 sampai 8 tahun", 1],
        ["lebih dari 8 tahun", 1],
        ["tidak diketahui", 1],
    ]
