"""Writing the monthly recapitulation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sopauto.cli.console import print_json, say
from sopauto.errors import StepFailed

if TYPE_CHECKING:
    from sopauto.app import App


def write_report(here: App, month: str, folder: str, *, json: bool) -> None:
    """Write a month's recapitulation, or print it as JSON.

    Raises: BadInput (no month, a template does not work), StepFailed (it cannot be written).
    """
    from sopauto.inventory.reports.month import month_of

    first = month_of(month, here.clock.now().date())
    recap = here.recap(first)
    if json:
        print_json(recap)
        return
    for path in report_files(here, recap, Path(folder) / f"inventaris-{first:%Y-%m}"):
        say(str(path))


def report_files(here: App, recap: Mapping[str, Any], stem: Path) -> list[Path]:
    """Write a recapitulation as PDF, XLSX and HTML and return the files; raises as `write_report` does."""
    from sopauto.inventory.reports.papers import recap_page, recap_pdf, recap_sheet

    at = here.clock.now()
    contents = {
        ".pdf": recap_pdf(here.settings, recap, at),
        ".xlsx": recap_sheet(recap),
        ".html": recap_page(here.settings, recap, at).encode(),
    }
    paths = [stem.with_name(f"{stem.name}{suffix}") for suffix in contents]
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        for path, content in zip(paths, contents.values(), strict=True):
            path.write_bytes(content)
    except OSError as error:
        where = str(stem.parent)
        raise StepFailed(f"cannot be written ({error.strerror})", where=where, mend="check name and rights") from None
    return paths
