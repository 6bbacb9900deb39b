"""What a timer repeats, as systemd units and as crontab lines. One line of `JOBS` adds a job. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sopauto.errors import BadInput

PREFIX: Final = "sopauto-"
MARK: Final = "# sopauto:"
"""Ends each of our lines in a crontab, with the job's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command and when it runs, in systemd's words (`OnCalendar`) and in cron's. `signs`: it needs a person's key."""

    name: str
    command: str
    calendar: str
    cron: str
    does: str
    signs: bool = False


JOBS: Final = (
    Job(
        name="access-expire",
        command="access.expire",
        calendar="*-*-* *:05:00",
        cron="5 * * * *",
        does="end access that is over, and try doors again",
    ),
    Job(
        name="access-remind",
        command="access.remind",
        calendar="*-*-* 07:30:00",
        cron="30 7 * * *",
        does="remind of reviews, and suspend what nobody answered",
    ),
    Job(
        name="access-review",
        command="access.review",
        calendar="Mon..Fri *-*-* 08:00:00",
        cron="0 8 * * 1-5",
        does="open the reviews that are due",
        signs=True,
    ),
    Job(
        name="ticket-remind",
        command="ticket.remind",
        calendar="Mon..Fri *-*-* 07..17:00/15:00",
        cron="*/15 7-17 * * 1-5",
        does="remind of overdue rows",
    ),
    Job(
        name="inventory-monthly",
        command="inventory.monthly",
        # Daily: a month that was reported is left alone, and one that was missed is caught up.
        calendar="*-*-* 21:30:00",
        cron="30 21 * * *",
        does="read every server, once a month",
    ),
    Job(
        name="mail-send",
        command="mail.send",
        calendar="*-*-* *:00/10:00",
        cron="*/10 * * * *",
        does="try waiting e-mails again",
    ),
)
"""Every job, in the order in which it is listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where commands run: the program, the workspace, the user (empty: who installs), and who signs (if anybody)."""

    program: Path
    home: Path
    user: str = ""
    person: str = ""
    key: Path | None = None

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of every job that signs nothing."""
        return {"SOPAUTO_HOME": str(self.home)}

    def variables_of(self, job: Job) -> Mapping[str, str]:
        """Return the environment of a job."""
        if not job.signs or self.key is None:
            return self.variables
        return {**self.variables, "SOPAUTO_AS": self.person, "SOPAUTO_KEY": str(self.key)}


def chosen(place: Place) -> Sequence[Job]:
    """Return the jobs that can run there: without a key nothing is signed."""
    return [job for job in JOBS if not job.signs or place.key is not None]


def units(place: Place) -> dict[str, str]:
    """Return systemd's unit files by name: a service and a timer for each job."""
    files: dict[str, str] = {}
    for job in chosen(place):
        files[f"{PREFIX}{job.name}.service"] = _service(job, place)
        files[f"{PREFIX}{job.name}.timer"] = _timer(job)
    return files


def crontab(place: Place) -> list[str]:
    """Return one line of a user's crontab for each job."""
    return [_cron(job, place) for job in chosen(place)]


def merged(present: str, lines: Sequence[str]) -> str:
    """Return a crontab with our lines in place of those that we wrote before; all others stay."""
    others = [line for line in present.splitlines() if MARK not in line]
    return "\n".join([*others, *lines]) + "\n"


def _service(job: Job, place: Place) -> str:
    variables = "\n".join(
        f"Environment={_quoted(f'{name}={value}')}" for name, value in place.variables_of(job).items()
    )
    user = f"User={place.user}\n" if place.user else ""
    return f"""\
[Unit]
Description=sopauto: {job.does}
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
{variables}
{user}ExecStart={_quoted(str(place.program)).replace("$", "$$")} {job.command}
TimeoutStartSec=1h
NoNewPrivileges=yes
PrivateTmp=yes
"""


def _timer(job: Job) -> str:
    return f"""\
[Unit]
Description=sopauto: {job.does}

[Timer]
OnCalendar={job.calendar}
Persistent=true
RandomizedDelaySec=30

[Install]
WantedBy=timers.target
"""


def _cron(job: Job, place: Place) -> str:
    words = [*(f"{name}={shlex.quote(_line(value))}" for name, value in place.variables_of(job).items())]
    command = " ".join([*words, shlex.quote(_line(str(place.program))), job.command])
    return f"{job.cron} {command.replace('%', chr(92) + '%')} {MARK}{job.name}"


def _quoted(text: str) -> str:
    """Return a word of a unit file: systemd reads `%`, quotes and backslashes (and `$` in command lines only)."""
    escaped = _line(text).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _line(text: str) -> str:
    if not text.isprintable():
        raise BadInput("a path holds characters that cannot be seen", where="schedule", mend="move the workspace")
    return text
