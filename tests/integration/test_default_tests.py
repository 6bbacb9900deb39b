"""Default tests over a real SSH connection: what holds, what does not, and servers that mean harm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from lab.sshd import Sshd
from sopauto.drivers import session as sessions
from sopauto.drivers.ssh import Ssh
from sopauto.errors import StepFailed
from sopauto.machines.host_keys import fingerprint
from sopauto.settings import Credentials
from sopauto.software.checks import Checked
from sopauto.software.default_tests import CHECKS, DefaultTests


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/" else 404)
        self.end_headers()
        self.wfile.write(b"agenda")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def page() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.34.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def sshd(need: Any) -> Iterator[Sshd]:
    need("sshd")
    with Sshd(host="127.0.34.1") as server:
        yield server


def run(server: Sshd, *tests: dict[str, Any], **changes: Any) -> list[Checked]:
    login = Credentials(user=server.user, key_file=server.key_file)
    filled = [
        {"title": one["kind"], "status": 200, "contains": "", "exit": 0, "within": 0, **one, one["kind"]: one["of"]}
        for one in tests
    ]
    parameters = {
        "server": "server-01",
        "address": server.host,
        "port": server.port,
        "fingerprint": fingerprint(server.host_key),
        "credentials": "servers",
        "tests": filled,
        **changes,
    }
    return list(DefaultTests(Ssh(credentials={"servers": login})).test(parameters, lambda _: None))


def test_checks_that_hold_and_checks_that_do_not_over_one_login(sshd: Sshd, page: int) -> None:
    before = sshd.log().count("Accepted publickey")
    address = {"address": sshd.host}
    results = run(
        sshd,
        {"kind": "package", "of": "openssh-server"},
        {"kind": "package", "of": "openssh-server", "version": "99"},
        {"kind": "package", "of": "no-such-package"},
        {"kind": "port", "of": f"{sshd.port}/tcp", **address},
        {"kind": "port", "of": "1/tcp", **address},
        {"kind": "process", "of": "sshd"},
        {"kind": "process", "of": "nobody-runs-this"},
        {"kind": "http", "of": f"http://127.0.34.1:{page}/", "contains": "agenda"},
        {"kind": "http", "of": f"http://127.0.34.1:{page}/", "contains": "wiki"},
        {"kind": "http", "of": f"http://127.0.34.1:{page}/other"},
        {"kind": "http", "of": f"http://127.0.34.1:{page}/other", "status": 404},
        {"kind": "http", "of": "http://127.0.34.1:1/"},
        {"kind": "command", "of": ["echo", "$(id) `id` %s 'a'"], "contains": "$(id) `id` %s 'a'"},
        {"kind": "command", "of": ["false"]},
        {"kind": "file", "of": "/etc/passwd", "mode": "0644", "contains": "root:"},
        {"kind": "file", "of": "/etc/passwd", "mode": "0600"},
        {"kind": "file", "of": "/no/such/file"},
    )
    holds = [result.passed for result in results]
    yes, no = True, False
    assert holds == [yes, no, no, yes, no, yes, no, yes, no, no, yes, no, yes, no, yes, no, no]
    assert all(result.passed is (result.found == "") for result in results)
    assert all(result.seconds >= 0 for result in results)
    assert sshd.log().count("Accepted publickey") == before + 1


def test_what_may_take_a_while_is_looked_at_again(sshd: Sshd, tmp_path: Any) -> None:
    late = tmp_path / "late"
    [result] = run(
        sshd, {"kind": "command", "of": ["sh", "-c", f"test -e {late} || {{ touch {late}; false; }}"], "within": 20}
    )
    assert result.passed
    assert result.seconds > 0.9


def test_a_program_that_fails_on_the_server_is_quoted(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKS, "process", lambda host, *_: host.check_output("ls /no/such/file"))
    [result] = run(sshd, {"kind": "process", "of": "nginx"})
    assert result.found.startswith("cannot be checked: ls: ")


def test_another_host_key_stops_everything(sshd: Sshd) -> None:
    with pytest.raises(StepFailed, match="nothing was sent"):
        run(sshd, {"kind": "command", "of": ["true"]}, fingerprint="SHA256:" + "A" * 43)


def test_control_characters_of_an_answer_are_escaped(sshd: Sshd) -> None:
    [result] = run(sshd, {"kind": "command", "of": ["sh", "-c", "printf '\\033[2J\\nx'; exit 3"]})
    assert result.found.isprintable()


@pytest.mark.parametrize(
    "answer",
    ["print('x' * 1000)", "print('0 -1 0')", "print('0 99999999999 0')", "print('a b c')", "pass", "print('0 9 0')"],
)
def test_a_server_that_answers_out_of_bounds_ends_the_session(
    sshd: Sshd, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "AGENT", f"import sys\nsys.stdin.readline()\n{answer}\n")
    with pytest.raises(StepFailed, match="the session ended early"):
        run(sshd, {"kind": "command", "of": ["true"]})


def test_a_long_answer_is_cut_on_the_server(sshd: Sshd) -> None:
    [result] = run(sshd, {"kind": "command", "of": ["sh", "-c", "yes | head -c 5000000; exit 1"]})
    assert len(json.dumps(result.found)) < 300
