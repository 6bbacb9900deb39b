"""The monthly recapitulation: what is counted, and that three kinds of file carry it without being steered by it."""

from __future__ import annotations

import copy
import io
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from openpyxl import load_workbook

from sopauto.assets.model import Rack
from sopauto.errors import BadInput
from sopauto.inventory.comparing.difference import Change, ServerDifference
from sopauto.inventory.comparing.drift import Drift
from sopauto.inventory.kept.history import Reading
from sopauto.inventory.reports.month import in_words, moments, month_of
from sopauto.inventory.reports.papers import recap_page, recap_pdf, recap_sheet
from sopauto.inventory.reports.recap import REASONS, Bounds, Counting, Room, recap
from sopauto.inventory.reports.support import last_day, load_support
from sopauto.inventory.scanning.scan import REASONS as SCAN_REASONS
from sopauto.settings import Agency, Settings
from tests.unit.inventory.placed import RACK, SERVER
from tests.unit.inventory.reading.test_snapshot import recorded

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TODAY = NOW.date()
HOSTILE = '=cmd|"/C calc"!A0<script>alert(1)</script>#eval("x")'


def settings(root: Path) -> Settings:
    return Settings(root=root, agency=Agency(name="Dinas"), templates=root / "templates")


def counted(root: Path, *snapshots: dict[str, Any]) -> Counting:
    counting = Counting(today=TODAY, support=load_support(root), bounds=Bounds(full_at=80, warn_days=60))
    for i, snapshot in enumerate(snapshots, 1):
        counting.add(f"web-{i:02}", snapshot)
    return counting


def room(**more: Any) -> Room:
    nothing: dict[str, Any] = {
        "servers": [SERVER],
        "racks": [RACK],
        "read": 1,
        "by_form": 0,
        "unread": [],
        "differences": [],
        "drift": [],
    }
    return Room(**{**nothing, **more})


def made(root: Path, *snapshots: dict[str, Any], **more: Any) -> dict[str, Any]:
    return recap(counted(root, *(snapshots or (recorded("debian"),))), room(**more), month="November 2026")


def tables(found: dict[str, Any]) -> dict[str, list[list[Any]]]:
    return {table["judul"]: table["baris"] for table in found["tabel"]}


def test_what_needs_attention_is_listed(tmp_path: Path) -> None:
    old = recorded("rhel")
    old["server"]["os"] = {"name": "CentOS Linux", "version": "7 (Core)", "id": "centos"}
    found = tables(made(tmp_path, recorded("debian"), old))
    assert found["Disk yang hampir penuh"] == [["web-01", "/srv/data lama", "98.3 GiB", 94]]
    assert found["Disk dan larik yang rusak"] == [["web-01", "md0", "larik raid1 rusak"]]
    assert found["Sertifikat"] == [["web-01", "CN = web-01.contoh.go.id", "2026-11-21", 1]]
    assert found["Pembaruan keamanan tertunda"] == [["web-01", 1, "libssl3"]]
    assert found["Dukungan sistem operasi"] == [["web-02", "CentOS Linux 7", "2024-06-30", "sudah berakhir"]]
    assert found["Kapasitas rak"] == [["R1", 42, 1, 2]]


def test_failing_disks_and_arrays_are_listed_and_counted(tmp_path: Path) -> None:
    server = recorded("debian")
    server["server"]["disks"][1]["health"] = "FAILED!"
    server["server"]["arrays"].append({"name": "md1", "level": None, "healthy": False})
    found = made(tmp_path, server)
    assert tables(found)["Disk dan larik yang rusak"] == [
        ["web-01", "sda", "FAILED!"],
        ["web-01", "md0", "larik raid1 rusak"],
        ["web-01", "md1", "larik tidak berjalan"],
    ]
    assert ["Disk dan larik yang rusak", 3] in found["ringkasan"]


def test_charts_count_every_server(tmp_path: Path) -> None:
    charts = {
        chart["judul"]: chart["batang"] for chart in made(tmp_path, recorded("debian"), recorded("debian"))["grafik"]
    }
    assert charts["Sistem operasi"] == [["Debian GNU/Linux 12", 2]]
    assert charts["Umur perangkat (menurut tanggal firmware)"] == [["5 sampai 8 tahun", 2]]


def test_the_summary_tells_what_became_of_each_server(tmp_path: Path) -> None:
    change = Change(topic="paket", item="tor", before=None, after="0.4")
    found = made(
        tmp_path,
        unread=[
            Reading(server="a", taken_at=NOW, reason="timeout"),
            Reading(server="b", taken_at=NOW, reason="by-form"),
        ],
        by_form=4,
        differences=[
            ServerDifference(server="web-01", state="changed", before_at=NOW, after_at=NOW, changes=(change,)),
            ServerDifference(server="web-02", state="new", before_at=None, after_at=NOW),
        ],
        drift=[Drift(server="web-01", since=NOW, taken_at=NOW, changes=(change,))],
    )
    assert [value for _, value in found["ringkasan"]] == [1, 1, 2, 4, 1, 1, 1, 1, 1, 0]
    assert tables(found)["Perbedaan dari yang disetujui, tanpa tiket"] == [
        ["web-01", "paket", "paket tor dipasang, versi 0.4"]
    ]


