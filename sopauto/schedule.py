"""What a timer repeats, as systemd units and as crontab lines. Each domain brings its own. Pure.

Times are those of the agency's zone, wherever the machine's clock stands: systemd takes the zone's name with each time,
for cron the times are converted to the machine's zone.
"""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from sopauto.errors import BadInput

K = TypeVar("K", bound=Hashable)

PREFIX: Final = "sopauto-"
MARK: Final = "# sopauto:"
"""Ends each of our lines in a crontab, with the job's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command and when it runs, in systemd's words (`OnCalendar`) and in cron's.

    `signs`: it needs a person's key. `may_sign`: it takes one where there is one.
    """

    name: str
    command: str
    calendar: str
    cron: str
    does: str
    signs: bool = False
    may_sign: bool = False


SHARED: Final = (
    Job(
        name="ticket-remind",
        command="ticket.remind",
        calendar="Mon..Fri *-*-* 07..17:00/15:00",
        cron="*/15 7-17 * * 1-5",
        does="remind of overdue rows",
    ),
    Job(
        name="ticket-anchor",
        command="ticket.anchor",
        calendar="*-*-* 22:45:00",
        cron="45 22 * * *",
        does="write where every ticket's journal stands, to be kept outside",
        may_sign=True,
    ),
    Job(
        name="mail-send",
        command="mail.send",
        calendar="*-*-* *:00/10:00",
        cron="*/10 * * * *",
        does="try waiting e-mails again",
    ),
)
"""The jobs that belong to no domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where commands run: the program, the workspace, the user (empty: who installs), and who signs (if anybody).

    `zone` is the agency's time zone (empty: the machine's own). `ahead` is how many minutes the machine's zone is ahead
    of it: cron knows no other zone than the machine's.
    """

    program: Path
    home: Path
    zone: str = ""
    ahead: int = 0
    user: str = ""
    person: str = ""
    key: Path | None = None

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of every job that signs nothing."""
        return {"SOPAUTO_HOME": str(self.home)}

    def variables_of(self, job: Job) -> Mapping[str, str]:
        """Return the environment of a job."""
        if not (job.signs or job.may_sign) or self.key is None:
            return self.variables
        return {**self.variables, "SOPAUTO_AS": self.person, "SOPAUTO_KEY": str(self.key)}


def chosen(jobs: Iterable[Job], place: Place) -> Sequence[Job]:
    """Return the jobs that can run there: without a key nothing is signed."""
    return [job for job in jobs if not job.signs or place.key is not None]


def units(jobs: Iterable[Job], place: Place) -> dict[str, str]:
    """Return systemd's unit files by name: a service and a timer for each job."""
    files: dict[str, str] = {}
    for job in chosen(jobs, place):
        files[f"{PREFIX}{job.name}.service"] = _service(job, place)
        files[f"{PREFIX}{job.name}.timer"] = timer(job, place.zone)
    return files


def crontab(jobs: Iterable[Job], place: Place) -> list[str]:
    """Return the lines of a user's crontab: one for each job, or more where days begin at another moment there."""
    return [_cron(job, place, when) for job in chosen(jobs, place) for when in moved(job.cron, place.ahead)]


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


def timer(job: Job, zone: str) -> str:
    """Return systemd's unit that starts a job, at times of that zone."""
    return f"""\
[Unit]
Description=sopauto: {job.does}

[Timer]
OnCalendar={calendar(job, zone)}
Persistent=true
RandomizedDelaySec=30

[Install]
WantedBy=timers.target
"""


def calendar(job: Job, zone: str) -> str:
    """Return when a job runs, in systemd's words."""
    return f"{job.calendar} {_line(zone)}".strip()


def moved(cron: str, ahead: int) -> list[str]:
    """Return the times of a crontab line, so many minutes later; days of the month stay `*`.

    A time that falls on another weekday there needs a line of its own.
    """
    if not ahead:
        return [cron]
    minutes, hours, _, _, days = cron.split()
    every = {
        (day * 1440 + hour * 60 + minute + ahead) % 10080
        for day in _numbers(days, 7)
        for hour in _numbers(hours, 24)
        for minute in _numbers(minutes, 60)
    }
    past_hour = _grouped(((moment // 1440, moment // 60 % 24), moment % 60) for moment in every)
    in_day = _grouped(((day, those), hour) for (day, hour), those in past_hour.items())
    lines = _grouped(((those, on), day) for (day, those), on in in_day.items())
    return sorted(
        f"{_listed(those, 60)} {_listed(on, 24)} * * {_listed(week, 7)}" for (those, on), week in lines.items()
    )


def _grouped(pairs: Iterable[tuple[K, int]]) -> dict[K, frozenset[int]]:
    """Return the numbers of each key."""
    found: dict[K, set[int]] = {}
    for key, number in pairs:
        found.setdefault(key, set()).add(number)
    return {key: frozenset(numbers) for key, numbers in found.items()}


def _numbers(field: str, size: int) -> list[int]:
    """Return what a field of a crontab line stands for: `*`, `*/10`, `7-17`, `5`."""
    span, _, step = field.partition("/")
    first, _, last = ("0-" + str(size - 1) if span == "*" else span).partition("-")
    return list(range(int(first), int(last or first) + 1, int(step or 1)))


def _listed(numbers: frozenset[int], size: int) -> str:
    return "*" if len(numbers) == size else ",".join(map(str, sorted(numbers)))


def _cron(job: Job, place: Place, when: str) -> str:
    words = [*(f"{name}={shlex.quote(_line(value))}" for name, value in place.variables_of(job).items())]
    command = " ".join([*words, shlex.quote(_line(str(place.program))), job.command])
    return f"{when} {command.replace('%', chr(92) + '%')} {MARK}{job.name}"


def _quoted(text: str) -> str:
    """Return a word of a unit file: systemd reads `%`, quotes and backslashes (and `$` in command lines only)."""
    escaped = _line(text).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _line(text: str) -> str:
    if not text.isprintable():
        raise BadInput("a path holds characters that cannot be seen", where="schedule", mend="move the workspace")
    return text
