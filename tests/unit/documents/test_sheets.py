"""Lists for spreadsheets: nothing in them is a formula, and they need no memory."""

from __future__ import annotations

import csv
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from sopauto.documents.cells import harmless
from sopauto.documents.sheets import write_csv, write_xlsx
from sopauto.errors import BadInput

HOSTILE = ["=1+1", "+62 811", "-2+3", "@SUM(A1)", "\t=1", "<b>&", "a\x1b[31m\nb", '"x",y']


@pytest.mark.parametrize("text", HOSTILE[:5])
def test_what_looks_like_a_formula_is_text(text: str) -> None:
    assert harmless(text) == "'" + text.strip()


def test_a_csv_file_holds_every_cell_as_one_line_of_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert write_csv(path, ["x"] * len(HOSTILE), [HOSTILE, [1, None, *HOSTILE[2:]]]) == 2
    rows = list(csv.reader(path.open(encoding="utf-8-sig")))
    assert rows[1] == ["'=1+1", "'+62 811", "'-2+3", "'@SUM(A1)", "'=1", "<b>&", "a\\x1b[31m b", '"x",y']
    assert len(rows) == 3


def test_an_xlsx_file_holds_text_only(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    assert write_xlsx(path, ["x"] * len(HOSTILE), [HOSTILE], title="Daftar") == 1
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert sheet.count('t="inlineStr"') == 2 * len(HOSTILE)
    assert "&lt;b&gt;&amp;" in sheet
    assert "\x1b" not in sheet


def test_a_file_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("before")

    def rows() -> object:
        yield ["x"]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_csv(path, ["x"], rows())  # type: ignore[arg-type]
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text() == "before"
    with pytest.raises(BadInput, match="cannot be written"):
        write_csv(tmp_path / "none" / "a.csv", ["x"], [])


@pytest.mark.parametrize("write", [write_csv, lambda *a: write_xlsx(*a, title="x")])
def test_ten_times_the_rows_need_no_more_memory(tmp_path: Path, write: object) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        write(tmp_path / "a", ["x"] * 12, ([f"{i} {n}" for n in range(12)] for i in range(count)))  # type: ignore[operator]
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(5000) < 1.5 * peak(500) + 200_000
