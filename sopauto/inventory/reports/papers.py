"""The monthly recapitulation as PDF, XLSX and one self-contained HTML page.

What servers said stands in it: in the PDF as data of typst, in the page escaped and under a policy that lets nothing
run or load, in the sheet as text that is no formula (design rule 7).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sopauto.clock import moment_in_words
from sopauto.data_file import read_bounded
from sopauto.documents.cells import safe
from sopauto.documents.parts import letterhead, shown
from sopauto.documents.render import FOLDER, SHIPPED, pdf
from sopauto.errors import BadInput
from sopauto.settings import Settings

FORM: Final = "rekapitulasi-inventaris"
PAGE: Final = f"{FORM}.html.j2"
WIDEST: Final = 60
"""Characters of a column of the sheet."""
SHEET_NAME: Final = 31
"""Characters that a sheet's name may have."""
MOST_ROWS: Final = 1_000_000
"""A sheet holds 1,048,576."""


def recap_pdf(settings: Settings, recap: Mapping[str, Any], at: datetime) -> bytes:
    """Return the recapitulation as PDF; raises BadInput (the agency's template does not work)."""
    return pdf(FORM, _filled(settings, recap, at), templates=settings.templates, at=at)


def recap_page(settings: Settings, recap: Mapping[str, Any], at: datetime) -> str:
    """Return the recapitulation as an HTML page that needs nothing from outside; raises BadInput (template)."""
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    own = settings.templates / FOLDER / PAGE
    path = own if own.is_file() else SHIPPED / PAGE
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True, trim_blocks=True)
    try:
        page: str = environment.from_string(read_bounded(path).decode()).render(_filled(settings, recap, at))
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"the template does not work ({reason})", where=str(path), mend="correct it") from None
    return page


def recap_sheet(recap: Mapping[str, Any]) -> bytes:
    """Return the recapitulation as XLSX: a sheet with the summary, and one for each table, whole."""
    from xlsxwriter import Workbook

    content = io.BytesIO()
    book = Workbook(
        content, {"constant_memory": True, "in_memory": False, "strings_to_formulas": False, "strings_to_urls": False}
    )
    bold = book.add_format({"bold": True})
    summary = {"judul": "Ringkasan", "kolom": ["Hal", recap["bulan"]], "baris": recap["ringkasan"]}
    for table in (summary, *recap["tabel"]):
        _sheet(book, table, bold)
    book.close()
    return content.getvalue()


def _sheet(book: Any, table: Mapping[str, Any], bold: Any) -> None:
    sheet = book.add_worksheet(table["judul"][:SHEET_NAME])
    sheet.freeze_panes(1, 0)
    columns = list(zip(table["kolom"], *table["baris"][:1000], strict=True))
    for i, cells in enumerate(columns):
        sheet.set_column(i, i, min(WIDEST, max(len(str(cell)) for cell in cells) + 2))
    sheet.write_row(0, 0, table["kolom"], bold)
    for i, row in enumerate(table["baris"][:MOST_ROWS], 1):
        sheet.write_row(i, 0, [safe(cell) for cell in row])


def _filled(settings: Settings, recap: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Return the data of a template: all of it text, the bars in percent of a full one."""
    local = at.astimezone(settings.zone)
    return {
        "kop": letterhead(settings.agency),
        "judul": "Rekapitulasi Inventaris Server",
        "sebutan": "Bulan",
        "nomor": shown(recap["bulan"]),
        "keterangan": f"Dibuat pada {moment_in_words(local)} {local.tzname()}",
        "ringkasan": [[shown(name), shown(value)] for name, value in recap["ringkasan"]],
        "grafik": [
            {
                "judul": chart["judul"],
                "batang": [
                    [shown(label), min(100.0, round(value * 100 / chart["penuh"], 1)), shown(value)]
                    for label, value in chart["batang"]
                ],
            }
            for chart in recap["grafik"]
        ],
        "tabel": [
            {**table, "baris": [[shown(cell) for cell in row] for row in table["baris"]]} for table in recap["tabel"]
        ],
    }
