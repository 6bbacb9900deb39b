"""What a run of a playbook may call done, with a runner that answers what it is told to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sopauto.errors import BadInput, NotBegun, Refused, Stale, StepFailed
from sopauto.technical.check_rules import hidden
from sopauto.technical.front_matter import refuse_dates, varying, without
from sopauto.technical.playbook import LEAVE, Change, PlaybookRun, RunPlaybook
from sopauto.tickets.in_order import InOrder
from sopauto.work import Foresight, Json, Plan, Probe, Report, Unforeseen, WorkOrder, sha256

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
PARAMETERS: Json = {"server": "server-01", "playbook": "p.yml"}
SHELL = Unforeseen(
    kind=Foresight.WILL,
    task="Back up",
    module="shell",
    arguments="tar c /srv",
    why="unknown",
    place="playbooks/p.yml:4",
)
LOOK = PlaybookRun(changes=[], failure=None, log="", unforeseen=(SHELL,), checked=1, leave=b"{}")
RAN = PlaybookRun(changes=[Change(task="Back up")], failure=None, log="", ran=frozenset({SHELL.place}))


@dataclass(slots=True)
class Runner:
    """Answers looks and runs in turn; keeps what it was given."""

    looks: list[PlaybookRun]
    run_: PlaybookRun = RAN
    given: list[tuple[bool, Mapping[str, bytes]]] = field(default_factory=list)

    def run(
        self, playbook: str, files: Mapping[str, bytes], parameters: Json, *, check: bool, report: Report
    ) -> PlaybookRun:
        self.given.append((check, files))
        if not check:
            return self.run_
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "p.yml").write_text("- hosts: all\n  tasks: []\n")
    return tmp_path


def module(home: Path, runner: Runner) -> RunPlaybook:
    return RunPlaybook(runner, roots=[home], now=lambda: NOW)


def order(of: RunPlaybook, plan: Plan) -> WorkOrder:
    return WorkOrder(
        ticket="XX-2026-0001",
        step="kerja.2",
        attempt=1,
        person="joko",
        module=of.name,
        parameters=PARAMETERS,
        targets=plan.targets,
        procedure_digest="",
        materials={name: sha256(content) for name, content in of.materials(PARAMETERS).items()},
        plan=Plan.from_json(plan.as_json()),
    )


def quiet(_: str) -> None:
    pass


def test_plans_without_unforeseen_tasks_keep_their_digests(home: Path) -> None:
    plan = module(home, Runner([replace(LOOK, unforeseen=())])).plan(PARAMETERS, quiet)
    assert set(plan.as_json()) == {"module", "targets", "parameters", "before", "lines", "after", "diff"}
    with_task = replace(plan, unforeseen=(SHELL,))
    assert with_task.digest != plan.digest
    assert Plan.from_json(with_task.as_json()) == with_task


def test_a_run_is_given_what_the_look_before_it_told(home: Path) -> None:
    runner = Runner([LOOK])
    playbook = module(home, runner)
    result = playbook.apply(order(playbook, playbook.plan(PARAMETERS, quiet)), quiet)
    assert result.changed
    assert [(check, LEAVE in files) for check, files in runner.given] == [
        (True, False),
        (True, False),
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (replace(RAN, ran=frozenset(), changes=[]), "Back up was approved and did not run"),
        (replace(RAN, strange=("Other",)), "Other changed something that no plan told"),
        (replace(RAN, failure="boom"), "plan again: what ran once must not run twice"),
        (replace(RAN, failure="boom", ran=frozenset()), "run it again: it goes on where it stopped"),
    ],
)
def test_a_run_that_did_not_do_just_what_was_approved_has_failed(home: Path, run: PlaybookRun, told: str) -> None:
    playbook = module(home, Runner([LOOK], run))
    with pytest.raises(StepFailed, match=told):
        playbook.apply(order(playbook, playbook.plan(PARAMETERS, quiet)), quiet)


def test_other_unforeseen_tasks_than_were_approved_are_stale_before_the_work(home: Path) -> None:
    for now in ((), (replace(SHELL, arguments="rm -r /srv"),), (SHELL, replace(SHELL, place="playbooks/p.yml:9"))):
        runner = Runner([LOOK, replace(LOOK, unforeseen=now)])
        playbook = module(home, runner)
        with pytest.raises(Stale):
            playbook.apply(order(playbook, playbook.plan(PARAMETERS, quiet)), quiet)
        assert all(check for check, _ in runner.given)


def test_a_look_that_fails_before_work_that_runs_once_has_not_begun(home: Path) -> None:
    playbook = module(home, Runner([LOOK, replace(LOOK, failure="unreachable")]))
    with pytest.raises(NotBegun):
        playbook.apply(order(playbook, playbook.plan(PARAMETERS, quiet)), quiet)


def test_nobody_can_tell_afterwards_whether_a_command_ran(home: Path) -> None:
    playbook = module(home, Runner([LOOK]))
    assert playbook.probe(order(playbook, playbook.plan(PARAMETERS, quiet)), quiet) is Probe.UNKNOWN


def test_what_leaves_nothing_may_run_again_and_is_no_work_by_itself(home: Path) -> None:
    harmless = replace(LOOK, unforeseen=(replace(SHELL, leaves_nothing="it only reads"),), checked=1)
    runner = Runner([harmless])
    playbook = module(home, runner)
    plan = playbook.plan(PARAMETERS, quiet)
    assert playbook.apply(order(playbook, plan), quiet).summary.endswith("(1 tasks were checked); nothing was run")
    assert playbook.probe(order(playbook, plan), quiet) is Probe.DONE
    with pytest.raises(Refused, match="no task of it would do anything"):
        module(home, Runner([replace(harmless, checked=0)])).plan(PARAMETERS, quiet)


def test_a_module_that_leaves_nothing_may_be_given_what_a_cut_off_run_left_and_a_command_may_not(home: Path) -> None:
    reading = replace(SHELL, module="control_audit", leaves_nothing="it only reads")
    for task, stale in ((reading, False), (replace(reading, module="ansible.builtin.command"), True)):
        changed = [Change(task="Write it", parts=("+x",))]
        first = replace(LOOK, changes=changed, unforeseen=(task,))
        now = replace(first, unforeseen=(replace(task, arguments="before=another state"),))
        runner = Runner([first, now, replace(now, changes=[])], replace(RAN, changes=changed))
        playbook = module(home, runner)
        work = order(playbook, playbook.plan(PARAMETERS, quiet))
        if stale:
            with pytest.raises(Stale):
                playbook.apply(work, quiet)
        else:
            assert playbook.apply(work, quiet).changed


def test_parts_of_one_row_keep_their_unforeseen_tasks_and_run_as_a_whole(home: Path) -> None:
    playbook = module(home, Runner([LOOK]))
    parts = InOrder([playbook], until=None)
    plan = parts.plan({playbook.name: PARAMETERS}, quiet)
    assert [task.part for task in plan.unforeseen] == [playbook.name]
    whole = replace(order(playbook, plan), parameters={playbook.name: PARAMETERS})
    assert parts.probe(whole, quiet) is Probe.UNKNOWN
    with pytest.raises(Refused, match="runs once for one approval"):
        InOrder([playbook, playbook], until="other").apply(whole, quiet)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- hosts: all\n  check_mode: false\n", 2),
        ("- name: x\n  block:\n    - {shell: x, check_mode: no}\n", 3),
        ('- check_mode: "{{ how }}"\n', 1),
        ("- include_role: {name: r, apply: {check_mode: off}}\n", 1),
        ("- roles:\n    - {role: r, check_mode: False}\n", 2),
        ("- shell: !unsafe x\n  check_mode: false\n", 2),
        ("- shell: x\n  async: 10\n  poll: 0\n", 3),
        ("- vars: {ansible_check_mode: false}\n", 1),
    ],
)
def test_what_would_make_a_plan_untrue_is_found_by_its_line(text: str, line: int) -> None:
    for name in ("playbooks/p.yml", "roles/r/tasks/x.yaml", "roles/r/handlers/main.yml", "roles/r/defaults/main.yml"):
        ((where, _, _),) = hidden({name: text.encode()})
        assert where == f"{name}:{line}"


def test_check_mode_that_is_forced_on_and_words_in_files_for_servers_are_no_fault() -> None:
    for name, text in (
        ("roles/r/tasks/main.yml", "- shell: x\n  check_mode: true\n"),
        ("roles/r/files/x.yml", "check_mode: false\n"),
        ("roles/r/templates/x.yml", "check_mode: false\n"),
    ):
        assert list(hidden({name: text.encode()})) == []


def declared(pattern: str, why: str = "date") -> bytes:
    return f'- hosts: all\n  vars:\n    sopauto_varies: [{{pattern: "{pattern}", why: {why}}}]\n'.encode()


def test_a_pattern_hides_just_what_it_says() -> None:
    found = varying(declared("cadangan-########"), "p.yml")
    assert without("x/cadangan-20261126.gz cadangan-2026", found) == "x/cadangan-########.gz cadangan-2026"
    assert without("a.b-1", varying(declared("a.b-?"), "p.yml")) == "a.b-?"
    assert without("axb-1", varying(declared("a.b-?"), "p.yml")) == "axb-1"


@pytest.mark.parametrize("pattern", ["########", "a#", "cadangan", "x" * 99 + "##"])
def test_a_pattern_that_hides_too_much_or_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(BadInput, match="sopauto_varies"):
        varying(declared(pattern), "p.yml")


def test_todays_date_is_refused_where_the_playbook_asks_for_the_time_and_does_not_declare_it() -> None:
    asks: dict[str, Any] = {"playbooks/p.yml": b"{{ ansible_date_time.date }}"}
    found = varying(declared("k-####-##-##"), "p.yml")
    for text in ("k-2026-11-26", "k-20261127", f"k-{int(NOW.timestamp()) - 60}"):
        with pytest.raises(Refused, match="differs from day to day"):
            refuse_dates([text], asks, (), now=NOW, where="p.yml")
    refuse_dates(["k-2026-11-26"], asks, found, now=NOW, where="p.yml")
    refuse_dates(["k-2026-11-26"], {"playbooks/p.yml": b"k-2026-11-26"}, (), now=NOW, where="p.yml")
    refuse_dates(["k-2020-01-01"], asks, (), now=NOW, where="p.yml")
