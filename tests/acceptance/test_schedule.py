"""Timers by the real commands: written, told, brought up to date; crontab by a stand-in for the program."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.acceptance.test_access_ends import Office
from tests.acceptance.test_access_ends import office as office_of_access

CRONTAB = """\
#!/bin/sh
file="$(dirname "$0")/tab"
case "$1" in
-l) [ -f "$file" ] && cat "$file" || exit 1 ;;
-) cat > "$file" ;;
esac
"""
office = office_of_access


@pytest.fixture
def tab(office: Office, tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "crontab"
    program.write_text(CRONTAB)
    program.chmod(0o755)
    office.environment = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    return program.with_name("tab")


def test_units_are_written_told_and_brought_up_to_date(office: Office, tmp_path: Path) -> None:
    units = tmp_path / "units"
    where = ("--directory", str(units))
    assert "not installed: access-expire" in office.inv("schedule.status", *where, expect=1).stderr
    assert "OnCalendar" in office.inv("schedule.install", *where, "--dry-run").stdout
    assert not units.exists()
    told = office.inv("schedule.install", *where).stdout
    assert "enable --now sopauto-access-expire.timer" in told
    assert "not installed: access-review" in office.inv("schedule.status", *where, expect=1).stderr
    (units / "sopauto-gone.timer").write_text("")
    (units / "other.timer").write_text("")
    office.inv("schedule.install", *where, as_="wawan")
    assert not (units / "sopauto-gone.timer").exists()
    assert (units / "other.timer").exists()
    rows = json.loads(office.inv("schedule.status", *where, "--json").stdout)
    assert {row["installed"] for row in rows} == {True}
    assert f'"SOPAUTO_HOME={office.home}"' in (units / "sopauto-access-expire.service").read_text()


def test_what_a_unit_starts_runs(office: Office, tmp_path: Path) -> None:
    office.inv("schedule.install", "--directory", str(tmp_path), as_="wawan")
    from subprocess import run

    for job in ("access-expire", "access-remind", "access-review"):
        lines = (tmp_path / f"sopauto-{job}.service").read_text().splitlines()
        start = next(line.partition("=")[2] for line in lines if line.startswith("ExecStart="))
        given = [line.partition("=")[2].strip('"') for line in lines if line.startswith("Environment=")]
        environment = {"PATH": os.environ["PATH"], **dict(pair.split("=", 1) for pair in given)}
        answer = run(start, shell=True, env=environment, cwd="/", capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr


def test_a_crontab_gets_our_lines_once(office: Office, tab: Path) -> None:
    tab.write_text("0 1 * * * backup\n")
    office.inv("schedule.install", "--cron", as_="wawan")
    office.inv("schedule.install", "--cron", as_="wawan")
    text = tab.read_text()
    assert text.startswith("0 1 * * * backup\n")
    assert text.count("# sopauto:access-expire") == 1
    assert "yes" in office.inv("schedule.status", "--cron").stdout


def test_an_operator_without_key_is_refused(office: Office, tmp_path: Path) -> None:
    refused = office.inv("schedule.install", "--directory", str(tmp_path / "u"), "--as", "wawan", expect=2)
    assert "belong together" in refused.stderr
    assert not (tmp_path / "u").exists()


def test_a_crontab_that_cannot_be_read_is_not_replaced(office: Office, tab: Path) -> None:
    tab.write_text("0 1 * * * backup\n")
    program = tab.with_name("crontab")
    program.write_text(CRONTAB.replace('cat "$file" ||', "{ echo you are not allowed >&2; exit 1; } ||"))
    assert "you are not allowed" in office.inv("schedule.install", "--cron", as_="wawan", expect=1).stderr
    assert tab.read_text() == "0 1 * * * backup\n"
