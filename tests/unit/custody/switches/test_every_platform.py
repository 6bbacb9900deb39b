"""What every platform has to do, from answers that were recorded: a new one is tried by all of this."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from netmiko.ssh_dispatcher import CLASS_MAPPER

from sopauto.custody.port import Connect, Disconnect
from sopauto.custody.switches.base import LineRefusedError, Session, SessionLostError
from sopauto.custody.switches.platforms import HERE, NAMES, platform_of
from sopauto.custody.switches.template import read_template
from sopauto.errors import BadInput, OutcomeUnknown, Refused, StepFailed
from sopauto.work import Plan, Probe, WorkOrder
from tests.unit.custody.switches.replay import Recorded, Replay

HOSTILE = {
    "server": ["web;reload", "{{ 7*7 }}", "web\nshutdown", "", "Web", "web 01", "web-01\n"],
    "port": ["Gi1/0/1\nshutdown", "Gi1; rm -rf /", "$(reboot)", "", "-x", "Gi1/0/1 "],
    "ticket": ["PS-2026-0001\nend", "PS-2026-1", "", "ps-2026-0001"],
    "vlan": [0, 4095, 5000, "30", None, 30.0],
    "unused_vlan": [0, 4095, "999"],
}


@pytest.fixture(params=NAMES)
def recorded(request: pytest.FixtureRequest) -> Recorded:
    return Recorded(request.param)


@pytest.fixture
def replay(recorded: Recorded) -> Replay:
    return Replay(recorded)


def quiet(_: str) -> None:
    pass


def module(replay: Replay, kind: type[Connect | Disconnect] = Connect, templates: Path = Path("none")) -> Any:
    return kind(replay, templates=templates, pause=0)


def plan(replay: Replay, kind: type[Connect | Disconnect] = Connect, **changes: Any) -> Plan:
    made: Plan = module(replay, kind).plan(replay.recorded.work(**changes).as_json(), quiet)
    return made


def order(plan: Plan) -> WorkOrder:
    return WorkOrder(
        ticket="PS-2026-0001",
        step="konfigurasi.1",
        attempt=1,
        person="joko",
        module=plan.module,
        parameters=plan.parameters,
        targets=plan.targets,
        procedure_digest="",
        materials={},
        plan=plan,
    )


def opened(replay: Replay) -> Session:
    with replay.session(replay.recorded.work().switch) as session:
        return session


def outcome(step: Any, plan: Plan) -> str:
    """Return where the step says that the port is."""
    try:
        step.apply(order(plan), quiet)
    except StepFailed as failed:
        return "free" if re.search("port is as before|before anything was changed", str(failed)) else str(failed)
    except OutcomeUnknown as unknown:
        return str(unknown)
    return "connected"


def test_every_folder_is_named_and_every_name_is_a_folder() -> None:
    folders = {path.parent.name for path in HERE.glob("*/driver.py")}
    assert sorted(NAMES) == sorted(folders)
    assert len(set(NAMES)) == len(NAMES)


class TestEveryPlatform:
    def test_it_bears_the_name_by_which_netmiko_knows_it(self, recorded: Recorded) -> None:
        assert recorded.platform in CLASS_MAPPER

    def test_a_free_and_a_connected_port_are_read_as_what_the_steps_lead_to(self, recorded: Recorded) -> None:
        work = recorded.work()
        for at, state in (("free", work.disconnected()), ("connected", work.connected())):
            session = opened(Replay(recorded, at=at))
            assert session.read(work.port) == state
            assert session.saved(work.port) == state

    def test_what_was_saved_is_asked_for_by_itself(self, recorded: Recorded) -> None:
        work, asking = recorded.work(), Replay(recorded)
        opened(asking).saved(work.port)
        answers = {command: recorded["free"].answers[command] for command in asking.asked}
        session = opened(Replay(recorded, at="connected", fails=answers))
        assert session.saved(work.port) == work.disconnected()
        # Where nothing is saved apart, what runs is what was saved.
        running = work.connected() if "save" in recorded else work.disconnected()
        assert session.read(work.port) == running

    def test_its_template_writes_the_lines_that_were_recorded(self, recorded: Recorded) -> None:
        for at, kind, way in (("free", Connect, "connect"), ("connected", Disconnect, "disconnect")):
            lines = plan(Replay(recorded, at=at), kind).lines
            taken = list(recorded[way].answers)
            assert len(lines) == len(taken)
            assert all(f"{command} ".startswith(f"{line} ") for line, command in zip(lines, taken, strict=True))

    def test_a_port_is_connected_freed_and_brought_back(self, replay: Replay) -> None:
        there = plan(replay)
        assert replay.lines == []
        assert module(replay).probe(order(there), quiet) is Probe.NOT_BEGUN
        assert module(replay).apply(order(there), quiet).changed
        assert replay.at == "connected"
        assert module(replay).probe(order(there), quiet) is Probe.DONE
        module(replay).undo(order(there), quiet)
        assert replay.at == "free"
        assert replay.lines == [*replay.recorded["connect"].answers, *replay.recorded["disconnect"].answers]

    def test_each_line_that_was_taken_is_reported(self, replay: Replay) -> None:
        heard: list[str] = []
        made = plan(replay)
        module(replay).apply(order(made), heard.append)
        assert [line for line in heard if line.startswith("line sent")] == [f"line sent: {line}" for line in made.lines]

    def test_a_port_of_somebody_else_is_refused_both_ways_and_nothing_is_sent(self, recorded: Recorded) -> None:
        assert len(recorded.foreign) >= 2
        for piece in recorded.foreign:
            replay = Replay(recorded, fails=piece.answers)
            for kind in (Connect, Disconnect):
                with pytest.raises(Refused, match=re.escape(f"{recorded.work().target} {piece.refused}; ")):
                    plan(replay, kind)
            assert replay.lines == []

    def test_a_port_that_is_not_there_is_bad_input(self, recorded: Recorded) -> None:
        with pytest.raises(BadInput, match=f"there is no port {recorded.work().port}"):
            plan(Replay(recorded, fails=recorded["missing"].answers))

    @pytest.mark.parametrize("answer", ["", "\n", "x", "status=0", "{}\nstatus=0", "[]\nstatus=0"])
    def test_an_answer_that_says_nothing_is_no_free_port(self, recorded: Recorded, answer: str) -> None:
        silent = Replay(recorded, fails=dict.fromkeys(recorded["free"].answers, answer))
        with pytest.raises((BadInput, SessionLostError)):
            opened(silent).read(recorded.work().port)

    def test_a_line_that_the_switch_refuses_brings_the_port_back(self, recorded: Recorded) -> None:
        made = plan(Replay(recorded))
        replay = Replay(recorded, fails=recorded["line-refused"].answers)
        reason = next(filter(None, recorded["line-refused"].answers.values())).splitlines()[0]
        with pytest.raises(LineRefusedError, match=re.escape(reason)):
            opened(replay).send(made.lines, quiet)
        with pytest.raises(StepFailed, match="the port is as before"):
            module(replay).apply(order(made), quiet)

    def test_what_cannot_be_saved_is_refused(self, recorded: Recorded) -> None:
        if "save" not in recorded:
            replay = Replay(recorded)
            opened(replay).save()
            assert replay.asked == []  # each change is saved by itself
            return
        opened(Replay(recorded)).save()
        for answer in (*recorded["save-refused"].answers.values(), ""):
            full = Replay(recorded, fails=dict.fromkeys(recorded["save"].answers, answer))
            with pytest.raises(LineRefusedError, match="saving failed"):
                opened(full).save()

    def test_a_session_that_drops_at_any_question_leaves_no_doubt(self, recorded: Recorded) -> None:
        whole = Replay(recorded)
        made = plan(Replay(recorded))
        module(whole).apply(order(made), quiet)
        for number in range(len(whole.asked)):
            replay = Replay(recorded, drop_at=number)
            assert outcome(module(replay), made) == replay.at, f"a drop at {whole.asked[number]!r}"

    @pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in HOSTILE.items() for value in values])
    def test_nothing_but_plain_words_and_numbers_gets_into_a_line(
        self, replay: Replay, name: str, value: object
    ) -> None:
        with pytest.raises(BadInput, match=f"parameter {name}"):
            plan(replay, **{name: value})
        assert replay.asked == []

    def test_an_agencys_own_template_wins_and_is_what_is_approved(self, replay: Replay, tmp_path: Path) -> None:
        name = replay.recorded.platform
        own = tmp_path / "switch" / name / "port.j2"
        own.parent.mkdir(parents=True)
        own.write_text("{# ours #}" + read_template(name, Path("none")).decode())
        parameters = replay.recorded.work().as_json()
        assert module(replay).materials(parameters) == {f"templates/{name}/port.j2": read_template(name, Path("none"))}
        assert module(replay, templates=tmp_path).materials(parameters) == {
            f"templates/{name}/port.j2": own.read_bytes()
        }
        own.write_text("{{ nothing }}")
        with pytest.raises(BadInput, match="the template does not work"):
            module(replay, templates=tmp_path).plan(parameters, quiet)

    def test_its_log_steers_no_terminal(self, replay: Replay) -> None:
        assert opened(replay).log() == "sw1# \\x1b[2Jhidden\n"

    def test_another_platform_is_not_taken_for_it(self, recorded: Recorded) -> None:
        for name in (recorded.platform.upper(), f"{recorded.platform}/../{recorded.platform}", "", "base"):
            with pytest.raises(BadInput, match="are not known"):
                platform_of(replace(recorded.work().switch, platform=name))
