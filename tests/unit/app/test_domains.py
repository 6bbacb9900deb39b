"""What the domains offer together, held against what the core promises of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from sopauto.app import DOMAINS, OFFERS, forms, jobs
from sopauto.cli.running import MODULE_COMMANDS
from sopauto.documents.forms import SHARED
from sopauto.tickets.domain import Domain
from sopauto.tickets.placed import SERVER

CHANGING_SERVERS = {
    name: step for name, step in OFFERS.steps.items() if step.known.changes and step.known.needs == SERVER
}
BY_TICKET_RUN = {"playbook.run", "software.check", "software.run", "software.verify"}
"""Machine work without a command of its own: an agency's own playbooks, and stages that follow another one."""


def twice(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


@pytest.mark.parametrize("kind", ["steps", "effects", "waits", "parts"])
def test_no_name_stands_in_two_domains(kind: str) -> None:
    assert twice(str(name) for domain in DOMAINS for name in getattr(domain, kind)) == []


def test_no_form_stands_in_two_places() -> None:
    assert twice([*SHARED, *(name for domain in DOMAINS for name in domain.forms())]) == []
    assert len(forms()) == len(SHARED) + sum(len(domain.forms()) for domain in DOMAINS)


def test_no_timer_stands_in_two_places() -> None:
    assert twice(job.name for job in jobs()) == []


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
def test_a_domain_is_the_folder_of_its_name(domain: Domain[object]) -> None:
    modules = {step.make.__module__ for step in domain.steps.values()}
    modules |= {effect.take.__module__ for effect in domain.effects.values()}
    assert modules
    assert {module.split(".")[1] for module in modules} == {domain.name}


@pytest.mark.parametrize("name", sorted(CHANGING_SERVERS))
def test_what_changes_a_server_says_which_drift_its_evidence_explains(name: str) -> None:
    assert OFFERS.steps[name].explains


@pytest.mark.parametrize("name", sorted(set(OFFERS.steps) - set(CHANGING_SERVERS)))
def test_what_changes_no_server_explains_no_drift(name: str) -> None:
    assert not OFFERS.steps[name].explains


@pytest.mark.parametrize("name", sorted(OFFERS.steps))
def test_every_machine_step_can_be_made_to_run_by_a_command(name: str) -> None:
    assert (name in MODULE_COMMANDS) != (name in BY_TICKET_RUN)


@pytest.mark.parametrize("name", sorted(OFFERS.steps))
def test_a_required_parameter_is_one_that_a_row_may_state(name: str) -> None:
    known = OFFERS.steps[name].known
    assert set(known.required) <= set(known.parameters)


@pytest.mark.parametrize("name", sorted(name for name, mark in OFFERS.marks.items() if mark.module or mark.after))
def test_an_effect_names_work_and_effects_that_there_are(name: str) -> None:
    mark = OFFERS.marks[name]
    assert mark.module is None or mark.module in OFFERS.steps
    assert mark.after is None or mark.after in OFFERS.effects
