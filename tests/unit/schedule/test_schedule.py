"""Timers as systemd units and crontab lines."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sopauto.app import jobs
from sopauto.cli.program import namespace
from sopauto.errors import BadInput
from sopauto.schedule import Place, calendar, crontab, merged, moved, units

JOBS = jobs()
PLACE = Place(program=Path("/opt/so pauto/bin/sopauto"), home=Path('/srv/100% "kominfo" $x'), user="sopauto")
SIGNING = Place(
    program=Path("/bin/true"), home=Path("/srv/k"), zone="Asia/Jakarta", person="wawan", key=Path("/srv/k/keys/wawan")
)


def test_every_job_is_a_command_that_exists() -> None:
    known = set(namespace().task_names)
    assert {job.command for job in JOBS} <= known
    assert len({job.name for job in JOBS}) == len(JOBS)


def test_each_job_has_a_service_and_a_timer_and_what_signs_needs_a_key() -> None:
    assert set(units(JOBS, SIGNING)) == {f"sopauto-{job.name}.{kind}" for job in JOBS for kind in ("service", "timer")}
    assert "sopauto-access-review.timer" not in units(JOBS, PLACE)
    assert 'Environment="SOPAUTO_AS=wawan"' in units(JOBS, SIGNING)["sopauto-access-review.service"]
    assert "SOPAUTO_KEY" not in units(JOBS, SIGNING)["sopauto-access-expire.service"]


def test_a_path_reaches_systemd_as_it_is() -> None:
    service = units(JOBS, PLACE)["sopauto-access-expire.service"]
    assert 'Environment="SOPAUTO_HOME=/srv/100%% \\"kominfo\\" $x"' in service
    assert 'ExecStart="/opt/so pauto/bin/sopauto" access.expire' in service
    assert "User=sopauto" in service
    with pytest.raises(BadInput, match="cannot be seen"):
        units(JOBS, Place(program=Path("/bin/true"), home=Path("/srv/a\nExecStart=/bin/evil")))


def test_systemd_itself_finds_no_fault(tmp_path: Path, need: Callable[[str], str]) -> None:
    program = need("systemd-analyze")
    for name, text in units(JOBS, SIGNING).items():
        (tmp_path / name).write_text(text)
    files = sorted(map(str, tmp_path.iterdir()))
    answer = subprocess.run([program, "verify", *files], capture_output=True, text=True, check=False)
    ours = [line for line in answer.stderr.splitlines() if "sopauto-" in line]
    assert ours == []
    for job in JOBS:
        subprocess.run(["systemd-analyze", "calendar", calendar(job, "Asia/Jayapura")], capture_output=True, check=True)


def test_a_crontab_keeps_what_others_wrote_and_holds_ours_once() -> None:
    lines = crontab(JOBS, PLACE)
    assert lines[0] == (
        "5 * * * * SOPAUTO_HOME='/srv/100\\% \"kominfo\" $x' '/opt/so pauto/bin/sopauto' access.expire "
        "# sopauto:access-expire"
    )
    once = merged("0 1 * * * backup\n", lines)
    assert merged(once, lines) == once
    assert once.startswith("0 1 * * * backup\n")
    assert once.count("# sopauto:") == len(JOBS) - 1


def test_timers_name_the_agencys_zone() -> None:
    assert "OnCalendar=*-*-* 07:30:00 Asia/Jakarta\n" in units(JOBS, SIGNING)["sopauto-access-remind.timer"]
    timers = [text for name, text in units(JOBS, SIGNING).items() if name.endswith(".timer")]
    assert all("OnCalendar" in text and "Asia/Jakarta" in text for text in timers)


def test_the_doors_are_held_against_the_register_by_a_timer() -> None:
    assert "access.doors" in units(JOBS, PLACE)["sopauto-access-doors.service"]
    assert any(line.endswith("# sopauto:access-doors") for line in crontab(JOBS, PLACE))


@pytest.mark.parametrize(
    ("cron", "ahead", "there"),
    [
        ("30 7 * * *", 0, ["30 7 * * *"]),
        ("30 7 * * *", -7 * 60, ["30 0 * * *"]),
        ("30 6 * * *", -7 * 60, ["30 23 * * *"]),
        ("*/10 * * * *", -7 * 60, ["0,10,20,30,40,50 * * * *"]),
        ("0 8 * * 1-5", -9 * 60, ["0 23 * * 0,1,2,3,4"]),
        ("0 8 * * 1-5", -90, ["30 6 * * 1,2,3,4,5"]),
        ("*/30 7-9 * * 1-5", -9 * 60, ["0,30 0 * * 5", "0,30 0,22,23 * * 1,2,3,4", "0,30 22,23 * * 0"]),
        ("0 22 * * 6", 180, ["0 1 * * 0"]),
    ],
)
def test_times_of_a_crontab_are_moved_into_the_machines_zone(cron: str, ahead: int, there: list[str]) -> None:
    assert moved(cron, ahead) == there
