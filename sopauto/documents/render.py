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
from sopauto.procedures.fields import one_line

SHIPPED: Final = Path(__file__).parent / "templates"
FOLDER: Final = "documents"
"""Of the agency's templates; what lies there (`kop.typ`, `FORM.typ`, a coat of arms) wins over the shipped."""


def pdf(form: str, data: Mapping[str, Any], *, templates: Path, at: datetime, shared: str = "") -> bytes:
    """Return a form as PDF. `at` is written into it as the moment of its making.

    `shared` names the shipped template of a form that has none of its own name.
    Raises: BadInput, when the template does not work.
    """
    import typst

    own = templates / FOLDER
    template = _template(form, shared, own)
    try:
        made: bytes = typst.compile(  # type: ignore[call-overload] # its stubs do not know of several sources
            _sources(template, own),
            root=str(own if own.is_dir() else SHIPPED),
            sys_inputs={"data": json.dumps(visible(data), ensure_ascii=False, sort_keys=True)},
            format="pdf",
            # Fonts and time of this machine would make different bytes elsewhere; the digest is signed.
            ignore_system_fonts=True,
            timestamp=int(at.timestamp()),
        )
    except typst.TypstError as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"the template does not work ({reason})", where=str(template), mend="correct it") from None
    return made


def visible(data: Any) -> Any:
    """Return a form's data with every character in it one that is seen: what steers a page is escaped, lines are one.

    The last place before paper: whoever fills a form need not think of it, in no field that is yet to come.
    """
    if isinstance(data, str):
        return data if data.isprintable() else one_line(data, len(data))
    if isinstance(data, Mapping):
        return {visible(name): visible(part) for name, part in data.items()}
    return [visible(part) for part in data] if isinstance(data, list | tuple) else data


def _sources(template: Path, own: Path) -> dict[str, bytes]:
    """Return the form's template, and the shipped ones that it may import where the agency has none of that name."""
    shipped = {name: content for name, content in _shipped().items() if not (own / name).is_file()}
    return {**shipped, "main": read_bounded(template)}


def _template(form: str, shared: str, own: Path) -> Path:
    """Return the agency's template of this form, or else its template for forms of this shape, or else the shipped."""
    names = [f"{name}.typ" for name in (form, shared) if name]
    return next((own / name for name in names if (own / name).is_file()), SHIPPED / names[-1])


@cache
def _shipped() -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in SHIPPED.glob("*.typ")}
