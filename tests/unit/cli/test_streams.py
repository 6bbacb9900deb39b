"""What a command prints never decides what it does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from invoke.collection import Collection
from invoke.program import Program
from sopauto.cli.console import Context, command, print_json, say
from sopauto.errors import Refused

@command(iterable=["more"])
def act(c: Context, told: str, note: str = "", more: list[str] | None = None, refuse: bool = False) -> None:
    for _ in range(20000):
        say("something")
    print_json({"a": 1})
    open(told, "w").write("acted")
    if refuse:
        raise Refused("no")

@command()
def sign(c: Context, told: str, key: str = "") -> None:
    say("something")
    open(told, "w").write("acted")

ns = Collection("x")
ns.add_task(sign)
ns.add_task(act)
ns.add_task(act, name="other")
Program(namespace=ns, name="x", binary="x").run(["x", *sys.argv[1:]])
"""


def shell(line: str, *, expect: int = 0) -> str:
    """Run a line of shell; return what it told on stderr."""
    ended = subprocess.run(["bash", "-c", f"set -o pipefail; {line}"], capture_output=True, text=True, check=False)
    assert ended.returncode == expect, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    return ended.stderr


@pytest.fixture
def act(tmp_path: Path) -> str:
    (tmp_path / "act.py").write_text(PROGRAM)
    return f"{sys.executable} {tmp_path}/act.py act {tmp_path}/told"


@pytest.mark.parametrize("reader", ["| head -1", "| true", "2>&1 | head -1", ">&-", ">&- 2>&-"])
def test_a_reader_that_goes_away_stops_no_action(act: str, reader: str, tmp_path: Path) -> None:
    assert shell(f"{act} {reader} >/dev/null || exit ${{PIPESTATUS[0]}}" if "|" in reader else f"{act} {reader}") == ""
    assert (tmp_path / "told").read_text() == "acted"


@pytest.mark.parametrize("reader", ["| head -1", "2>&1 | true", ">&- 2>&-"])
def test_the_exit_code_is_that_of_the_action(act: str, reader: str, tmp_path: Path) -> None:
    shell(f"{act} --refuse {reader}; exit ${{PIPESTATUS[0]}}", expect=3)
    assert (tmp_path / "told").read_text() == "acted"


@pytest.mark.parametrize(("words", "code"), [("act", 1), ("sign", 0)])
def test_a_full_disk_below_the_output_is_told_stops_no_action_and_fails_what_signs_nothing(
    act: str, words: str, code: int, tmp_path: Path
) -> None:
    told = shell(f"{act.replace(' act ', f' {words} ')} > /dev/full", expect=code)
    assert len(told.strip().splitlines()) == 1
    assert "No space left on device" in told
    assert (tmp_path / "told").read_text() == "acted"


@pytest.mark.parametrize("given", ["--note $'caf\\xe9'", "--more a --more $'\\xff'", "--note $'\\xed\\xa0\\x80'"])
def test_what_is_no_utf_8_is_refused_in_one_line(act: str, given: str, tmp_path: Path) -> None:
    told = shell(f"{act} {given}", expect=2)
    assert told.startswith("bad input: --")
    assert len(told.strip().splitlines()) == 1
    assert not (tmp_path / "told").exists()


@pytest.mark.parametrize("name", ["SOPAUTO_AS", "SOPAUTO_HOME", "SOPAUTO_KEY", "SOPAUTO_DATABASE_PASSWORD"])
def test_a_variable_that_is_no_utf_8_is_refused_in_one_line(act: str, name: str) -> None:
    assert shell(f"{name}=$'\\xe9' {act}", expect=2).startswith(f"bad input: {name}: is not UTF-8 text")


@pytest.mark.parametrize("locale", ["PYTHONIOENCODING=ascii", "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"])
def test_a_terminal_without_a_character_gets_it_escaped(locale: str) -> None:
    line = "from sopauto.cli.streams import guard_streams; guard_streams(); print(chr(0x1F600))"
    shell(f"{locale} {sys.executable} -c '{line}'")
