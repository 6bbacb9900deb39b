"""`inv doctor` tells versions, and what of the machines' work is not in the journal yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from invoke.context import Context

from sopauto.app import App, build
from sopauto.cli import versions as telling
from sopauto.cli import workspace
from sopauto.cli.doctor import _examined
from sopauto.cli.versions import UNKNOWN, versions
from sopauto.tickets.ended import Ended
from sopauto.tickets.model import Attempt, Outcome

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
KNOWN = ("sopauto", "commit", "Python", "ansible-core", "ansible-runner", "netmiko", "paramiko", "SQLAlchemy", "typst")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[App]:
    workspace.init(Context(), str(tmp_path / "kominfo"))
    app = build(tmp_path / "kominfo")
    yield app
    app.store.engine.dispose()


def end(ticket: str) -> Ended:
    attempt = Attempt(
        ticket=ticket,
        step="konfigurasi.1",
        number=1,
        worker="w1",
        lease_until=NOW + timedelta(minutes=5),
        person="joko",
        order="a" * 64,
        begun_at=NOW,
    )
    return Ended(attempt=attempt, outcome=Outcome.DONE, note="connected")


def told(here: App) -> tuple[str, str]:
    return next((state, words) for name, state, words in _examined(here) if name == "unrecorded")


def test_versions_of_all_that_matters_are_told(here: App) -> None:
    found = dict(versions(here))
    assert [*found] == [*KNOWN, "database server", "ssh-keygen"]
    assert UNKNOWN not in found.values()
    assert re.fullmatch(r"SQLite 3\.[\d.]+", found["database server"])
    assert found["ssh-keygen"].startswith("OpenSSH_")


def test_what_is_lacking_is_told_as_such(here: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "PACKAGES", ("no-such-package-anywhere",))
    monkeypatch.setenv("PATH", "")
    found = dict(versions(here))
    assert found["no-such-package-anywhere"] == found["ssh-keygen"] == found["commit"] == UNKNOWN


def test_with_all_work_in_the_journal_nothing_is_to_be_done(here: App) -> None:
    assert told(here) == ("ok", "the end of all machine work is in the journal")


def test_work_whose_end_is_not_in_the_journal_is_named_with_the_command_that_records_it(here: App) -> None:
    for ticket in ("PS-2026-0002", "PS-2026-0001"):
        here.kept.reserve(end(ticket).attempt)
        here.kept.keep(end(ticket))
    state, words = told(here)
    assert state == "WRONG"
    assert "PS-2026-0001 konfigurasi.1, PS-2026-0002 konfigurasi.1" in words
    assert "`inv ticket.run PS-2026-0001` records it; `inv ticket.run PS-2026-0002` records it" in words


def test_a_file_there_that_others_may_have_written_is_told_and_no_command_for_it(here: App) -> None:
    path = Path(here.kept.keep(end("PS-2026-0001")))
    path.chmod(0o666)
    state, words = told(here)
    assert state == "WRONG"
    assert f"{path} is not believed" in words
    assert "inv ticket.run" not in words
