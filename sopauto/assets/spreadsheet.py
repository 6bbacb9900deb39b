"""What an agency has today: the first sheet of an XLSX file, and the headings that people write there.

Bounded before anything is unpacked: a small file may hold gigabytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sopauto.data_file import read_bounded
from sopauto.errors import BadInput

MAX_UNPACKED: Final = 50 * 1024 * 1024
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 60

HEADINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "servers": {
        "nama server": "id",
        "nama host": "id",
        "hostname": "id",
        "opd": "unit",
        "unit": "unit",
        "unit kerja": "unit",
        "tiket": "ticket",
        "merek": "brand",
        "merk": "brand",
        "tipe": "model",
        "nomor seri": "serial",
        "no seri": "serial",
        "serial number": "serial",
        "tinggi u": "height",
        "spesifikasi": "features",
        "alamat mac": "mac",
        "mac address": "mac",
        "rak": "rack",
        "unit rak": "bottom_unit",
        "posisi u": "bottom_unit",
        "port switch": "port",
        "alamat ip": "address",
        "ip address": "address",
    },
    "units": {"kode": "id", "nama": "name", "nama opd": "name"},
    "racks": {"rak": "id", "lokasi": "location", "tinggi u": "height"},
}
"""Headings of an agency's own tables, and the fields that they mean; any other heading has to be the field's name."""


def fields_of(values: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return a row of a table by field, whatever its headings are called."""
    known = HEADINGS.get(kind, {})
    return {known.get(_plain(heading), heading.strip()): value for heading, value in values.items()}


def sheet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number and values by heading of the first sheet; empty lines are left out.

    Raises: BadInput (no XLSX, too large, no heading, a heading twice).
    """
    content = read_bounded(path)
    _refuse_bomb(content, path)
    headings: list[str] = []
    for line, cells in enumerate(_cells(content, path), 1):
        if line > MAX_ROWS:
            raise BadInput(f"more than {MAX_ROWS} rows", where=str(path), mend="split it")
        texts = ["" if cell is None else str(cell).strip() for cell in cells]
        if not headings:
            headings = _headings(texts, path, line)
        elif any(texts):
            yield line, {heading: text for heading, text in zip(headings, texts, strict=False) if heading}


def _cells(content: bytes, path: Path) -> Iterator[tuple[Any, ...]]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        yield from book.worksheets[0].iter_rows(values_only=True, max_col=MAX_COLUMNS)
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(f"is no readable XLSX ({type(error).__name__})", where=str(path), mend="save it again") from None


def _refuse_bomb(content: bytes, path: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
    except zipfile.BadZipFile:
        raise BadInput("is no XLSX", where=str(path), mend="save it as XLSX or CSV") from None
    if unpacked > MAX_UNPACKED:
        raise BadInput("unpacks to more than 50 MiB", where=str(path), mend="save the one sheet as CSV")


def _headings(texts: list[str], path: Path, line: int) -> list[str]:
    named = [text for text in texts if text]
    if not named or len({_plain(text) for text in named}) != len(named):
        what = "a heading stands twice" if named else "the first line has no headings"
        raise BadInput(what, where=f"{path}:{line}", mend="name each column once, in the first line")
    return texts


def _plain(heading: str) -> str:
    """Return a heading without what people write differently: `No. Seri`, `NO_SERI`, `no seri`."""
    return " ".join(heading.lower().replace("_", " ").replace(".", " ").split())
