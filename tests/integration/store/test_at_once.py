"""Many who write at once: what does not conflict succeeds, each exactly once; what does is told. On both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.office import make_office
from lab.cast import drop_off
from lab.workspace import Workspace
from sopauto.app import App, build
from sopauto.assets.importing import read_assets
from sopauto.errors import Conflict, Refused, SopautoError
from sopauto.journal.entry import Signed
from sopauto.tickets.acting import act, open_from_letter
from sopauto.tickets.desk import Desk
from sopauto.tickets.model import Verb
from sopauto.tickets.verifying import verify_all

AT_ONCE = 8


@pytest.fixture
def workspace(tmp_path: Path, url: str) -> Workspace:
    made = make_office(tmp_path / "office")
    settings = made.home / "sopauto.toml"
    settings.write_text(f'database = "{url}"\n{settings.read_text()}')
    with made.app().store.write() as writer:
        writer.assets.replace(*read_assets(made.home / "assets.yaml"))
    return made


def at_once(workspace: Workspace, person: str, jobs: Sequence[Callable[[Desk], object]]) -> Counter[str]:
    """Carry out jobs by several who share nothing but the database; return how often each end was reached."""

    def worker(mine: Iterable[Callable[[Desk], object]]) -> list[str]:
        app = build(workspace.home)
        return [_end_of(job, app.desk(person, key=workspace.keys[person])) for job in mine]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = pool.map(worker, [jobs[first::AT_ONCE] for first in range(AT_ONCE)])
    return Counter(end for found in ends for end in found)


def _end_of(job: Callable[[Desk], object], desk: Desk) -> str:
    try:
        job(desk)
    except SopautoError as error:
        return type(error).__name__
    return "done"


def opened(workspace: Workspace, count: int) -> list[str]:
    app = workspace.app()
    desk = app.desk("siti", key=workspace.keys["siti"])
    return [open_from_letter(desk, drop_off(nama_host=f"web-{number:02}"), person="siti").id for number in range(count)]


def refuse_faults(app: App) -> None:
    with app.store.read() as reader:
        assert verify_all(app, reader).findings == ()


def test_tickets_that_are_opened_at_once_are_all_opened_one_after_the_other(workspace: Workspace) -> None:
    def job(name: str) -> Callable[[Desk], object]:
        return lambda desk: open_from_letter(desk, drop_off(nama_host=name), person="siti")

    assert at_once(workspace, "siti", [job(f"web-{n:02}") for n in range(24)]) == {"done": 24}
    app = workspace.app()
    with app.store.read() as reader:
        ids = sorted(row.id for row in reader.rows(limit=99))
        names = {reader.ticket(found).letter["nama_host"] for found in ids}
    assert [int(found.rpartition("-")[2]) for found in ids] == list(range(1, 25))
    assert len(names) == 24
    refuse_faults(app)


def test_approvals_of_different_tickets_all_succeed(workspace: Workspace) -> None:
    tickets = opened(workspace, 16)

    def job(ticket: str) -> Callable[[Desk], object]:
        return lambda desk: act(desk, ticket, Verb.APPROVE, person="hadi", seen_plan=None)

    assert at_once(workspace, "hadi", [job(ticket) for ticket in tickets]) == {"done": 16}
    app = workspace.app()
    with app.store.read() as reader:
        assert {len(reader.entries(ticket)) for ticket in tickets} == {2}
    refuse_faults(app)


def test_approvals_of_the_same_ticket_count_once_and_the_others_are_told(workspace: Workspace) -> None:
    tickets = opened(workspace, 4)

    def job(ticket: str) -> Callable[[Desk], object]:
        return lambda desk: act(desk, ticket, Verb.APPROVE, person="hadi", seen_plan=None)

    ends = at_once(workspace, "hadi", [job(ticket) for ticket in tickets * AT_ONCE])
    assert ends["done"] == 4
    assert set(ends) <= {"done", Conflict.__name__, "Changed", Refused.__name__}
    app = workspace.app()
    with app.store.read() as reader:
        assert {len(reader.entries(ticket)) for ticket in tickets} == {2}
    refuse_faults(app)


class Counting:
    """A signer that lets something happen just before its first signature; `asks` as a FIDO key does."""

    def __init__(self, desk: Desk, before: Callable[[], object], *, asks: bool) -> None:
        self._signer, self._before, self.asks, self.signed = desk.signer, before, asks, 0

    def sign(self, message: bytes) -> Signed:
        self.signed += 1
        if self.signed == 1:
            self._before()
        return self._signer.sign(message)


@pytest.mark.parametrize("asks", [False, True])
def test_a_key_that_asks_is_not_asked_twice_without_a_word(workspace: Workspace, asks: bool) -> None:
    app = workspace.app()
    desk = app.desk("siti", key=workspace.keys["siti"])

    def other() -> None:  # past the turn of those who open: it is a courtesy
        first = workspace.app().desk("siti", key=workspace.keys["siti"])
        signer = Counting(first, lambda: None, asks=True)
        open_from_letter(replace(first, signer=signer), drop_off(nama_host="web-09"), person="siti")

    signer = Counting(desk, other, asks=asks)
    slow = replace(desk, signer=signer)
    if asks:
        with pytest.raises(Conflict, match="not asked a second time"):
            open_from_letter(slow, drop_off(nama_host="web-08"), person="siti")
        assert signer.signed == 1
    else:
        assert open_from_letter(slow, drop_off(nama_host="web-08"), person="siti").id.endswith("0002")
        assert signer.signed == 2


def test_who_acted_on_what_somebody_else_changed_meanwhile_is_told(workspace: Workspace) -> None:
    (ticket,) = opened(workspace, 1)
    desk = workspace.app().desk("hadi", key=workspace.keys["hadi"])
    other = workspace.app().desk("hadi", key=workspace.keys["hadi"])
    signer = Counting(desk, lambda: act(other, ticket, Verb.APPROVE, person="hadi", seen_plan=None), asks=False)
    with pytest.raises(Conflict, match=f"somebody acted on {ticket} meanwhile"):
        act(replace(desk, signer=signer), ticket, Verb.APPROVE, person="hadi", seen_plan=None)
    assert signer.signed == 1
