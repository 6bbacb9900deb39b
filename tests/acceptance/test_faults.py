"""Faults in the middle: refused lines, dropped sessions, a mail server that is away, a full disk."""

from __future__ import annotations

import resource
import sqlite3
import subprocess

import pytest

from lab.cast import TOMORROW
from sopauto.clock import day_in_words
from tests.acceptance.commands import ROOT
from tests.acceptance.office import Office


@pytest.fixture
def approved(office: Office) -> str:
    ticket = office.ticket_at("konfigurasi.1")
    office.plan_and_approve(ticket)
    office.switch.received.clear()
    return ticket


def test_a_refused_line_leaves_the_port_as_before_and_the_ticket_where_it_was(office: Office, approved: str) -> None:
    before = dict(office.switch.settings(office.port))
    office.switch.faults.refuse = "switchport access vlan 30"
    answer = office.inv("custody.connect", approved, as_="joko", expect=1)
    assert "the port is as before" in answer.stderr
    assert office.switch.settings(office.port) == before
    told = office.show(approved)
    assert told["step"] == "konfigurasi.1"
    assert "as before" in told["history"][-1]["note"]
    assert "sesi-switch.log" in told["history"][-1]["documents"]
    assert "set, read back and saved" in office.inv("custody.connect", approved, as_="joko").stdout


def test_a_session_that_drops_in_the_middle_restores_the_port(office: Office, approved: str) -> None:
    before = dict(office.switch.settings(office.port))
    office.switch.faults.drop_at = "switchport access vlan 30"
    assert "as before" in office.inv("custody.connect", approved, as_="joko", expect=1).stderr
    assert office.switch.settings(office.port) == before


def test_a_session_that_drops_while_saving_is_finished(office: Office, approved: str) -> None:
    office.switch.faults.drop_at = "write mem"
    office.inv("custody.connect", approved, as_="joko")
    office.switch.power_cycle()
    assert office.switch.settings(office.port)["switchport access vlan"] == "30"


def test_a_switch_that_stays_away_after_a_drop_is_unknown(office: Office, approved: str) -> None:
    office.switch.faults.drop_at = "switchport access vlan 30"
    office.switch.faults.away_after_drop = 99
    answer = office.inv("custody.connect", approved, as_="joko", expect=4)
    assert "look at the switch" in answer.stderr
    office.switch.faults.stay_away = 0
    office.inv("ticket.settle", approved, "--undo", as_="joko")
    assert office.switch.settings(office.port)["switchport access vlan"] == "999"


def test_a_full_flash_is_told_and_the_port_is_as_before(office: Office, approved: str) -> None:
    office.switch.faults.full = True
    before = dict(office.switch.settings(office.port))
    answer = office.inv("custody.connect", approved, as_="joko", expect=1)
    assert "saving failed" in answer.stderr
    assert office.switch.settings(office.port) == before


def test_with_the_mail_server_away_the_message_waits_and_is_sent_once(office: Office) -> None:
    office.mailbox.down()
    ticket = office.ticket_at("penitipan.8")
    office.inv("ticket.done", ticket, as_="bambang")
    assert office.mailbox.messages == []
    office.mailbox.up()
    with sqlite3.connect(office.home / "sopauto.db") as connection:
        connection.execute("UPDATE outbox SET next_try = queued_at WHERE sent_at IS NULL")
    assert "1 sent" in office.inv("mail.send").stdout
    assert "0 sent" in office.inv("mail.send").stdout
    (message,) = office.mailbox.messages
    text = message.get_content()
    assert "Dinas Kesehatan" in text
    assert f"{day_in_words(TOMORROW)} pukul 09.00" in text


def test_a_disk_that_takes_no_more_leaves_the_ticket_as_before(office: Office) -> None:
    ticket = office.ticket_at("penitipan.2")
    before = office.show(ticket)

    def no_file_over_8_kib() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    ended = subprocess.run(
        office.command("ticket.approve", ticket, as_="hadi"),
        cwd=ROOT,
        env=office.variables(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=no_file_over_8_kib,
    )
    assert ended.returncode == 1
    assert "nothing was written" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert office.show(ticket) == before
    office.inv("ticket.approve", ticket, as_="hadi")
    office.inv("ticket.verify", "all")