def test_every_reason_has_its_words() -> None:
    assert REASONS.keys() == SCAN_REASONS.keys()


def hostile(root: Path) -> dict[str, Any]:
    snapshot = copy.deepcopy(recorded("debian"))
    snapshot["server"]["os"] = {"name": HOSTILE, "version": None, "id": "debian"}
    snapshot["server"]["certificates"][0]["subject"] = HOSTILE
    snapshot["server"]["filesystems"][1]["mount"] = HOSTILE
    return made(root, snapshot, unread=[Reading(server=HOSTILE, taken_at=NOW, reason="dns", detail=HOSTILE)])


def test_the_page_runs_nothing_and_loads_nothing(tmp_path: Path) -> None:
    page = recap_page(settings(tmp_path), hostile(tmp_path), NOW)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=|url\(|https?://", page)
    for drawing in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(drawing)


def test_the_sheet_holds_text_and_no_formula(tmp_path: Path) -> None:
    content = recap_sheet(hostile(tmp_path))
    book = load_workbook(io.BytesIO(content))
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert not any(cell.data_type == "f" for cell in cells)
    assert f"'{HOSTILE}" in {cell.value for cell in cells}
    assert book.sheetnames[0] == "Ringkasan"


def test_the_paper_is_the_same_for_the_same_month(tmp_path: Path) -> None:
    papers = {recap_pdf(settings(tmp_path), hostile(tmp_path), NOW) for _ in range(2)}
    assert len(papers) == 1
    assert next(iter(papers)).startswith(b"%PDF")


def test_an_empty_room_makes_a_report_too(tmp_path: Path) -> None:
    empty = recap(counted(tmp_path), room(servers=[], racks=[]), month="November 2026")
    assert recap_pdf(settings(tmp_path), empty, NOW).startswith(b"%PDF")
    assert "Rekapitulasi" in recap_page(settings(tmp_path), empty, NOW)
    assert recap_sheet(empty)
    json.dumps(empty)


def test_a_template_of_the_agency_that_does_not_work_is_named(tmp_path: Path) -> None:
    own = tmp_path / "templates" / "documents" / "rekapitulasi-inventaris.html.j2"
    own.parent.mkdir(parents=True)
    own.write_text("{{ tidak_ada }}")
    with pytest.raises(BadInput, match=r"rekapitulasi-inventaris\.html\.j2"):
        recap_page(settings(tmp_path), made(tmp_path), NOW)


@pytest.mark.parametrize(
    ("system", "day"),
    [
        ({"id": "debian", "version": "12 (bookworm)"}, date(2028, 6, 30)),
        ({"id": "debian", "version": "1"}, None),
        ({"id": "alpine", "version": "3.20.1"}, date(2026, 4, 1)),
        ({"id": "amzn", "version": "2"}, date(2026, 6, 30)),
        ({"id": "amzn", "version": "2023"}, date(2029, 6, 30)),
        ({"id": "sles", "version": "15-SP7"}, date(2031, 7, 31)),
        ({"id": "ubuntu", "version": "22.04.5 LTS (Jammy Jellyfish)"}, date(2027, 6, 1)),
        ({"id": None, "version": None}, None),
    ],
)
def test_the_end_of_support_is_looked_up(system: dict[str, Any], day: date | None, tmp_path: Path) -> None:
    assert last_day(load_support(tmp_path), system) == day


def test_the_agency_may_correct_an_end_of_support(tmp_path: Path) -> None:
    own = tmp_path / "end_of_life.yaml"
    own.write_text('debian:\n  "12": "2030-01-01"\n')
    assert last_day(load_support(tmp_path), {"id": "debian", "version": "12"}) == date(2030, 1, 1)
    own.write_text('debian:\n  "12": besok\n')
    with pytest.raises(BadInput, match=r"end_of_life\.yaml:2"):
        load_support(tmp_path)


def test_months() -> None:
    assert month_of("", TODAY) == month_of("2026-11", TODAY) == date(2026, 11, 1)
    assert in_words(date(2026, 2, 1)) == "Februari 2026"
    before, end = moments(date(2026, 2, 1), UTC)
    assert (before.date(), end.date()) == (date(2026, 1, 31), date(2026, 2, 28))
    for text, told in (("2026-13", "is no month"), ("2027-01", "is yet to come"), ("kini", "is no month")):
        with pytest.raises(BadInput, match=told):
            month_of(text, TODAY)


def test_a_full_rack_is_full() -> None:
    crowded = Rack(id="R1", location="", height=2, blocked=frozenset({1, 2}))
    found = recap(
        Counting(today=TODAY, support={}, bounds=Bounds(full_at=80, warn_days=60)), room(racks=[crowded]), month=""
    )
    assert tables(found)["Kapasitas rak"] == [["R1", 0, 1, 100]]
