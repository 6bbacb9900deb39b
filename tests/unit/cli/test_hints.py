"""Every command that a hint, a mend or a page names exists, with the flags that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from invoke.collection import Collection

from sopauto.app import OFFERS, shipped_library
from sopauto.cli.running import MODULE_COMMANDS
from sopauto.cli.ticket_text import next_command
from sopauto.procedures.model import Procedure, Step
from sopauto.tickets.model import Planned, State, Ticket
from tasks import ns

ROOT = Path(__file__).parents[3]
NAMED = re.compile(r"\b(?:inv|sopauto) ((?:[a-z]+\.)?[a-z][a-z-]*)((?:(?!\b(?:inv|sopauto) )[^\n`\"'#])*)")
FLAG = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")
IN_MEND = re.compile(
    r"`((?:ticket|custody|access|server|software|inventory|assets|mail|sop|store|schedule|workspace)\.[a-z-]+)[` ]"
)
INVOKES_OWN = frozenset({"help", "list", "debug", "version"})
PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")),
    *sorted((ROOT / "docs").glob("*.md")),
]
SOURCES = [*sorted((ROOT / "sopauto").rglob("*.py")), *sorted((ROOT / "sopauto").rglob("*.typ"))]
SOURCES += sorted((ROOT / "sopauto").rglob("*.j2"))


def flags(commands: Collection, name: str) -> set[str]:
    """Return the long flags of a command."""
    arguments = commands[name].get_arguments()
    return {flag.lstrip("-") for argument in arguments for flag in argument.names}


def wrong(text: str) -> Iterator[str]:
    """Yield each command that a text names and that does not exist, or not with that flag."""
    known = set(ns.task_names)
    for match in NAMED.finditer(text):
        name, rest = match[1], match[2]
        if "." not in name and name not in known:
            continue  # a sentence: `inv` stands for …
        if name not in known:
            yield f"inv {name}"
            continue
        for flag in FLAG.findall(rest):
            if flag not in flags(ns, name) | INVOKES_OWN:
                yield f"inv {name} --{flag}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_names_only_commands_that_exist(path: Path) -> None:
    assert list(wrong(path.read_text())) == []


def test_the_sources_name_only_commands_and_pages_that_exist() -> None:
    known = set(ns.task_names) | set(OFFERS.steps)
    for path in SOURCES:
        text = path.read_text()
        assert list(wrong(text)) == [], path
        mends = [name for name in IN_MEND.findall(text) if not name.endswith(".py")]
        assert [name for name in mends if name not in known] == [], path
        assert [page for page in re.findall(r"docs/[\w-]+\.md", text) if not (ROOT / page).is_file()] == [], path


def stands(procedure: Procedure, step: Step, **more: object) -> Ticket:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    ticket = Ticket(
        id=f"{procedure.prefix}-2026-0001",
        procedure=procedure.code,
        procedure_digest="0" * 64,
        unit="u",
        applicant="p",
        letter={},
        opened_at=now,
        state=State.OPEN,
        step=step.id,
        since=now,
    )
    return ticket.with_changes(**more)


def plan(approved_by: str | None) -> Planned:
    return Planned(plan="a" * 64, order="b" * 64, document="c" * 64, by="joko", approved_by=approved_by)


@pytest.mark.parametrize("procedure", shipped_library().all(), ids=lambda procedure: procedure.code)
def test_what_a_ticket_hints_at_exists_at_every_row_of_every_sop(procedure: Procedure) -> None:
    for step in procedure.steps:
        for more in (
            {},
            {"plans": {step.id: plan(None)}},
            {"plans": {step.id: plan("bambang")}},
            {"unknown": True},
            {"state": State.DONE},
            {"waits_for": "tempat", "state": State.WAITING},
        ):
            hint = next_command(procedure, stands(procedure, step, **more), plan="a" * 64)
            assert list(wrong(hint)) == [], hint
            assert NAMED.search(hint), hint


@pytest.mark.parametrize("module", sorted(OFFERS.steps))
def test_what_is_approved_is_run_by_a_command_that_exists(module: str) -> None:
    procedure = shipped_library().get("penitipan-server")
    step = procedure.step("konfigurasi.1")
    assert step.technical is not None
    work = replace(step, technical=replace(step.technical, modules=(module,)))
    steps = tuple(work if row.id == work.id else row for row in procedure.steps)
    ticket = stands(procedure, work, plans={work.id: plan("bambang")})
    hint = next_command(replace(procedure, steps=steps), ticket)
    assert list(wrong(hint)) == []
    assert hint in {f"inv {module} {ticket.id}", f"inv ticket.run {ticket.id}"}


def test_a_module_without_a_command_of_its_own_is_run_by_ticket_run() -> None:
    assert set(ns.task_names) >= MODULE_COMMANDS
    assert set(OFFERS.steps) >= MODULE_COMMANDS
    assert "playbook.run" not in MODULE_COMMANDS
    assert "software.check" not in MODULE_COMMANDS, "this command checks the catalogue"
