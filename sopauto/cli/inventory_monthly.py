"""The monthly run: scan, report, mail; each month once, however often it is called, and from where it broke off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from sopauto.cli.console import print_json, say
from sopauto.errors import StepFailed

if TYPE_CHECKING:
    from sopauto.app import App
    from sopauto.inventory.kept.history import MonthRun
    from sopauto.people import Person

FOLDER = "laporan"
"""Of the workspace, where reports are kept."""
RECENT = 24
"""Monthly runs that are looked through for one that was not reported."""


def run_month(here: App, *, json: bool) -> None:
    """Scan, report and mail the present month, unless that is done; before it, months that broke off and are over.

    Raises: BadInput (nobody gets the report, …), Conflict (another scan runs), StepFailed (interrupted, no server could
    be read).
    """
    from sopauto.cli.running import send_mail
    from sopauto.inventory.reports.letter import addressees

    today = here.clock.now().astimezone(here.settings.zone).date()
    month = f"{today:%Y-%m}"
    to = addressees(here.settings, here.people, today)
    runs = {run.month: run for run in here.history.month_runs(RECENT)}
    run = runs.pop(month, None)
    if run and run.reported_at:
        _tell(month, [], "was reported already, nothing to do", json=json)
        return
    files = [path for old in sorted(runs) if not runs[old].reported_at for path in _report(here, to, old, [])]
    _scan(here, run, month, json=json)
    files += _report(here, to, month, _missed(max(runs, default=None), today))
    sent = send_mail(here, json=json)
    _tell(month, files, "scanned, reported and mailed" if sent else "scanned and reported; the mail waits", json=json)


def _report(here: App, to: Sequence[Person], month: str, missed: Sequence[str]) -> Sequence[Path]:
    """Write a month's report and put the letters about it into the outbox; return its files."""
    from sopauto.cli.inventory_report import report_files
    from sopauto.inventory.reports.letter import letters

    recap = here.recap(date.fromisoformat(f"{month}-01"))
    files = report_files(here, recap, here.settings.root / FOLDER / f"inventaris-{month}")
    mails = letters(here.settings, here.people, to, month=month, recap=recap, files=files, missed=missed)
    here.history.report_month(month, mails, here.clock.now())
    return files


def _scan(here: App, run: MonthRun | None, month: str, *, json: bool) -> None:
    """Scan the room as the month's, go on with the month's scan, or leave it where it came to its end.

    A month in which no server could be read stays open, and its next run asks them again.
    """
    from sopauto.cli.scan_text import refuse_interrupted, showing
    from sopauto.inventory.reports.month import nothing_read

    if run and run.scan.ended_at:
        if not nothing_read(here.history, run.scan):
            return
        here.history.reopen(run.scan.id)
    with showing(quiet=json) as show:
        scan, tally = here.scan(begun=run.scan if run else None, month=month, show=show)
    refuse_interrupted(tally, "inv inventory.monthly")
    if nothing_read(here.history, scan):
        mend = "see the reasons with `inv inventory.scans`, then `inv inventory.monthly`"
        raise StepFailed(f"no server could be read; {month} stays open", mend=mend)


def _missed(last: str | None, today: date) -> Sequence[str]:
    """Return in words the months between the last run before this month (`2026-08`) and this month."""
    from sopauto.inventory.reports.month import in_words

    if last is None:
        return []
    year, month = map(int, last.split("-"))
    numbers = range(year * 12 + month, today.year * 12 + today.month - 1)
    return [in_words(date(number // 12, number % 12 + 1, 1)) for number in numbers]


def _tell(month: str, files: Sequence[Path], what: str, *, json: bool) -> None:
    if json:
        print_json({"month": month, "done_now": bool(files), "files": [str(path) for path in files]})
        return
    for path in files:
        say(str(path))
    say(f"{month}: {what}")
