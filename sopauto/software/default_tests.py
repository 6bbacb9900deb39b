"""Default tests by testinfra, over one SSH connection that we opened: bounded, pinned, and closed when all is checked.

Testinfra's own backends log in once per command or start Ansible for each; ours hands it one open session.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from sopauto.drivers.session import Session, session
from sopauto.drivers.ssh import Ssh
from sopauto.procedures.fields import one_line
from sopauto.software.checks import Checked
from sopauto.work import Json, Report

SECONDS: Final = 900.0
"""For all checks of a server."""
MAX_BYTES: Final = 8 << 20
LONGEST: Final = 200
PAUSE: Final = 1.0
"""Seconds between two looks at what may still come true."""
FETCH: Final = """\
import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(urllib.request.Request(sys.argv[1]), timeout=15)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, flush=True)
sys.stdout.buffer.write(answer.read(65536))
"""
"""Run on the server: needs no curl there."""
PINGS: Final[Mapping[str, tuple[str, str]]] = {
    "postgresql": ("postgres", "psql --no-psqlrc --quiet --tuples-only --no-align --command 'SELECT 1'"),
    "mariadb": ("root", "mariadb --batch --skip-column-names --execute 'SELECT 1'"),
}


class _Line(BaseBackend):  # type: ignore[misc]  # testinfra has no types
    """Testinfra's way to the server: the open session."""

    NAME = "sopauto"

    def __init__(self, session: Session, name: str) -> None:
        super().__init__(name)
        self._session = session
        self._encoding = "utf-8"
        self.complaint = ""
        """What the last command said on its standard error, in one line."""

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        text = self.get_command(command, *args)
        code, out, err = self._session.run(text)
        self.complaint = one_line(self.decode(err).strip(), LONGEST)
        return self.result(code, text.encode(), out, err)

    def decode(self, data: bytes) -> str:
        return data.decode("utf-8", "replace")


class DefaultTests:
    """Makes checks on servers. Fulfils `software_tests.Tester`."""

    def __init__(self, ssh: Ssh) -> None:
        self._ssh = ssh

    def test(self, parameters: Json, report: Report) -> Sequence[Checked]:
        """Make the checks in order; raises BadInput (unusable login), StepFailed (see `session`)."""
        with session(self._ssh, parameters, max_bytes=MAX_BYTES, seconds=SECONDS) as line:
            host = Host(_Line(line, str(parameters["server"])))
            results = []
            for test in parameters["tests"]:
                results.append(check(host, line, test))
                report(_told(results[-1]))
        return results


def _told(result: Checked) -> str:
    return f"{result.seconds:6.2f} s  {'ok    ' if result.passed else 'FAILED'} {result.title} {result.found}".rstrip()


def check(host: Host, session: Session | None, test: Json) -> Checked:
    """Make one check; `session` is needed for an SQL ping only."""
    begun = time.monotonic()
    found = _found(host, session, test)
    while found and time.monotonic() - begun < test["within"]:
        time.sleep(PAUSE)
        found = _found(host, session, test)
    return Checked(
        title=str(test["title"]),
        passed=not found,
        found=one_line(found, LONGEST),
        seconds=round(time.monotonic() - begun, 3),
    )


def _found(host: Host, session: Session | None, test: Json) -> str:
    """Return what is wrong (empty: it holds)."""
    try:
        return CHECKS[test["kind"]](host, session, test)
    except (AssertionError, ValueError, RuntimeError, LookupError, TypeError) as error:
        # Testinfra takes what a strange server answers apart: what it stumbles over is a check that does not hold.
        return f"cannot be checked: {getattr(host.backend, 'complaint', '') or error}"


def _package(host: Host, _: Session | None, test: Json) -> str:
    package = host.package(test["package"])
    if not package.is_installed:
        return "not installed"
    upstream = package.version.rpartition(":")[2]  # without Debian's epoch
    return "" if upstream.startswith(test.get("version", "")) else f"version {package.version}"


def _service(host: Host, _: Session | None, test: Json) -> str:
    service = host.service(test["service"])
    if not service.is_running:
        return "not running"
    return "" if service.is_enabled else "not enabled"


def _port(host: Host, _: Session | None, test: Json) -> str:
    number, _, protocol = test["port"].partition("/")
    addresses = [test["address"]] if "address" in test else ["0.0.0.0", "::", "127.0.0.1", "::1"]  # noqa: S104 - asked for
    listening = set(host.socket.get_listening_sockets())
    wanted = {f"{protocol}://{address}:{number}" for address in addresses}
    return "" if wanted & listening else "nobody listens"


def _process(host: Host, _: Session | None, test: Json) -> str:
    return "" if host.process.filter(comm=test["process"]) else "no such process"


def _http(host: Host, _: Session | None, test: Json) -> str:
    answer = host.run("python3 -c %s %s", FETCH, test["http"])
    status, _, body = answer.stdout.partition("\n")
    if answer.rc:
        return str((answer.stderr.strip().splitlines() or ["no answer"])[-1])
    if status != str(test["status"]):
        return f"status {status}"
    return "" if test["contains"] in body else f"its body lacks {test['contains']!r}"


def _command(host: Host, _: Session | None, test: Json) -> str:
    ended = host.run(shlex.join(test["command"]))
    if ended.rc != test["exit"]:
        return f"exit {ended.rc}: {(ended.stderr or ended.stdout).strip()}"
    return "" if test["contains"] in ended.stdout + ended.stderr else f"prints {ended.stdout.strip()!r}"


def _file(host: Host, _: Session | None, test: Json) -> str:
    file = host.file(test["file"])
    if not file.exists:
        return "does not exist"
    if "mode" in test and file.mode != int(test["mode"], 8):
        return f"mode {file.mode:04o}"
    return "" if not test["contains"] or test["contains"] in file.content_string else f"lacks {test['contains']!r}"


def _sql(_: Host, session: Session | None, test: Json) -> str:
    assert session is not None
    user, command = PINGS[test["sql"]]
    code, out, err = session.run_as(user, command)
    return "" if code == 0 and out.strip() == b"1" else (err or out).decode(errors="replace").strip() or "no answer"


CHECKS: Final[Mapping[str, Callable[[Host, Session | None, Json], str]]] = {
    "package": _package,
    "service": _service,
    "port": _port,
    "process": _process,
    "http": _http,
    "command": _command,
    "file": _file,
    "sql": _sql,
}
"""Each kind of check returns what is wrong; empty: it holds."""
