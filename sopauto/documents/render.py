"""From a form's data to PDF, by typst: same data, same bytes. Data is handed over as JSON, never as markup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from sopauto.data_file import read_bounded
from sopauto.errors import BadInput

SHIPPED: Final = Path(__file__).parent / "templates"
FOLDER: Final = "documents"
"""Of the agency's templates; what lies there (`kop.typ`, `FORM.typ`, a coat of arms) wins over the shipped."""


def pdf(form: str, data: Mapping[str, Any], *, templates: Path, at: datetime) -> bytes:
    """Return a form as PDF. `at` is written into it as the moment of its making.

    Raises: BadInput, when the template does not work.
    """
    import typst

    own = templates / FOLDER
    try:
        made: bytes = typst.compile(  # type: ignore[call-overload] # its stubs do not know of several sources
            _sources(form, own),
            root=str(own if own.is_dir() else SHIPPED),
            sys_inputs={"data": json.dumps(data, ensure_ascii=False, sort_keys=True)},
            format="pdf",
            # Fonts and time of this machine would make different bytes elsewhere; the digest is signed.
            ignore_system_fonts=True,
            timestamp=int(at.timestamp()),
        )
    except typst.TypstError as error:
        reason = " ".join(str(error).split())
        raise BadInput(
            f"the template does not work ({reason})", where=str(_own_or_shipped(form, own)), mend="correct it"
        ) from None
    return made


def _sources(form: str, own: Path) -> dict[str, bytes]:
    """Return the form's template, and the shipped ones that it may import where the agency has none of that name."""
    shipped = {name: content for name, content in _shipped().items() if not (own / name).is_file()}
    return {**shipped, "main": read_bounded(_own_or_shipped(form, own))}


def _own_or_shipped(form: str, own: Path) -> Path:
    name = f"{form}.typ"
    return own / name if (own / name).is_file() else SHIPPED / name


@cache
def _shipped() -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in SHIPPED.glob("*.typ")}
