"""The state machine: what each action does to a ticket, and what the SOP does not provide for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sopauto.errors import Refused
from sopauto.procedures.model import Actor, Fork, Head, Procedure, Step, StepKind, Table, Technical, TimeLimit
from sopauto.tickets.machine import advance, open_ticket, resolve
from sopauto.tickets.model import Action, DocumentRef, Letter, Outcome, State, Ticket, Verb

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
BLANK = TimeLimit(text="-")


def step(number: int, actor: str, **more: Any) -> Step:
    defaults: dict[str, Any] = {
        "id": f"t.{number}",
        "table": "t",
        "number": number,
        "text": f"row {number}",
        "actors": (actor,),
        "kind": StepKind.PROCESS,
        "time_limit": BLANK,
        "next": f"t.{number + 1}",
    }
    if more.get("kind") is StepKind.DECISION:
        defaults["next"] = None
    return Step(**{**defaults, **more})


def procedure(*steps: Step) -> Procedure:
    head = Head(
        agency="A",
        name="N",
        number="1",
        created="",
        revised="",
        effective="",
        approved_by="",
        legal_basis=(),
        qualifications=(),
        relations=(),
        equipment=(),
        warnings=(),
        records=(),
    )
    actors = (Actor(id="pemohon", title="Pemohon", applicant=True), Actor(id="kasi", title="Kasi"))
    return Procedure(
        code="uji",
        prefix="UJ",
        head=head,
        actors=(*actors, Actor(id="teknisi", title="Teknisi")),
        tables=(Table(id="t", title="T"),),
        steps=steps,
        letter=(),
        source="uji.yaml",
        digest="d" * 64,
    )


CUSTODY = procedure(
    step(1, "pemohon"),
    step(2, "kasi", kind=StepKind.DECISION, approval=True, yes="t.4", no="t.3"),
    step(3, "kasi", waits="tempat", next="t.2"),
    step(4, "teknisi", technical=Technical(modules=("m",), executor="teknisi", approver="kasi")),
    step(5, "pemohon", kind=StepKind.DECISION, yes="t.6", no="t.4"),
    step(6, "kasi", back="t.5", next="selesai"),
)


def action(verb: Verb, person: str = "kasi-orang", **more: Any) -> Action:
    return Action(verb=verb, person=person, position="kasi", at=NOW, **more)


def opened(by: Procedure = CUSTODY) -> Ticket:
    letter = Letter(procedure="uji", unit="dinkes", applicant="budi", fields={})
    return open_ticket(by, letter, action(Verb.OPEN, "budi"), "UJ-2026-0001").ticket


def walk(ticket: Ticket, *actions: Action, by: Procedure = CUSTODY) -> Ticket:
    for each in actions:
        ticket = advance(by, ticket, each).ticket
    return ticket


def planned(ticket: Ticket, by: Procedure = CUSTODY) -> Ticket:
    document = DocumentRef(name="rencana.json", sha256="f" * 64)
    plan = action(Verb.PLAN, "teknisi-orang", plan="p" * 64, order="o" * 64, documents=(document,))
    return walk(ticket, plan, by=by)


YES = action(Verb.APPROVE)
SIGN = action(Verb.APPROVE, plan="p" * 64, order="o" * 64)
RAN = action(Verb.RUN, "teknisi-orang", outcome=Outcome.DONE)


def test_opening_is_row_1_when_row_1_is_the_applicants_letter() -> None:
    assert opened().step == "t.2"


def test_opening_stands_at_row_1_when_row_1_is_somebody_elses_work() -> None:
    work = procedure(step(1, "teknisi"), step(2, "teknisi", next="selesai"))
    assert opened(work).step == "t.1"


def test_a_decision_goes_both_ways_and_keeps_the_answer() -> None:
    assert walk(opened(), YES).step == "t.4"
    no = walk(opened(), action(Verb.REJECT))
    assert (no.step, no.answers) == ("t.3", {"t.2": False})


def test_a_ticket_that_waits_goes_on_only_when_woken() -> None:
    waiting = walk(opened(), action(Verb.REJECT), action(Verb.DONE))
    assert (waiting.state, waiting.waits_for) == (State.WAITING, "tempat")
    with pytest.raises(Refused, match="waits for tempat"):
        walk(waiting, YES)
    woken = walk(waiting, action(Verb.WAKE))
    assert (woken.state, woken.step, woken.rounds["t.2"]) == (State.OPEN, "t.2", 2)


def test_machine_work_is_not_done_by_saying_so() -> None:
    with pytest.raises(Refused, match="machine work"):
        walk(opened(), YES, action(Verb.DONE))


def test_a_plan_is_approved_at_its_step_by_the_digest_that_was_seen() -> None:
    at_work = planned(walk(opened(), YES))
    with pytest.raises(Refused, match="changed since you looked"):
        walk(at_work, action(Verb.APPROVE, plan="x" * 64, order="o" * 64))
    assert walk(at_work, SIGN).plans["t.4"].approved_by == "kasi-orang"


def test_a_new_plan_needs_a_new_approval() -> None:
    approved = walk(planned(walk(opened(), YES)), SIGN)
    assert planned(approved).plans["t.4"].approved_by is None


def test_a_rejected_or_stale_plan_is_dropped() -> None:
    approved = walk(planned(walk(opened(), YES)), SIGN)
    assert not walk(approved, action(Verb.REJECT)).plans
    assert not walk(approved, action(Verb.STALE)).plans


def test_approving_without_a_plan_is_refused() -> None:
    with pytest.raises(Refused, match="no plan"):
        walk(opened(), YES, YES)


def test_a_run_completes_the_step_and_a_failed_one_does_not() -> None:
    approved = walk(planned(walk(opened(), YES)), SIGN)
    assert walk(approved, RAN).step == "t.5"
    failed = walk(approved, action(Verb.RUN, "teknisi-orang", outcome=Outcome.FAILED))
    assert (failed.step, failed.plans["t.4"].approved_by) == ("t.4", "kasi-orang")


def test_an_unknown_outcome_stops_everything_until_it_is_settled() -> None:
    approved = walk(planned(walk(opened(), YES)), SIGN)
    unknown = walk(approved, action(Verb.RUN, outcome=Outcome.UNKNOWN))
    with pytest.raises(Refused, match="unknown"):
        walk(unknown, RAN)
    assert walk(unknown, action(Verb.SETTLE, outcome=Outcome.DONE)).step == "t.5"
    assert walk(unknown, action(Verb.SETTLE, outcome=Outcome.NOT_BEGUN)).step == "t.4"


def test_the_loop_back_to_the_machine_asks_for_an_approval_of_its_own() -> None:
    loop = walk(planned(walk(opened(), YES)), SIGN, RAN, action(Verb.REJECT, "budi"))
    assert (loop.step, loop.rounds["t.4"], dict(loop.plans)) == ("t.4", 2, {})


def test_a_row_is_returned_only_where_the_sop_has_a_way_back() -> None:
    end = walk(planned(walk(opened(), YES)), SIGN, RAN, action(Verb.APPROVE, "budi"))
    assert walk(end, action(Verb.REJECT)).step == "t.5"
    with pytest.raises(Refused, match="no way back"):
        walk(opened(), action(Verb.REJECT), action(Verb.REJECT))


def test_a_ticket_that_ended_takes_no_more_actions() -> None:
    done = walk(planned(walk(opened(), YES)), SIGN, RAN, action(Verb.APPROVE, "budi"), action(Verb.DONE))
    assert done.state is State.DONE
    with pytest.raises(Refused, match="is done"):
        walk(done, action(Verb.DONE))


def test_cancelling_is_refused_once_a_machine_was_changed() -> None:
    assert walk(opened(), action(Verb.CANCEL)).state is State.CANCELLED
    with pytest.raises(Refused, match="already changed"):
        walk(planned(walk(opened(), YES)), SIGN, RAN, action(Verb.CANCEL))


def test_a_plan_of_an_earlier_row_is_signed_with_that_row_and_a_stale_one_goes_back_there() -> None:
    report = procedure(
        step(1, "pemohon"),
        step(2, "teknisi"),
        step(3, "kasi", kind=StepKind.DECISION, approval=True, yes="t.4", no="t.2"),
        step(
            4, "teknisi", next="selesai",
            technical=Technical(modules=("m",), executor="teknisi", plan_step="t.2", approval_step="t.3"),
        ),
    )  # fmt: skip
    with pytest.raises(Refused, match="no plan"):
        walk(opened(report), action(Verb.DONE), SIGN, by=report)
    signed = walk(planned(opened(report), by=report), action(Verb.DONE), SIGN, by=report)
    assert (signed.step, signed.plans["t.4"].approved_by) == ("t.4", "kasi-orang")
    stale = walk(signed, action(Verb.STALE), by=report)
    assert (stale.step, dict(stale.plans)) == ("t.2", {})


def test_a_fork_follows_the_answer_given_at_the_other_decision() -> None:
    fork = Fork(on="t.2", yes="t.13", no="t.12")
    assert resolve(fork, {"t.2": True}) == "t.13"
    assert resolve(fork, {"t.2": False}) == "t.12"


@pytest.mark.parametrize(
    ("verb", "words"), [(Verb.APPROVE, "not an approval"), (Verb.RUN, "not machine work"), (Verb.PLAN, "no plan")]
)
def test_the_wrong_verb_is_refused_with_the_right_one(verb: Verb, words: str) -> None:
    plain = procedure(step(1, "pemohon"), step(2, "kasi", next="selesai"))
    with pytest.raises(Refused, match=words):
        advance(plain, opened(plain), action(verb))


TAKEN_BACK = procedure(
    step(1, "teknisi", technical=Technical(modules=("m",), executor="teknisi", approver="kasi")),
    step(
        2,
        "teknisi",
        kind=StepKind.DECISION,
        yes="selesai",
        no="t.3",
        technical=Technical(modules=("n",), executor="teknisi", plan_of="t.1"),
    ),
    step(3, "teknisi", next="t.1", technical=Technical(modules=("o",), executor="teknisi", plan_of="t.1")),
)


def installed() -> Ticket:
    return walk(planned(opened(TAKEN_BACK), TAKEN_BACK), SIGN, RAN, by=TAKEN_BACK)


def test_work_under_the_plan_of_an_earlier_row_has_none_of_its_own_and_waits_for_an_answer() -> None:
    ticket = walk(installed(), RAN, by=TAKEN_BACK)
    assert ticket.step == "t.2"
    with pytest.raises(Refused, match="no plan is made"):
        planned(ticket, TAKEN_BACK)
    assert walk(ticket, action(Verb.REJECT), by=TAKEN_BACK).step == "t.3"


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.DONE])
def test_work_under_an_earlier_plan_cannot_be_passed_by_hand(verb: Verb) -> None:
    with pytest.raises(Refused, match=r"run it with `inv ticket\.run"):
        walk(installed(), action(Verb.REJECT), action(verb), by=TAKEN_BACK)


def test_work_under_an_earlier_plan_that_is_stale_goes_back_to_where_it_is_planned() -> None:
    stale = walk(installed(), action(Verb.REJECT), action(Verb.STALE), by=TAKEN_BACK)
    assert (stale.step, stale.plans) == ("t.1", {})


def test_work_whose_plan_another_row_signed_cannot_be_passed_by_an_approval() -> None:
    work = Technical(modules=("m",), executor="teknisi", plan_step="t.1", approval_step="t.2")
    rows = (step(1, "teknisi"), step(2, "kasi", approval=True), step(3, "teknisi", next="selesai", technical=work))
    ticket = opened(procedure(*rows)).with_changes(step="t.3")
    with pytest.raises(Refused, match="needs no approval of its own"):
        walk(ticket, YES, by=procedure(*rows))
