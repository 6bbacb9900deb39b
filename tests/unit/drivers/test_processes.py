"""Whether another worker still runs: told only where this kernel and this namespace know it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sopauto.drivers import stopping
from sopauto.drivers.processes import Processes, Worker
from tests.conftest import need_or_skip


@pytest.fixture
def me() -> Worker:
    found = Worker.read(Processes().me)
    assert found is not None
    return found


@pytest.fixture
def ended(me: Worker) -> Worker:
    process = subprocess.Popen(["true"])
    process.wait()
    return replace(me, pid=process.pid)


def alive(worker: Worker | str) -> bool | None:
    return Processes().alive(str(worker))


def test_this_process_lives_and_one_that_ended_does_not(me: Worker, ended: Worker) -> None:
    assert alive(me) is True
    assert alive(ended) is False


def test_a_later_process_of_the_same_number_is_another(me: Worker) -> None:
    assert alive(replace(me, start=str(int(me.start) - 1))) is False


@pytest.mark.parametrize(
    "other",
    [
        {"space": "4.4026532999.0"},
        {"boot": "00000000-0000-0000-0000-000000000000"},
        {"boot": "00000000-0000-0000-0000-000000000000", "machine": "f" * 32},
        {"boot": "-"},
        {"space": "-", "machine": "-"},
    ],
    ids=["namespace", "boot", "machine", "boot-untold", "space-untold"],
)
def test_of_another_namespace_boot_or_machine_nothing_is_known(
    me: Worker, ended: Worker, other: dict[str, str]
) -> None:
    assert alive(replace(ended, **other)) is None  # type: ignore[arg-type]


def test_the_same_machine_is_known_across_boots_and_namespaces(me: Worker) -> None:
    processes = Processes()
    assert processes.same_machine(str(replace(me, space="4.4.4")))
    assert processes.same_machine(str(replace(me, boot="0-0"))) is (me.machine != "-")
    assert not processes.same_machine(str(replace(me, boot="0-0", machine="f" * 32)))
    assert not processes.same_machine(str(replace(me, boot="-", machine="-")))


def test_of_the_form_before_only_that_it_lives_is_known(me: Worker, ended: Worker) -> None:
    old = f"{me.host}:{me.pid}:{me.start}@{me.boot[:8]}"
    assert alive(old) is True
    assert alive(f"{me.host}:{ended.pid}:{me.start}@{me.boot[:8]}") is None  # perhaps in another namespace
    assert alive(f"elsewhere:{me.pid}:{me.start}@{me.boot[:8]}") is None
    assert alive(f"{me.host}:{me.pid}:{me.start}@00000000") is None
    assert not Processes().same_machine(old)


@pytest.mark.parametrize("text", ["", "host:1:2", "x" * 1000, "a b c", "h pid=-1 start=1 space=1 boot=1 machine=1"])
def test_what_no_worker_wrote_is_not_known(text: str) -> None:
    assert alive(text) is None


def test_a_worker_in_another_pid_namespace_is_not_taken_for_dead(me: Worker) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        need_or_skip(missing="unshare, as root")
    code = "from sopauto.drivers.processes import Processes; print(Processes().me)"
    for mount in (["--mount-proc"], []):  # without: /proc is that of outside, and its numbers are others'
        inside = subprocess.run(
            [unshare, "-p", "-f", *mount, sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.strip()
        assert alive(inside) is None
        assert Processes().same_machine(inside)
    asks = f"from sopauto.drivers.processes import Processes; print(Processes().alive({str(me)!r}))"
    told = subprocess.run(
        [unshare, "-p", "-f", "--mount-proc", sys.executable, "-c", asks], check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == "None"


def test_work_that_can_be_stopped_is_stopped(tmp_path: Path) -> None:
    with stopping.interruptible(tmp_path / "keeper.pid") as stop:
        Processes().stop("stopped: the lease could not be renewed")
        assert stop.asked()
        assert stop.why == "stopped: the lease could not be renewed"
    Processes().stop("nothing runs any more")
