"""A hint names the command that was typed: `inv` in a checkout, `sopauto` where the package is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sopauto.cli.typed import as_typed, one_line
from sopauto.errors import BadInput, Refused

ROOT = Path(__file__).parents[3]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/agency/bin/sopauto", "ticket.list"])


def test_in_a_checkout_hints_stay_as_they_are() -> None:
    assert as_typed("see `inv ticket.show PS-2026-0001`") == "see `inv ticket.show PS-2026-0001`"


@pytest.mark.usefixtures("installed")
def test_installed_a_hint_names_the_installed_program() -> None:
    assert (
        as_typed("type: inv ticket.plan A, then `inv doctor`") == "type: sopauto ticket.plan A, then `sopauto doctor`"
    )


@pytest.mark.usefixtures("installed")
def test_commands_of_the_checkout_alone_keep_their_name() -> None:
    assert as_typed("inv demo, inv test --only unit") == "inv demo, inv test --only unit"


@pytest.mark.usefixtures("installed")
def test_of_an_error_the_mend_is_ours_and_what_was_given_is_not() -> None:
    error = Refused("'inv ticket.open x' is no letter", where="inv ticket.yaml", mend="see `inv ticket.list`")
    assert one_line(error) == "inv ticket.yaml: 'inv ticket.open x' is no letter; see `sopauto ticket.list`"
    assert one_line(BadInput("wrong")) == "wrong"
    assert one_line(OSError("inv ticket.list")) == "inv ticket.list"


@pytest.mark.parametrize(("program", "named"), [("sopauto", "sopauto"), ("inv", "inv")])
def test_commands_say_it_in_errors_help_and_new_workspaces(tmp_path: Path, program: str, named: str) -> None:
    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / program), *words]
        environment = {name: value for name, value in os.environ.items() if name != "SOPAUTO_HOME"}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert f"make a workspace with `{named} workspace.init DIRECTORY`" in typed("ticket.list").stderr
    assert f"Example: `{named} workspace.init kominfo`" in typed("--help", "workspace.init").stdout
    home = tmp_path / "kominfo"
    assert f"{named} doctor" in typed("workspace.init", str(home)).stdout
    assert f"Import it with `{named} assets.import assets.yaml`" in (home / "assets.yaml").read_text()
