"""The real commands in a workspace, for acceptance tests."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.loopback import LoopbackServer
from lab.workspace import Workspace
from tests.starts.client import INV, ROOT, SERVER


@dataclass(slots=True, kw_only=True)
class StandIn:
    """A server on loopback under the name that the letter gives it."""

    server: LoopbackServer
    key_file: Path
    name: str = "server-01"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.server, name)


@dataclass(slots=True, kw_only=True)
class Commands:
    """A workspace, and what its users type there; `environment` is added to that of the commands."""

    workspace: Workspace
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: int = 180

    @property
    def home(self) -> Path:
        return self.workspace.home

    @property
    def keys(self) -> dict[str, Path]:
        return self.workspace.keys

    def inv(
        self, *arguments: str, as_: str = "", key: Path | None = None, expect: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as its user would, and hold its exit code against what is expected."""
        _, *words = self.command(*arguments, as_=as_, key=key)
        answer = SERVER.run(words, self.variables(), self.seconds)
        assert answer.returncode == expect, f"exit {answer.returncode}\n{answer.stdout}\n{answer.stderr}"
        assert "Traceback" not in answer.stderr
        if expect:
            assert len(answer.stderr.strip().splitlines()) == 1, answer.stderr
        return answer

    def command(self, *arguments: str, as_: str = "", key: Path | None = None) -> list[str]:
        """Return the command line of an invocation."""
        who = ["--as", as_, "--key", str(key or self.keys[as_])] if as_ else []
        return [str(INV), *arguments, *who]

    def variables(self) -> dict[str, str]:
        """Return the environment of the commands."""
        return {**os.environ, "SOPAUTO_HOME": str(self.home), **self.environment}

    def run_until(self, *arguments: str, as_: str, told: Sequence[str]) -> subprocess.Popen[str]:
        """Start a command; return it when its progress has said all of this, line after line."""
        run = subprocess.Popen(
            # What a shell starts in the background ignores Ctrl-C, tests and what they start included.
            ["env", "--default-signal=INT", *self.command(*arguments, as_=as_)],
            cwd=ROOT,
            env={**self.variables(), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert run.stdout is not None
        ahead = list(told)
        for line in run.stdout:
            print(line, end="")
            if ahead[0] in line:
                ahead.pop(0)
            if not ahead:
                return run
        raise AssertionError(f"never told {told!r}; exit {run.wait()}: {run.communicate()[1]}")

    def playbook_runs(self) -> bool:
        """Tell whether a playbook runs that a command of this workspace started."""
        for path in Path("/proc").glob("[0-9]*"):
            try:
                ours = f"SOPAUTO_HOME={self.home}".encode() in (path / "environ").read_bytes().split(b"\0")
                if ours and b"ansible-playbook" in (path / "cmdline").read_bytes():
                    return True
            except OSError:
                continue
        return False

    def approve_plan(self, ticket: str, *, as_: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Approve the plan that is attached to a ticket, by the digest that `ticket.show` hands out."""
        hint = str(self.show(ticket)["type"]).split()
        digest = hint[hint.index("--plan") + 1]
        return self.inv("ticket.approve", ticket, "--plan", digest, as_=as_, expect=expect)

    def show(self, ticket: str) -> dict[str, Any]:
        """Return what `ticket.show --json` tells."""
        return dict(json.loads(self.inv("ticket.show", ticket, "--json").stdout))
