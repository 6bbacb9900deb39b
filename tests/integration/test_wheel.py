"""The installed package is whole: playbooks, roles, templates, licence, and the demo's way by `sopauto` alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.cast import STATEMENTS, drop_off, give_back
from lab.ios import IosSwitch
from lab.loopback import LoopbackServer
from lab.mailbox import Mailbox
from lab.workspace import make_key, public_half, workspace_on_loopback
from sopauto.technical.run_files import gather
from sopauto.tickets.model import Letter
from sopauto.work import sha256

ROOT = Path(__file__).parents[2]
ADDRESS = "127.0.32.10"
CHECKED = "konfigurasi.4"
LOOK = """\
import json, sys
from sopauto.technical.run_files import gather, shipped
from sopauto.work import sha256
files = {name: sha256(content) for name, content in gather([shipped()], sys.argv[1]).items()}
print(json.dumps([str(shipped()), files]))
"""
OURS = ("VIRTUAL_ENV", "PYTHONPATH", "SOPAUTO_HOME", "UV_PROJECT_ENVIRONMENT")


def environment(**more: str) -> dict[str, str]:
    """Return an environment that says nothing of the checkout."""
    return {name: value for name, value in os.environ.items() if name not in OURS} | more


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], str]) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([need("uv"), "build", "--wheel", "-q", "--out-dir", folder, ROOT], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory, need: Callable[[str], str]) -> Path:
    """Return an environment of its own that holds the wheel and what it needs (as uv.lock has it), and nothing else."""
    made = tmp_path_factory.mktemp("installed") / "venv"
    uv = [need("uv"), "--quiet"]
    without_us = ["sync", "--frozen", "--no-default-groups", "--no-install-project", "--no-build"]
    subprocess.run(
        [*uv, *without_us, "--project", ROOT, "--python", sys.executable],
        check=True,
        env=environment(UV_PROJECT_ENVIRONMENT=str(made), UV_COMPILE_BYTECODE="0"),
    )
    subprocess.run([*uv, "pip", "install", "--no-deps", "--python", made / "bin/python", wheel], check=True)
    return made


def test_a_wheel_brings_playbooks_and_roles_where_the_installed_program_finds_them(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    tracked = {
        path.relative_to(ROOT).as_posix()
        for folder in ("playbooks", "roles")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    inside = installed / "sopauto" / "shipped"
    assert {path.relative_to(inside).as_posix() for path in inside.rglob("*") if path.is_file()} == tracked
    for playbook in sorted(name for name in tracked if name.startswith("playbooks/")):
        ended = subprocess.run(
            [sys.executable, "-c", LOOK, playbook],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(installed)},
        )
        here = {name: sha256(content) for name, content in gather([ROOT], playbook).items()}
        assert json.loads(ended.stdout) == [str(inside), here]


def test_a_wheel_names_its_licence_and_holds_what_is_beside_the_code(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        told = archive.read(metadata).decode()
        (licence,) = [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()
    assert "License-Expression: Apache-2.0" in told
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"sopauto"}
    beside = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "sopauto").rglob("*")
        if path.is_file() and not {"__pycache__", "recorded"} & set(path.parts)  # recorded answers are for tests
    }
    assert beside <= set(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Somebody who has the wheel and no checkout, and types what is hinted at."""

    program: Path
    home: Path
    keys: dict[str, Path]

    def types(self, *words: str, as_: str = "", expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        who = ["--as", as_, "--key", str(self.keys[as_])] if as_ else []
        told = environment(SOPAUTO_HOME=str(self.home), PATH=os.defpath)
        ended = subprocess.run(
            [self.program, *words, *who], cwd=self.home, env=told, capture_output=True, text=True, check=False
        )
        assert expect is None or ended.returncode == expect, f"{words}\n{ended.stdout}\n{ended.stderr}"
        assert "Traceback" not in ended.stderr
        return ended

    def reads(self, *words: str) -> Any:
        return json.loads(self.types(*words, "--json").stdout)

    def opens(self, letter: Letter) -> str:
        path = self.home / "letters" / "surat.yaml"
        envelope = {"sop": letter.procedure, "opd": letter.unit, "pemohon": letter.applicant}
        path.write_text(json.dumps({**envelope, "surat": dict(letter.fields)}))
        self.types("ticket.open", str(path), as_=letter.applicant)
        return str(self.reads("ticket.list", "--limit", "1")[0]["ticket"])

    def follows_the_hints(self, ticket: str) -> list[str]:
        """Type what is hinted at until the ticket is done; return the commands' names."""
        typed: list[str] = []
        while (stands := self.reads("ticket.show", ticket))["state"] == "open":
            assert len(typed) < 60, stands
            if stands["step"] == CHECKED:  # who decides is hinted at; the look before it is Technical Support's
                self.types("custody.check", ticket, as_="joko")
            for command in stands["type"].partition("  (ya)")[0].split(", then "):
                program, *words = command.split()
                assert program == "sopauto"
                typed.append(words[0])
                self._as_whoever_may(stands["who"], [self._stated(stands["step"], word) for word in words])
        assert stands["state"] == "done"
        return typed

    def _as_whoever_may(self, who: str, words: list[str]) -> None:
        """Type it as whom everybody waits for; a plan and its approval are of two."""
        refusals = []
        for person in sorted(self.keys, key=lambda person: person not in re.findall(r"\w+", who)):
            ended = self.types(*words, as_=person, expect=None)
            if ended.returncode == 0:
                return
            assert ended.returncode == 3, ended.stderr
            refusals.append(ended.stderr)
        raise AssertionError(f"{words}: {refusals}")

    @staticmethod
    def _stated(step: str, word: str) -> str:
        name, _, value = word.partition("=")
        return f"{name}={STATEMENTS.get(f'{step} {name}', STATEMENTS.get(name))}" if value == "…" else word


@pytest.fixture
def newcomer(installed: Path, tmp_path: Path) -> Iterator[Newcomer]:
    """Yield a newcomer with a new workspace, whose settings, people and assets tell of a switch and a server here."""
    login = make_key(tmp_path / "login")
    with (
        IosSwitch(authorized=public_half(login)) as switch,
        LoopbackServer(authorized=public_half(login), host=ADDRESS) as server,
        Mailbox(directory=tmp_path / "mail") as mailbox,
    ):
        written = workspace_on_loopback(
            tmp_path / "written", switch=switch, server=server, mailbox=mailbox, key_file=login
        )
        found = Newcomer(program=installed / "bin/sopauto", home=tmp_path / "kominfo", keys=written.keys)
        found.home.mkdir()
        assert "sopauto doctor" in found.types("workspace.init", str(found.home)).stdout
        for name in ("sopauto.toml", "people.yaml", "assets.yaml"):
            shutil.copy(written.home / name, found.home / name)
        yield found


def test_a_newcomer_walks_the_demo_with_the_wheel_alone(newcomer: Newcomer) -> None:
    newcomer.types("assets.import", "assets.yaml")
    rows = {row["what"]: row for row in newcomer.reads("doctor")}
    assert {row["state"] for row in rows.values()} == {"ok", "version"}
    assert "commit" not in rows
    placed = newcomer.opens(drop_off())
    typed = newcomer.follows_the_hints(placed)
    assert {"ticket.plan", "ticket.approve", "custody.connect", "inventory.collect"} <= set(typed)
    returned = newcomer.opens(give_back(placed))
    assert "custody.disconnect" in newcomer.follows_the_hints(returned)
    assert "intact" in newcomer.types("ticket.verify", "all").stdout
    newcomer.types("ticket.export", placed)


def test_a_newcomer_is_told_what_to_type_by_the_name_of_the_installed_program(newcomer: Newcomer) -> None:
    told = newcomer.types("ticket.show", "PS-2026-0001", expect=2).stderr
    assert "see `sopauto ticket.list`" in told
    assert "open one with `sopauto ticket.open LETTER`" in newcomer.types("ticket.list").stdout


def test_playbooks_of_the_wheel_are_read_without_a_checkout(newcomer: Newcomer) -> None:
    assert newcomer.types("sop.check", "all").returncode == 0
