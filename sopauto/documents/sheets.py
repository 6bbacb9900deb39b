"""Lists for spreadsheets: CSV and XLSX, row by row in constant memory, and no cell ever a formula.

A file is written beside its place and then put there: who opens it sees all of it, or the one before.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from sopauto.documents.cells import harmless
from sopauto.documents.parts import shown
from sopauto.errors import BadInput

LONGEST: Final = 1000
WIDEST: Final = 40

Row = Sequence[object]


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write a CSV file (UTF-8 with mark, so that spreadsheets read it right); return how many rows it has.

    Raises: BadInput (the file cannot be written).
    """

    def write(file: Path) -> int:
        count = 0
        with file.open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(columns)
            for row in rows:
                writer.writerow([harmless(str(cell), LONGEST) for cell in row])
                count += 1
        return count

    return _placed(path, write)


def write_xlsx(path: Path, columns: Sequence[str], rows: Iterable[Row], *, title: str) -> int:
    """Write an XLSX file, all cells as text; return how many rows it has. Raises BadInput (not writable)."""
    import xlsxwriter

    def write(file: Path) -> int:
        book = xlsxwriter.Workbook(str(file), {"constant_memory": True})
        sheet = book.add_worksheet(title[:31])
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(columns):
            sheet.write_string(0, column, name, book.add_format({"bold": True}))
            sheet.set_column(column, column, min(max(len(name), 12), WIDEST))
        count = 0
        for count, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                sheet.write_string(count, column, shown(cell, LONGEST))
        book.close()
        return count

    return _placed(path, write)


def _placed(path: Path, write: Callable[[Path], int]) -> int:
    fresh = path.with_name(f".{path.name}.new")
    try:
        count = write(fresh)
        fresh.replace(path)
    except OSError as error:
        raise BadInput(f"cannot be written ({error.strerror})", where=str(path), mend="name another file") from None
    finally:
        fresh.unlink(missing_ok=True)
    return count
