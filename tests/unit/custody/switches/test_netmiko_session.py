"""What every session by netmiko does with errors, answers and the log, whatever the platform."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from netmiko.exceptions import ConfigInvalidException, NetmikoAuthenticationException, ReadTimeout
from paramiko import SSHException

from sopauto.custody.port_state import PortState
from sopauto.custody.switches.base import (
    ANSWER_SECONDS,
    MAX_LOG,
    MAX_WORDS,
    LineRefusedError,
    NetmikoSession,
    SessionLostError,
    report_taken,
)


class Plain(NetmikoSession):
    def read(self, port: str) -> PortState:
        raise NotImplementedError

    saved = read

    def send(self, lines: Any, report: Any) -> None:
        self._guarded(lines)

    def save(self) -> None:
        self._ask("save", seconds=90)


class Connection:
    base_prompt = "sw1.lt.2"

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def send_command(self, command: str, **how: Any) -> str:
        self.asked.append((command, how))
        return "done"


def failing(error: Exception) -> Callable[[], NoReturn]:
    def talk() -> NoReturn:
        raise error

    return talk


@pytest.mark.parametrize(
    "error", [ReadTimeout, NetmikoAuthenticationException, SSHException, OSError, EOFError, ValueError, TimeoutError]
)
def test_whatever_ends_a_session_leaves_it_lost_and_is_told_in_one_plain_line(error: type[Exception]) -> None:
    with pytest.raises(SessionLostError, match=r"^two\\x1b\[2J lines$"):
        Plain(None, io.BytesIO()).send(failing(error("two\x1b[2J\n\n lines")), None)
    with pytest.raises(SessionLostError) as caught:
        Plain(None, io.BytesIO()).send(failing(error("x" * 1000)), None)
    assert str(caught.value) == "x" * MAX_WORDS + "…"


def test_an_error_without_words_is_told_by_its_name() -> None:
    with pytest.raises(SessionLostError, match=r"^EOFError$"):
        Plain(None, io.BytesIO()).send(failing(EOFError()), None)


def test_a_refused_line_is_no_lost_session_and_its_reason_is_told() -> None:
    words = "Invalid input detected at command: switchport access vlan 30, matched error: % Command rejected: a member"
    with pytest.raises(LineRefusedError, match=f"^{words}$"):
        Plain(None, io.BytesIO()).send(failing(ConfigInvalidException(words.replace("% ", "%\n"))), None)


def test_a_fault_of_the_program_is_not_taken_for_one_of_the_session() -> None:
    with pytest.raises(KeyError):
        Plain(None, io.BytesIO()).send(failing(KeyError("x")), None)


def test_an_answer_ends_at_the_prompt_of_this_very_switch() -> None:
    connection = Connection()
    Plain(connection, io.BytesIO()).save()
    ((command, how),) = connection.asked
    assert (command, how["read_timeout"]) == ("save", 90)
    assert how["expect_string"] == r"sw1\.lt\.2[^\r\n]*[#>$]\s*$"
    assert ANSWER_SECONDS < 90


def test_the_log_is_bounded_plain_text_of_the_end() -> None:
    log = io.BytesIO(b"a" * MAX_LOG + b"\r\nsw1# \x07\xff end\r\n")
    told = Plain(None, log).log()
    assert told.endswith("\nsw1# \\x07\ufffd end\n")
    assert told.startswith("a")
    assert "\r" not in told
    assert len(told) <= MAX_LOG + 3


def test_a_line_is_reported_when_the_next_one_is_asked_for() -> None:
    heard: list[str] = []
    lines = report_taken(["one", "two"], heard.append)
    assert (next(lines), heard) == ("one", [])
    assert (next(lines), heard) == ("two", ["line sent: one"])
    assert list(lines) == []
    assert heard == ["line sent: one", "line sent: two"]
