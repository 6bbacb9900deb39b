"""From a template and values to subject and text, by jinja2. Values are data: markup inside one is not looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sopauto.data_file import read_bounded
from sopauto.errors import BadInput

SHIPPED: Final = Path(__file__).parent / "templates"
SUFFIX: Final = ".txt.j2"
REMINDER: Final = "pengingat"
ESCALATION: Final = "eskalasi"
REVIEW: Final = "review-menunggu"
MONTHLY: Final = "inventaris-bulanan"
ANCHOR: Final = "jangkar"
OVERDUE: Final = frozenset({REMINDER, ESCALATION, REVIEW, MONTHLY, ANCHOR})
"""The templates that belong to no row of an SOP."""


def named_in(folder: Path) -> frozenset[str]:
    """Return the names of the e-mail templates of a folder that an SOP may name."""
    return frozenset(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}")) - OVERDUE


MESSAGES: Final = named_in(SHIPPED)
"""The templates that are shipped; an agency's own, in `templates/mail/`, win."""


def render(template: str, values: Mapping[str, str], *, templates: Path) -> tuple[str, str]:
    """Return subject (the template's first line) and body.

    Raises: BadInput (no such template, or it does not work).
    """
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    path = _path(template, templates)
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)
    try:
        text = environment.from_string(read_bounded(path).decode()).render(values)
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"the template does not work ({reason})", where=str(path), mend="correct it") from None
    subject, _, body = text.partition("\n")
    if not subject.strip() or not body.strip():
        raise BadInput("a template needs a subject and a text", where=str(path), mend="the first line is the subject")
    return subject.strip(), body.strip() + "\n"


def _path(template: str, templates: Path) -> Path:
    for folder in (templates / "mail", SHIPPED):
        if template in named_in(folder) | OVERDUE:
            path = folder / f"{template}{SUFFIX}"
            if path.is_file():
                return path
    known = ", ".join(sorted(MESSAGES | named_in(templates / "mail")))
    raise BadInput(f"there is no e-mail template {template!r}", mend=f"known: {known}")
