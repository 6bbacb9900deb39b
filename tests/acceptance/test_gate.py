"""The gate refuses with exit code 3 and a sentence that says why, and nothing is sent to any machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.office import Office


@pytest.fixture
def planned(office: Office) -> str:
    """A ticket whose plan for the switch port is made and approved."""
    ticket = office.ticket_at("konfigurasi.1")
    office.plan_and_approve(ticket)
    office.switch.received.clear()
    return ticket


def test_a_run_before_approval_is_refused(office: Office) -> None:
    ticket = office.ticket_at("konfigurasi.1")
    office.inv("ticket.plan", ticket, as_="joko")
    office.switch.received.clear()
    answer = office.inv("custody.connect", ticket, as_="joko", expect=3)
    assert "is not approved" in answer.stderr
    assert office.switch.received == []


def test_a_run_before_the_sop_reaches_the_step_is_refused(office: Office) -> None:
    ticket = office.ticket_at("penitipan.11")
    answer = office.inv("custody.connect", ticket, as_="joko", expect=3)
    assert "stands at penitipan.11" in answer.stderr
    assert office.switch.received == []


def test_a_changed_parameter_is_refused_and_the_ticket_goes_back_to_be_planned(office: Office, planned: str) -> None:
    office.settings_replace("unused_vlan = 999", "unused_vlan = 998")
    answer = office.inv("custody.connect", planned, as_="joko", expect=3)
    assert "parameter unused_vlan changed" in answer.stderr
    assert office.switch.received == []
    assert office.show(planned)["plan"] is None


def test_a_changed_template_is_refused(office: Office, planned: str) -> None:
    office.override_template("port.j2", lambda text: text + "\nno cdp enable\n")
    answer = office.inv("custody.connect", planned, as_="joko", expect=3)
    assert "port.j2 changed" in answer.stderr
    assert office.switch.received == []


def test_a_wrong_key_is_refused(office: Office, planned: str) -> None:
    answer = office.inv("custody.connect", planned, as_="joko", key=office.keys["bambang"], expect=3)
    assert "joko" in answer.stderr
    assert office.switch.received == []


def test_a_person_without_the_position_on_that_day_is_refused(office: Office, planned: str) -> None:
    office.end_holding("joko", until="2020-01-01")
    answer = office.inv("custody.connect", planned, as_="joko", expect=3)
    assert "does not hold Technical Support" in answer.stderr
    assert office.switch.received == []


def test_who_requested_may_not_approve(office: Office) -> None:
    office.add_holding("siti", position="kadis", unit="kominfo")
    ticket = office.ticket_at("penitipan.2")
    answer = office.inv("ticket.approve", ticket, as_="siti", expect=3)
    assert "siti requested this and may not approve it" in answer.stderr
    assert office.show(ticket)["step"] == "penitipan.2"


def test_who_approved_may_not_execute(office: Office, planned: str) -> None:
    office.add_holding("bambang", position="technical-support", unit="kominfo")
    answer = office.inv("custody.connect", planned, as_="bambang", expect=3)
    assert "bambang approved this and may not carry it out" in answer.stderr
    assert office.switch.received == []


def test_who_planned_may_not_approve_the_plan(office: Office) -> None:
    office.add_holding("joko", position="kasi-layanan-infrastruktur", unit="kominfo")
    ticket = office.ticket_at("konfigurasi.1")
    office.inv("ticket.plan", ticket, as_="joko")
    answer = office.inv("ticket.approve", ticket, as_="joko", expect=3)
    assert "joko carries this out and may not approve it" in answer.stderr


def test_an_approval_for_a_plan_that_was_replaced_is_refused(office: Office) -> None:
    ticket = office.ticket_at("konfigurasi.1")
    office.inv("ticket.plan", ticket, as_="joko")
    answer = office.inv("ticket.approve", ticket, "--plan", "0" * 64, as_="bambang", expect=3)
    assert "the plan changed since you looked" in answer.stderr


def test_a_switch_that_changed_since_the_approval_is_refused_before_the_first_line(
    office: Office, planned: str
) -> None:
    office.switch.change_behind_our_back(office.port)
    answer = office.inv("custody.connect", planned, as_="joko", expect=3)
    assert "plan" in answer.stderr
    assert not office.switch.configured()
    assert office.show(planned)["plan"] is None


def test_an_approved_playbook_runs_once_and_what_it_did_is_proven(
    office_with_playbook: tuple[Office, str], tmp_path: Path
) -> None:
    office, ticket = office_with_playbook
    answer = office.inv("ticket.run", ticket, as_="joko")
    assert "1 tasks changed simpus-01; a second look finds none left" in answer.stdout
    assert (tmp_path / "target").read_text() == "halo\n"
    office.inv("ticket.verify", ticket)


def test_a_changed_playbook_is_refused(office_with_playbook: tuple[Office, str], tmp_path: Path) -> None:
    office, ticket = office_with_playbook
    office.edit("playbooks/tulis_berkas.yml", lambda text: text.replace("0644", "0666"))
    office.server.commands.clear()
    answer = office.inv("ticket.run", ticket, as_="joko", expect=3)
    assert "file playbooks/tulis_berkas.yml changed" in answer.stderr
    assert office.server.commands == []
    assert not (tmp_path / "target").exists()
