"""From a form's data to PDF, by typst: same data, same bytes. Data is handed over as JSON, never as markup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sopauto.errors import BadInput

SHIPPED = Path(__file__).parent / "templates"
SHEET = "formulir.typ"
"""The sheet of every form that has no template of its own name."""


def pdf(form: str, data: Mapping[str, Any], *, templates: Path) -> bytes:
    """Return a form as PDF; an agency's own `FORM.typ` or `formulir.typ` wins over the shipped sheet.

    Raises: BadInput, when the template does not work.
    """
    import typst

    path = _template(form, templates)
    try:
        # A fixed time: the PDF's digest is signed, and its date stands on the sheet as data.
        made: bytes = typst.compile(
            path.read_bytes(),
            sys_inputs={"data": json.dumps(data, ensure_ascii=False, sort_keys=True)},
            format="pdf",
            timestamp=0,
            ignore_system_fonts=True,
        )
    except typst.TypstError as error:
        raise BadInput(f"the template does not work: {error}", where=str(path), mend="correct it") from None
    return made


def _template(form: str, templates: Path) -> Path:
    for path in (templates / "documents" / f"{form}.typ", templates / "documents" / SHEET):
        if path.is_file():
            return path
    return SHIPPED / SHEET
