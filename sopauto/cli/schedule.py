"""Timers: what has to be repeated without anybody typing it, by systemd or cron."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sopauto.cli.console import Context, app, command, hint, print_json, say, table
from sopauto.errors import BadInput, StepFailed

if TYPE_CHECKING:
    from sopauto.app import App
    from sopauto.schedule import Place

SECONDS = 30
OLD = "out of date"
LOCALTIME = Path("/etc/localtime")
"""What the machine's clock shows: cron reads it, and no variable of whoever installs."""
HELP = {
    "cron": "crontab lines instead of systemd units",
    "directory": "where the units go (default: /etc/systemd/system as root, else ~/.config/systemd/user)",
    "as": "the operator in whose name due reviews are opened (without one: they are opened by hand)",
    "key": "that operator's private key file, without passphrase",
    "json": "print JSON",
}


@command(help={**HELP, "dry-run": "print what would be written, and write nothing"})
def install(
    c: Context, cron: bool = False, directory: str = "", as_: str = "", key: str = "", dry_run: bool = False
) -> None:
    """Install timers: expiry, reviews, reminders, inventory, mail. Again, it brings them up to date."""
    here = app(c)
    place = _place(here, as_, key, cron=cron)
    if cron:
        _install_cron(place, dry_run=dry_run)
        if place.ahead:
            say(f"  cron runs in the machine's zone: the times of {place.zone} were moved by {place.ahead} minutes")
            hint("  type: inv schedule.install --cron  again when one of the two zones sets its clocks (summer time)")
    else:
        _install_units(place, _directory(directory), dry_run=dry_run, live=not directory)
    if not place.key:
        hint("  not installed: access-review (it signs): add --as OPERATOR --key FILE, or type `inv access.review`")


@command(help={name: HELP[name] for name in ("cron", "directory", "json")})
def status(c: Context, cron: bool = False, directory: str = "", json: bool = False) -> None:
    """Tell which timers are installed, and when they run next. Exit code 1 when one is missing."""
    from sopauto.app import jobs
    from sopauto.schedule import calendar, moved

    here = app(c)
    zone, ahead = here.settings.time_zone, _ahead(here) if cron else 0
    found = _cron_jobs(ahead) if cron else _unit_jobs(_directory(directory), zone)
    rows = [
        {
            "job": job.name,
            "command": job.command,
            "when": "; ".join(moved(job.cron, ahead)) if cron else calendar(job, zone),
            "installed": found.get(job.name, "") not in {"", OLD},
            "next": found.get(job.name, ""),
        }
        for job in jobs()
    ]
    if json:
        print_json(rows)
    else:
        table(list(rows[0]), [["yes" if v is True else "NO" if v is False else v for v in r.values()] for r in rows])
    missing = [f"{row['job']}{f' ({OLD})' if row['next'] == OLD else ''}" for row in rows if not row["installed"]]
    if missing:
        raise StepFailed(f"not installed: {', '.join(missing)}", mend="type `inv schedule.install`")


def _place(here: App, person: str, key: str, *, cron: bool) -> Place:
    from sopauto.schedule import Place

    if bool(person) is not bool(key):
        raise BadInput("an operator and a key belong together", where="--as", mend="give both, or none")
    if person:
        here.people.person(person)
        if not Path(key).is_file():
            raise BadInput("there is no such key", where=key, mend="name the private key file")
    home = here.settings.root.resolve()
    program = Path(sys.executable).parent / "sopauto"
    return Place(
        program=program,
        home=home,
        zone=here.settings.time_zone,
        ahead=_ahead(here) if cron else 0,
        user="" if cron or os.geteuid() != 0 else home.owner(),
        person=person,
        key=Path(key).resolve() if key else None,
    )


def _directory(text: str) -> Path:
    if text:
        return Path(text)
    return Path("/etc/systemd/system") if os.geteuid() == 0 else Path.home() / ".config" / "systemd" / "user"


def _install_units(place: Place, directory: Path, *, dry_run: bool, live: bool) -> None:
    from sopauto.app import jobs
    from sopauto.schedule import units

    files = units(jobs(), place)
    if dry_run:
        for name, text in files.items():
            say(f"# {directory / name}")
            for line in text.splitlines():
                say(line)
        return
    _write_units(files, directory)
    say(f"wrote {len(files)} units to {directory}")
    timers = [name for name in files if name.endswith(".timer")]
    for arguments in (["daemon-reload"], ["enable", "--now", *timers]):
        if live and _systemd_runs():
            _run(_systemctl(*arguments))
        else:
            say(f"  type: {' '.join(_systemctl(*arguments))}")
    hint("  type: inv schedule.status")


