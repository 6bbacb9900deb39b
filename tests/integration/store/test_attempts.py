"""Attempts at machine work on both databases: leases, workers taken for dead, results that were not recorded."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.office import make_office
from lab.cast import STATEMENTS, drop_off
from lab.walking import Walk
from lab.workspace import Workspace
from sopauto.app import App
from sopauto.assets.importing import read_assets
from sopauto.errors import BadInput, NotRecorded, OutcomeUnknown, Refused, StepFailed
from sopauto.journal.entry import Signed, read_body
from sopauto.store.holding import Hold
from sopauto.tickets import lease as lease_module
from sopauto.tickets import results
from sopauto.tickets.desk import Desk
from sopauto.tickets.model import Outcome
from sopauto.tickets.record import action_of
from sopauto.tickets.running import run, settle
from sopauto.tickets.verifying import verify_all
from sopauto.work import Artifact, Json, Plan, Probe, Report, Result, WorkOrder

STEP = "konfigurasi.1"


@dataclass(slots=True)
class Machine:
    """The technical module of the row, and the machine behind it: what it did, and what it says of itself."""

    name: str = "custody.connect"
    mutates: bool = True
    applied: int = 0
    found: Probe = Probe.NOT_BEGUN
    during: Callable[[], object] = lambda: None

    def materials(self, parameters: Json) -> Mapping[str, bytes]:
        return {}

    def plan(self, parameters: Json, report: Report) -> Plan:
        return Plan(
            module=self.name, targets=("sw1",), parameters=parameters, before={"a": 1}, lines=("do",), after={"a": 2}
        )

    def apply(self, order: WorkOrder, report: Report) -> Result:
        self.applied += 1
        number = self.applied
        self.during()
        log = Artifact(name="bukti.txt", media_type="text/plain", content=f"run {number}".encode())
        return Result(changed=True, summary=f"run {number} changed it", facts={"run": number}, artifacts=(log,))

    def probe(self, order: WorkOrder, report: Report) -> Probe:
        return self.found

    def undo(self, order: WorkOrder, report: Report) -> Result:
        return Result(changed=True, summary="as before")


@dataclass(slots=True, kw_only=True)
class Stage:
    """A ticket whose plan is approved, and the people who may carry it out."""

    workspace: Workspace
    machine: Machine
    ticket: str = ""
    said: list[str] = field(default_factory=list)

    def desk(self, person: str = "joko", **changes: Any) -> Desk:
        """Return a desk as a process of its own has it."""
        desk = self.workspace.app().desk(person, key=self.workspace.keys[person], report=self.said.append)
        return replace(desk, **changes)

    def elsewhere(self, **changes: Any) -> Desk:
        """Return a desk on another machine, which sees no lock of this one: the network between them is cut."""
        desk = self.desk(workers=Elsewhere(), **changes)
        return replace(desk, store=Unlocked(desk.store))

    def run(self, desk: Desk | None = None) -> Any:
        desk = desk or self.desk()
        return run(desk, self.ticket, person="joko")

    def last(self) -> Any:
        """Return the last action and the content of its documents by name."""
        with self.workspace.app().store.read() as reader:
            action = action_of(read_body(reader.entries(self.ticket)[-1].body))
            return action, {document.name: reader.document(document.sha256) for document in action.documents}

    def attempts(self) -> list[Outcome | None]:
        with self.workspace.app().store.read() as reader:
            return [attempt.outcome for attempt in reader.attempts(self.ticket, STEP)]

    def kept(self) -> list[Path]:
        return sorted((self.workspace.home / "unrecorded").glob("*"))

    def refuse_faults(self) -> None:
        app = self.workspace.app()
        with app.store.read() as reader:
            assert verify_all(app, reader).findings == ()


class Elsewhere:
    """A worker on another machine."""

    me = "mesin-b pid=1 start=1 space=1.1.1 boot=00000000-0000-0000-0000-000000000000 machine=-"

    def alive(self, worker: str) -> bool | None:
        return None

    def same_machine(self, worker: str) -> bool:
        return False

    def stop(self, why: str) -> None:
        raise AssertionError(why)


class Unlocked:
    """A store whose lock of machine work is always free."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def hold(self, ticket: str, step: str) -> Iterator[Hold]:
        yield Hold()


