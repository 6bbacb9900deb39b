"""The monthly run: scan, report, mail; each month once, however often it is called, and from where it broke off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from sopauto.cli.console import print_json, say

if TYPE_CHECKING:
    from sopauto.app import App
    from sopauto.inventory.history import MonthRun

FOLDER = "laporan"
"""Of the workspace, where reports are kept."""


def run_month(here: App, *, json: bool) -> None:
    """Scan, report and mail the present month, unless that is done.

    Raises: BadInput (nobody gets the report, …), Conflict (another scan runs), StepFailed (interrupted).
    """
    from sopauto.cli.inventory_report import report_files
    from sopauto.cli.running import send_mail
    from sopauto.mail.monthly import addressees, letters

    today = here.clock.now().date()
    month = f"{today:%Y-%m}"
    to = addressees(here.settings, here.people, today)
    runs = {run.month: run for run in here.history.month_runs(2)}
    run = runs.pop(month, None)
    if run and run.reported_at:
        _tell(month, [], json=json)
        return
    _scan(here, run, month, json=json)
    recap = here.recap(today.replace(day=1))
    files = report_files(here, recap, here.settings.root / FOLDER / f"inventaris-{month}")
    missed = _missed(max(runs, default=None), today)
    mails = letters(here.settings, here.people, to, month=month, recap=recap, files=files, missed=missed)
    here.history.report_month(month, mails, here.clock.now())
    send_mail(here, json=json)
    _tell(month, files, json=json)


def _scan(here: App, run: MonthRun | None, month: str, *, json: bool) -> None:
    """Scan the room as the month's, go on with the month's scan, or leave it where it came to its end."""
    from sopauto.cli.scan_text import refuse_interrupted, showing

    if run and run.scan.ended_at:
        return
    with showing(quiet=json) as show:
        _, tally = here.scan(begun=run.scan if run else None, month=month, show=show)
    refuse_interrupted(tally, "inv inventory.monthly")


def _missed(last: str | None, today: date) -> Sequence[str]:
    """Return in words the months between the last run before this month (`2026-08`) and this month."""
    from sopauto.inventory.month import in_words

    if last is None:
        return []
    year, month = map(int, last.split("-"))
    numbers = range(year * 12 + month, today.year * 12 + today.month - 1)
    return [in_words(date(number // 12, number % 12 + 1, 1)) for number in numbers]


def _tell(month: str, files: Sequence[Path], *, json: bool) -> None:
    if json:
        print_json({"month": month, "done_now": bool(files), "files": [str(path) for path in files]})
        return
    for path in files:
        say(str(path))
    say(f"{month}: scanned, reported and mailed" if files else f"{month}: was reported already, nothing to do")