def _write_units(files: Mapping[str, str], directory: Path) -> None:
    """Write the units, and take away those of jobs that there are no more."""
    from sopauto.schedule import PREFIX

    try:
        directory.mkdir(parents=True, exist_ok=True)
        for stale in directory.glob(f"{PREFIX}*"):
            if stale.name not in files:
                stale.unlink()
        for name, text in files.items():
            (directory / name).write_text(text)
    except OSError as error:
        raise BadInput(f"cannot be written ({error.strerror})", where=str(directory), mend="run it as root") from None


def _install_cron(place: Place, *, dry_run: bool) -> None:
    from sopauto.app import jobs
    from sopauto.schedule import crontab, merged

    lines = crontab(jobs(), place)
    if dry_run:
        for line in lines:
            say(line)
        return
    _run(["crontab", "-"], given=merged(_crontab(), lines))
    say(f"wrote {len(lines)} lines into your crontab")
    hint("  type: inv schedule.status --cron")


def _ahead(here: App) -> int:
    """Return how many minutes the zone in which cron runs (the machine's) is ahead of the agency's, today."""
    from datetime import UTC, timedelta, tzinfo
    from zoneinfo import ZoneInfo

    machine: tzinfo = UTC
    if LOCALTIME.is_file():
        with LOCALTIME.open("rb") as file:
            machine = ZoneInfo.from_file(file)
    now = here.clock.now()
    there, agency = (now.astimezone(zone).utcoffset() or timedelta() for zone in (machine, here.settings.zone))
    return int((there - agency).total_seconds() // 60)


def _unit_jobs(directory: Path, zone: str) -> dict[str, str]:
    """Return the jobs whose timer and service are there, each with when it runs next (where systemd tells)."""
    from sopauto.app import jobs
    from sopauto.schedule import PREFIX, timer

    found = {}
    for job in jobs():
        path = directory / f"{PREFIX}{job.name}.timer"
        if path.is_file() and path.with_suffix(".service").is_file():
            next_ = _next(path.name) if _systemd_runs() else "systemd does not run here"
            found[job.name] = next_ if path.read_text() == timer(job, zone) else OLD
    return found


def _cron_jobs(ahead: int) -> dict[str, str]:
    """Return the jobs of the crontab, each with the times that stand there."""
    from sopauto.app import jobs
    from sopauto.schedule import MARK, moved

    lines = [line for line in _crontab().splitlines() if MARK in line]
    found: dict[str, str] = {}
    for job in jobs():
        times = [" ".join(line.split()[:5]) for line in lines if line.rpartition(MARK)[2].strip() == job.name]
        if times:
            found[job.name] = "see when" if sorted(times) == moved(job.cron, ahead) else OLD
    return found


def _next(timer: str) -> str:
    told = _run(_systemctl("show", timer, "--property=NextElapseUSecRealtime", "--value")).strip()
    return told or "not enabled"


def _crontab() -> str:
    if shutil.which("crontab") is None:
        raise BadInput("there is no crontab on this machine", where="--cron", mend="install cron, or use systemd")
    answer = subprocess.run(
        ["crontab", "-l"], capture_output=True, text=True, errors="surrogateescape", check=False, timeout=SECONDS
    )
    told = answer.stderr.strip()
    if answer.returncode and told and "no crontab" not in told:
        # Ours would replace what could not be read.
        raise StepFailed(f"crontab -l failed ({told.splitlines()[0]})", mend="see why, then run again")
    return answer.stdout if answer.returncode == 0 else ""  # a user without a crontab has none


def _systemd_runs() -> bool:
    return Path("/run/systemd/system").is_dir() and shutil.which("systemctl") is not None


def _systemctl(*arguments: str) -> list[str]:
    return ["systemctl", *([] if os.geteuid() == 0 else ["--user"]), *arguments]


def _run(command: list[str], *, given: str | None = None) -> str:
    answer = subprocess.run(
        command, input=given, capture_output=True, text=True, errors="surrogateescape", check=False, timeout=SECONDS
    )
    if answer.returncode:
        reason = answer.stderr.strip().splitlines()
        told = reason[0] if reason else f"exit {answer.returncode}"
        raise StepFailed(f"{command[0]} failed ({told})", mend="see `systemctl status` or `crontab -l`")
    return answer.stdout
