"""The letter about the month's inventory (SOP 001, konfigurasi.7): a summary, and where the whole report is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from sopauto.errors import BadInput
from sopauto.mail.messages import closing
from sopauto.mail.rendering import MONTHLY, render
from sopauto.people import People, Person
from sopauto.procedures.fields import one_line
from sopauto.settings import Settings
from sopauto.tickets.storage import Mail
from sopauto.work import Artifact

LARGEST: Final = 8 << 20
"""Bytes of an attachment: many mail servers take 10 MiB, and its encoding adds a third."""


def addressees(settings: Settings, people: People, on: date) -> Sequence[Person]:
    """Return who gets the report; raises BadInput when nobody holds that position."""
    position = settings.inventory.report_to
    people.position(position)
    found = people.holders(position, on)
    if not found:
        raise BadInput(f"nobody holds {position} on {on.isoformat()}", mend="see `report_to` of [inventory]")
    return found


def letters(
    settings: Settings,
    people: People,
    to: Iterable[Person],
    *,
    month: str,
    recap: Mapping[str, Any],
    files: Sequence[Path],
    missed: Iterable[str],
) -> list[Mail]:
    """Return the letters about a month (`2026-11`), each with the PDF among the files; `missed` are months in words.

    Raises: BadInput (the template).
    """
    subject = f"inventaris-{month}"
    attached = _paper(files)
    values = {
        "bulan": one_line(recap["bulan"]),
        "penerima": one_line(people.position(settings.inventory.report_to).title),
        "ringkasan": "\n".join(one_line(f"{name}: {value}") for name, value in recap["ringkasan"]),
        "terlewat": one_line(", ".join(missed)),
        "terlampir": one_line(attached.name) if attached else "",
        "berkas": "\n".join(one_line(str(path)) for path in files),
        "penutup": closing(settings, subject),
    }
    subject_line, body = render(MONTHLY, values, templates=settings.templates)
    return [Mail(ticket=subject, to=person.email, subject=subject_line, body=body, attached=attached) for person in to]


def _paper(files: Iterable[Path]) -> Artifact | None:
    """Return the PDF among the files; None where it is larger than a mail server takes."""
    path = next(path for path in files if path.suffix == ".pdf")
    content = path.read_bytes()
    return Artifact(name=path.name, media_type="application/pdf", content=content) if len(content) <= LARGEST else None
