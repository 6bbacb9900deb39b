"""Reminders go to who is next and to the superior, and only when the time is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lab.cast import drop_off
from sopauto.mail.reminders import Reminders
from sopauto.people import Position
from sopauto.tickets.model import State
from sopauto.tickets.storage import Mail
from tests.unit.documents import occasions

DUE = datetime(2026, 11, 24, 16, 0, tzinfo=occasions.ZONE)


@pytest.fixture
def reminders(tmp_path: Path) -> Reminders:
    people = occasions.people()
    kabid = Position(id="kabid-infrastruktur", title="Kabid Infrastruktur", superior="kadis")
    return Reminders(occasions.settings(tmp_path), replace(people, positions={**people.positions, kabid.id: kabid}))


def written(reminders: Reminders, step: str, *, late: timedelta, state: State = State.OPEN) -> Sequence[Mail]:
    trail = occasions.begin(drop_off()).jump(step)
    ticket = trail.ticket.with_changes(state=state)
    return reminders.overdue(trail.procedure, ticket, due=DUE, now=DUE + late)


def test_who_is_next_and_the_superior_are_reminded(reminders: Reminders) -> None:
    mails = written(reminders, "penitipan.3", late=timedelta(minutes=1))
    assert [mail.to for mail in mails] == ["ratna@kominfo.example.go.id", "hadi@kominfo.example.go.id"]
    assert mails[0].subject == "Pengingat: tiket PS-2026-0001 baris penitipan.3 melewati batas waktu"
    assert "Batas waktunya Selasa, 24 November 2026 pukul 16.00 WIB sudah lewat" in mails[0].body
    assert "Menerima disposisi dan meneruskannya" in mails[0].body
    assert mails[1].body.startswith("Kepada Kepala Dinas Komunikasi dan Informatika,")


def test_an_applicant_of_another_unit_is_not_reminded(reminders: Reminders) -> None:
    assert [mail.to for mail in written(reminders, "penitipan.9", late=timedelta(days=1))] == [
        "siti@dinkes.example.go.id"
    ]


@pytest.mark.parametrize("late", [timedelta(0), timedelta(minutes=-1)])
def test_nobody_is_reminded_in_time(late: timedelta, reminders: Reminders) -> None:
    assert written(reminders, "penitipan.3", late=late) == ()


@pytest.mark.parametrize("state", [State.DONE, State.WAITING, State.REJECTED])
def test_nobody_is_reminded_of_a_ticket_that_waits_for_nobody(state: State, reminders: Reminders) -> None:
    assert list(written(reminders, "penitipan.3", late=timedelta(days=1), state=state)) == []