class Failing:
    """A signer that proves its key and then cannot sign."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def sign(self, message: bytes) -> Signed:
        if b'"begins"' in message:  # the gate makes sure of the key
            return Signed(signature="", key="")
        raise self._error


@pytest.fixture
def stage(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Stage:
    workspace = make_office(tmp_path / "office")
    settings = workspace.home / "sopauto.toml"
    settings.write_text(f'database = "{url}"\n{settings.read_text()}')
    machine = Machine()
    real = App.modules
    monkeypatch.setattr(App, "modules", lambda self: {**real(self), machine.name: machine})
    monkeypatch.setattr(results, "PAUSES", (0.01,))
    app = workspace.app()
    with app.store.write() as writer:
        writer.assets.replace(*read_assets(workspace.home / "assets.yaml"))
    walk = Walk(app=app, keys=workspace.keys, statements=STATEMENTS)
    ticket = walk.until(walk.open(drop_off(), person="siti"), STEP)
    from sopauto.tickets.acting import act
    from sopauto.tickets.model import Verb
    from sopauto.tickets.running import make_plan

    planned, _ = make_plan(app.desk("joko", key=workspace.keys["joko"]), ticket.id, person="joko")
    act(
        app.desk("bambang", key=workspace.keys["bambang"]),
        ticket.id,
        Verb.APPROVE,
        person="bambang",
        seen_plan=planned.plans[STEP].document,
    )
    return Stage(workspace=workspace, machine=machine, ticket=ticket.id)


def test_work_that_lasts_longer_than_its_lease_is_not_taken_over(stage: Stage) -> None:
    answers = []

    def others_try() -> None:
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            with pytest.raises(Refused, match="attempt 1 by joko runs since") as refused:
                stage.run(stage.elsewhere())
            answers.append(refused)
            time.sleep(0.2)

    stage.machine.during = others_try
    stage.run(stage.desk(lease=timedelta(seconds=1)))
    assert len(answers) > 2
    assert stage.machine.applied == 1
    assert stage.attempts() == [Outcome.DONE]
    stage.refuse_faults()


def test_while_its_lock_is_held_no_clock_makes_a_worker_dead(stage: Stage) -> None:
    def other_tries() -> None:
        with pytest.raises(Refused, match="attempt 1 by joko runs since"):
            stage.run(stage.desk(workers=Elsewhere()))

    stage.machine.during = other_tries
    stage.run(stage.desk(lease=timedelta(seconds=-60)))
    assert stage.machine.applied == 1


@pytest.fixture
def never_renewed(monkeypatch: pytest.MonkeyPatch) -> timedelta:
    """A lease that has run out when it begins, and is not renewed."""
    monkeypatch.setattr(lease_module.Lease, "_renew_again_and_again", lambda _: None)
    return timedelta(0)


def test_a_worker_that_lost_its_lease_cannot_record_and_its_evidence_is_kept(
    stage: Stage, never_renewed: timedelta
) -> None:
    stage.machine.found = Probe.UNKNOWN

    def taken_over() -> None:
        with pytest.raises(OutcomeUnknown):
            stage.run(stage.elsewhere())

    stage.machine.during = taken_over
    with pytest.raises(NotRecorded, match=r"is done, not recorded \(its lease ran out and it was taken over"):
        stage.run(stage.desk(lease=never_renewed))
    assert stage.attempts() == [Outcome.UNKNOWN]
    (kept,) = stage.kept()
    assert "run 1 changed it" in kept.read_text()
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)

    settle(stage.desk(), stage.ticket, person="joko", outcome=Outcome.NOT_BEGUN, note="not there")
    with pytest.raises(OutcomeUnknown, match="went on after its lease had run out"):
        stage.run()
    action, documents = stage.last()
    assert action.outcome is Outcome.UNKNOWN
    assert documents["bukti.txt"] == b"run 1"
    assert stage.kept() == []
    assert stage.machine.applied == 1
    stage.refuse_faults()


def test_two_that_ran_at_once_are_unknown_until_an_engineer_decides(stage: Stage, never_renewed: timedelta) -> None:
    first_ends = threading.Event()
    second_runs = threading.Event()

    def during() -> None:
        if stage.machine.applied == 1:
            assert second_runs.wait(20)
        else:
            second_runs.set()
            assert first_ends.wait(20)

    stage.machine.during = during
    ends: list[Exception] = []

    def first() -> None:
        try:
            stage.run(stage.desk(lease=never_renewed))
        except NotRecorded as error:
            ends.append(error)
        first_ends.set()

    thread = threading.Thread(target=first)
    thread.start()
    while stage.attempts() != [None]:
        time.sleep(0.05)
    with pytest.raises(OutcomeUnknown, match="went on after its lease had run out"):
        stage.run(stage.elsewhere())
    thread.join()
    assert len(ends) == 1
    action, documents = stage.last()
    assert action.outcome is Outcome.UNKNOWN
    assert set(documents.values()) == {b"run 1", b"run 2"} or len(documents) == 1
    assert stage.kept() == []
    stage.refuse_faults()


def test_when_the_database_is_away_for_longer_than_the_lease_the_work_is_stopped(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()
    desk = stage.desk(lease=timedelta(seconds=0.5))
    monkeypatch.setattr(desk.workers, "stop", lambda why: stopped.set() if "database is away" in why else None)
    real = desk.store.write

    def during() -> None:
        def away() -> Any:
            raise StepFailed("the database failed")

        monkeypatch.setattr(desk.store, "write", away)
        assert stopped.wait(10)
        monkeypatch.setattr(desk.store, "write", real)

    stage.machine.during = during
    stage.run(desk)  # nobody took it over meanwhile: the result counts
    assert stage.attempts() == [Outcome.DONE]


def test_a_worker_that_is_taken_over_is_stopped(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    desk = stage.desk(lease=timedelta(seconds=0.5))
    monkeypatch.setattr(desk.workers, "stop", lambda why: stopped.set() if "another worker took over" in why else None)

    def during() -> None:
        with stage.workspace.app().store.write() as writer:
            (attempt,) = writer.attempts(stage.ticket, STEP)
            writer.take_over(attempt, "b", writer.now())
        assert stopped.wait(10)

    stage.machine.during = during
    with pytest.raises(NotRecorded):
        stage.run(desk)


class TornStore(Unlocked):
    """A store that takes no entry any more once the work has begun."""

    broken = False

    def write(self) -> Any:
        if self.broken:
            raise StepFailed("the database failed (the server closed the connection); nothing was written")
        return self._store.write()


@pytest.mark.parametrize(
    "error",
    [
        BadInput("ssh-keygen: agent refused operation", mend="check the key's file and passphrase"),
        Refused("no key of joko is in the agent"),
        OSError(28, "No space left on device"),
        KeyError("bug"),
    ],
    ids=["agent", "no-key", "full", "bug"],
)
def test_what_was_done_and_not_signed_is_recorded_by_the_next_run_with_its_evidence(
    stage: Stage, error: Exception
) -> None:
    with pytest.raises(NotRecorded, match="attempt 1 is done, not recorded") as told:
        stage.run(stage.desk(signer=Failing(error)))
    assert f"inv ticket.run {stage.ticket}" in str(told.value)
    assert stage.attempts() == [None]

    after, result = stage.run()
    assert (after.step, result.changed, result.facts) == ("konfigurasi.2", True, {"run": 1})
    action, documents = stage.last()
    assert (action.outcome, documents["bukti.txt"]) == (Outcome.DONE, b"run 1")
    assert "attempt 1 by joko" in action.note
    assert stage.machine.applied == 1
    assert stage.kept() == []
    stage.refuse_faults()


def test_with_the_database_away_what_was_done_is_recorded_later(stage: Stage) -> None:
    desk = stage.desk()
    store = TornStore(desk.store)
    stage.machine.during = lambda: setattr(store, "broken", True)
    with pytest.raises(NotRecorded, match="the server closed the connection"):
        stage.run(replace(desk, store=store))
    stage.run()
    assert stage.machine.applied == 1
    assert stage.last()[1]["bukti.txt"] == b"run 1"


def test_who_left_the_position_during_the_work_does_not_sign_and_somebody_else_records_it(stage: Stage) -> None:
    people = stage.workspace.home / "people.yaml"
    before = people.read_text()

    def leaves() -> None:
        data = json.loads(before)
        joko = next(found for found in data["orang"] if found["id"] == "joko")
        joko["memegang"][0]["sampai"] = "2020-01-01"
        people.write_text(json.dumps(data))

    stage.machine.during = leaves
    with pytest.raises(NotRecorded, match="joko does not hold Technical Support"):
        stage.run()
    people.write_text(before)
    stage.run()
    assert stage.machine.applied == 1
    stage.refuse_faults()


def test_what_failed_and_was_not_recorded_is_recorded_as_failed_and_then_run_again(stage: Stage) -> None:
    def fail() -> None:
        log = Artifact(name="log.txt", media_type="text/plain", content=b"half")
        raise StepFailed("the line was refused", where="sw1", evidence=(log,))

    stage.machine.during = fail
    with pytest.raises(NotRecorded, match="attempt 1 is failed, not recorded"):
        stage.run(stage.desk(signer=Failing(BadInput("agent"))))
    stage.machine.during = lambda: None
    with pytest.raises(StepFailed, match="the line was refused"):
        stage.run()
    assert stage.last()[1] == {"log.txt": b"half"}
    assert stage.machine.applied == 1
    stage.run()
    assert stage.machine.applied == 2
    assert stage.attempts() == [Outcome.FAILED, Outcome.DONE]


def test_a_key_that_cannot_sign_is_told_before_anything_is_changed(stage: Stage) -> None:
    stage.workspace.keys["joko"].write_text("no key any more")
    with pytest.raises(BadInput):
        stage.run()
    assert stage.machine.applied == 0
    assert stage.attempts() == []


def test_without_room_for_its_result_no_work_begins(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StepFailed, match=r"no room to keep the result of this work \(No space left on device\)"):
        stage.run()
    assert stage.machine.applied == 0
    assert stage.attempts() == []


def _other_attempt(kept: Path) -> None:
    data = json.loads(kept.read_text())
    data["attempt"]["worker"] = "evil pid=1"
    kept.write_text(json.dumps(data))


def _other_order(kept: Path) -> None:
    data = json.loads(kept.read_text())
    data["attempt"]["order"] = "0" * 64
    kept.write_text(json.dumps(data))


def _linked(kept: Path) -> None:
    kept.rename(kept.with_name("elsewhere"))
    kept.symlink_to("elsewhere")


@pytest.mark.parametrize(
    "spoil",
    [
        _other_attempt,
        _other_order,
        _linked,
        lambda kept: kept.chmod(0o666),
        lambda kept: kept.parent.chmod(0o777),
        lambda kept: kept.write_text("{"),
        lambda kept: kept.write_text("[" * 100_000),
        lambda kept: kept.write_text('{"v": 1, "attempt": 5, "changed": true, "begun_at": "x"}'),
    ],
    ids=["attempt", "order", "link", "mode", "folder", "torn", "deep", "shape"],
)
def test_a_kept_result_that_others_may_have_written_is_not_believed(
    stage: Stage, spoil: Callable[[Path], object]
) -> None:
    with pytest.raises(NotRecorded):
        stage.run(stage.desk(signer=Failing(BadInput("agent"))))
    spoil(stage.kept()[0])
    stage.machine.found = Probe.DONE
    stage.run()
    action, documents = stage.last()
    assert "had been carried out and saved; nothing was sent again" in action.note
    assert documents == {}
    assert stage.machine.applied == 1


def test_an_undo_that_cannot_be_recorded_is_told_as_such(stage: Stage) -> None:
    stage.machine.during = lambda: (_ for _ in ()).throw(OutcomeUnknown("the switch is away"))
    with pytest.raises(OutcomeUnknown):
        stage.run()
    from sopauto.tickets.running import undo

    with pytest.raises(NotRecorded, match="undone, not recorded"):
        undo(stage.desk(signer=Failing(BadInput("agent"))), stage.ticket, person="joko", note="")
    undo(stage.desk(), stage.ticket, person="joko", note="")
    stage.refuse_faults()
