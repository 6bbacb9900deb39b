"""Errors, exit codes and what a terminal gets to see."""

from __future__ import annotations

import json
import logging

import pytest
from invoke.config import Config
from invoke.context import Context
from invoke.exceptions import Exit

from sopauto.cli.console import command, printable, table, told_after
from sopauto.errors import BadInput, Conflict, OutcomeUnknown, Refused, SopautoError, Stale, StepFailed


def failing(error: SopautoError) -> Exit:
    @command()
    def task(_: Context) -> None:
        raise error

    with pytest.raises(Exit) as caught:
        task(Context(Config()))
    return caught.value


@pytest.mark.parametrize(
    ("kind", "code"),
    [(StepFailed, 1), (Conflict, 1), (BadInput, 2), (Refused, 3), (Stale, 3), (OutcomeUnknown, 4)],
)
def test_each_error_has_its_exit_code(kind: type[SopautoError], code: int) -> None:
    assert failing(kind("something")).code == code


def test_an_error_is_one_line_with_place_and_mend() -> None:
    message = failing(BadInput("is missing", where="a.yaml:3 nama", mend="state it")).message
    assert message == "bad input: a.yaml:3 nama: is missing; state it"


def test_an_error_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in failing(BadInput("bad \x1b[2J name\nsecond line")).message
    assert "\n" not in failing(BadInput("bad \x1b[2J name\nsecond line")).message


def test_debug_shows_the_traceback() -> None:
    @command()
    def task(_: Context) -> None:
        raise BadInput("x")

    log = logging.getLogger("invoke")
    before = log.level
    log.setLevel(logging.DEBUG)
    try:
        with pytest.raises(BadInput):
            task(Context(Config()))
    finally:
        log.setLevel(before)


def test_control_characters_are_escaped() -> None:
    assert printable("a\x1b[31mb\u202e\x9b") == "a\\x1b[31mb\\u202e\\x9b"


def test_a_table_is_aligned_and_names_when_it_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    table(["id", "name"], [["1", "satu"], ["22", "dua\n"]])
    table(["id"], [], empty="none yet")
    assert capsys.readouterr().out == "id  name\n1   satu\n22  dua\\n\nnone yet\n"


def test_a_fault_of_telling_what_was_done_is_one_line_and_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    for error in (BadInput("unknown position 'x'"), KeyError("x"), OSError("gone")):
        with told_after("PS-2026-0001"):
            raise error
        assert capsys.readouterr().out.startswith("PS-2026-0001: done and kept; what follows cannot be told (")
    with told_after("PS-2026-0001", json=True):
        raise BadInput("unknown position 'x'")
    assert json.loads(capsys.readouterr().out) == {
        "ticket": "PS-2026-0001",
        "kept": True,
        "fault": "unknown position 'x'",
    }
