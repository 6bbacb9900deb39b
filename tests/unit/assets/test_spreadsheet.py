"""Tables of what an agency has today, also broken and hostile ones."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from sopauto.assets.importing import read_assets
from sopauto.assets.model import Server
from sopauto.errors import BadInput

HEADINGS = ["Nama Server", "OPD", "Merek", "Tipe", "No. Seri", "Tinggi (U)", "Rak", "Posisi U", "switch", "Port Switch"]
MORE = ["vlan", "pool", "Alamat IP"]
ROW = ["web-01", "dinkes", "Dell", "R650", "7XK2P93", 1, "R1", 7, "sw1", "Gi1/0/7", 30, "titipan", "10.20.30.40"]


def sheet(path: Path, *rows: list[Any]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def headings() -> list[str]:
    return [heading.replace(" (U)", " U") for heading in HEADINGS] + MORE


def test_servers_are_read_under_the_headings_of_the_agency(tmp_path: Path) -> None:
    (server,) = read_assets(sheet(tmp_path / "servers.xlsx", headings(), ROW, [None] * 13))
    assert isinstance(server, Server)
    assert server.place is not None
    assert (server.id, server.serial, server.place.bottom_unit) == ("web-01", "7XK2P93", 7)
    assert str(server.place.address) == "10.20.30.40"


def test_a_csv_may_have_the_same_headings(tmp_path: Path) -> None:
    path = tmp_path / "servers.csv"
    path.write_text(",".join(headings()) + "\n" + ",".join(map(str, ROW)) + "\n")
    (server,) = read_assets(path)
    assert isinstance(server, Server)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([headings(), [*ROW[:12], "no address"]], "servers.xlsx:2 address"),
        ([headings(), ["=HYPERLINK()", *ROW[1:]]], "servers.xlsx:2 id"),
        ([["", ""]], "no headings"),
        ([["rak", "Rak"]], "twice"),
        ([["Warna"], ["hitam"]], "unknown field 'Warna'"),
    ],
)
def test_faults_are_told_with_their_line(rows: list[list[Any]], told: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=told):
        read_assets(sheet(tmp_path / "servers.xlsx", *rows))


def test_a_file_that_is_no_spreadsheet_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "servers.xlsx"
    path.write_bytes(b"no zip")
    with pytest.raises(BadInput, match="is no XLSX"):
        read_assets(path)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("mimetype", "nothing")
    with pytest.raises(BadInput, match="no readable XLSX"):
        read_assets(path)


def test_a_file_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "servers.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/sharedStrings.xml", b"0" * 60_000_000)
    with pytest.raises(BadInput, match="50 MiB"):
        read_assets(path)
