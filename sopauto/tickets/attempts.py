"""One attempt at a technical step: claimed before anything is sent, ended with a result, or found out about.

Design rule 5: a crash never repeats harm. An attempt without a result is never run again blindly: the real machine
is asked. Proven done → recorded as done; proven not begun → run; anything else → unknown, and an engineer decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sopauto.clock import Steady
from sopauto.errors import BadInput, Conflict, NotBegun, OutcomeUnknown, Refused, SopautoError, Stale, StepFailed
from sopauto.journal.entry import read_body
from sopauto.procedures.model import Procedure, Step, StepKind
from sopauto.tickets.acting import prepare
from sopauto.tickets.desk import Desk
from sopauto.tickets.gate import approved_record, issue, module_of, order_of
from sopauto.tickets.keeping import changes_of
from sopauto.tickets.model import Action, Attempt, Outcome, State, Ticket, Verb
from sopauto.tickets.record import Change, commit
from sopauto.tickets.timing import moment_after_work
from sopauto.work import Artifact, Probe, Result, TechnicalModule, WorkOrder

LEASE = timedelta(minutes=15)
"""How long the attempt of a worker on another machine is believed to be running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A technical step of a ticket in the hands of one authorised person."""

    desk: Desk
    procedure: Procedure
    step: Step
    person: str
    position: str
    until: str | None = None
    since: Steady | None = None
    """When the work began, told by a counter that nobody can set."""

    def run(self, ticket: Ticket, *, number: int) -> tuple[Ticket, Result]:
        """Carry out the step once and record how it ended.

        Raises: Refused, Stale, StepFailed, OutcomeUnknown; each is recorded first.
        """
        module = module_of(self.desk, self.step, until=self.until)
        if not module.mutates:
            return self._read(ticket, module, number)
        order = self._order(ticket, number)
        attempt = self._claim(ticket, order)
        try:
            result = module.apply(order, self.desk.report)
        except Stale as stale:
            self._end(attempt, Outcome.NOT_BEGUN)
            self._back_to_planning(ticket, stale)
            raise
        except (Refused, BadInput):
            self._end(attempt, Outcome.NOT_BEGUN)
            raise
        except (StepFailed, OutcomeUnknown) as error:
            self._record(ticket, attempt, _outcome_of(error), note=str(error), artifacts=error.evidence)
            raise
        outcome = Outcome.DONE if result.complete else Outcome.PARTLY
        return self._record(ticket, attempt, outcome, result=result), result

    def _read(self, ticket: Ticket, module: TechnicalModule, number: int) -> tuple[Ticket, Result]:
        """Carry out work that only reads. That it could not be done is recorded where somebody decides by it.

        Raises: StepFailed, Refused, BadInput.
        """
        try:
            order = self._order(ticket, number)
            result = module.apply(order, self.desk.report)
        except (StepFailed, BadInput, Refused) as error:
            if self.step.kind is not StepKind.DECISION:
                raise
            told = f"{module.name} could not be carried out: {error.what}"
            self._commit(
                ticket, self._action(ticket, Verb.EVIDENCE, note=told, outcome=Outcome.FAILED), artifacts=error.evidence
            )
            mend = f"mend it and run it again, or answer no: `inv ticket.reject {ticket.id}`"
            raise StepFailed(told, where=error.where, mend=mend, evidence=error.evidence) from None
        return self._record_reading(ticket, order, result), result

    def recover(self, ticket: Ticket, attempt: Attempt) -> tuple[Ticket, Result] | None:
        """Ask the machine what became of an attempt without a result; None means: not begun, so run it.

        Raises: Refused (it is still running), OutcomeUnknown (recorded; a named engineer decides).
        """
        self._refuse_while_running(attempt)
        begun = f"attempt {attempt.number} by {attempt.person}, begun {attempt.begun_at.isoformat(timespec='seconds')},"
        with self.desk.store.read() as reader:
            record = approved_record(reader, ticket, self.step)
        order = order_of(ticket=ticket, step=self.step, attempt=attempt.number, person=attempt.person, record=record)
        found = module_of(self.desk, self.step).probe(order, self.desk.report)
        if found is Probe.DONE:
            summary = f"{begun} had been carried out and saved; nothing was sent again"
            self.desk.report(summary)
            result = Result(changed=False, summary=summary)
            return self._record(ticket, attempt, Outcome.DONE, result=result), result
        if found is Probe.NOT_BEGUN:
            self.desk.report(f"{begun} had changed nothing; it is run now")
            self._end(attempt, Outcome.NOT_BEGUN)
            return None
        if found is Probe.PARTLY:
            self.desk.report(f"{begun} did a part of it; what is left was approved and is done now")
            self._end(attempt, Outcome.FAILED)
            return None
        once = [task.task for task in record.plan.once]
        note = (
            f"{begun} may have run {once[0]}, and nobody can tell from {', '.join(order.targets)} whether it did"
            if once
            else f"{begun} left {', '.join(order.targets)} neither as before nor as approved"
        )
        self._record(ticket, attempt, Outcome.UNKNOWN, note=note)
        raise OutcomeUnknown(note, where=ticket.id, mend=f"look at it, then `inv ticket.settle {ticket.id}`")

    def refuse_twice(self, ticket: Ticket, attempts: Sequence[Attempt]) -> None:
        """Raise Stale, when tasks may have run already that run at most once under an approval.

        An attempt of which a named engineer found that it had not begun does not count.
        """
        assert self.step.technical is not None
        planned = ticket.plans.get(self.step.technical.plan_of or self.step.id)
        if planned is None or planned.approved_by is None:
            return
        with self.desk.store.read() as reader:
            once = approved_record(reader, ticket, self.step).plan.once
            bodies = [read_body(entry.body) for entry in reader.entries(ticket.id)] if once else []
        settled = [
            datetime.fromisoformat(body["at"])
            for body in bodies
            if body["verb"] == Verb.SETTLE.value and body["data"].get("outcome") == Outcome.NOT_BEGUN.value
        ]
        begun = [
            attempt
            for attempt in attempts
            if attempt.order == planned.order
            and attempt.outcome not in {None, Outcome.NOT_BEGUN}
            and not any(attempt.begun_at <= at for at in settled)
        ]
        if once and begun:
            stale = Stale(
                f"attempt {begun[-1].number} may have run {once[0].task}, which runs once for one approval",
                where=ticket.id,
                mend=f"look at the machine, then make a new plan with `inv ticket.plan {ticket.id}`",
            )
            self._back_to_planning(ticket, stale)
            raise stale

    def _refuse_while_running(self, attempt: Attempt) -> None:
        alive = self.desk.workers.alive(attempt.worker)
        if alive or (alive is None and self.desk.clock.now() < attempt.lease_until):
            raise Refused(
                f"attempt {attempt.number} by {attempt.person} runs since {attempt.begun_at:%H:%M} ({attempt.worker})",
                where=f"{attempt.ticket} {attempt.step}",
                mend="wait for its result",
            )

    def _order(self, ticket: Ticket, number: int) -> WorkOrder:
        try:
            with self.desk.store.read() as reader:
                return issue(self.desk, reader, ticket, self.step, person=self.person, attempt=number)
        except Stale as stale:
            self._back_to_planning(ticket, stale)
            raise

    def _claim(self, ticket: Ticket, order: WorkOrder) -> Attempt:
        now = self.desk.clock.now()
        attempt = Attempt(
            ticket=ticket.id,
            step=self.step.id,
            number=order.attempt,
            worker=self.desk.workers.me,
            person=self.person,
            order=order.digest,
            begun_at=now,
            lease_until=now + LEASE,
        )
        with self.desk.store.write() as writer:
            if writer.ticket(ticket.id).head != ticket.head:
                raise Conflict(f"somebody acted on {ticket.id} meanwhile", mend=f"see `inv ticket.show {ticket.id}`")
            writer.claim(attempt)
        return attempt

    def _end(self, attempt: Attempt, outcome: Outcome) -> None:
        with self.desk.store.write() as writer:
            writer.settle(attempt, outcome, self.desk.clock.now())

    def _back_to_planning(self, ticket: Ticket, stale: Stale) -> None:
        if ticket.state is State.OPEN:
            self._commit(ticket, self._action(ticket, Verb.STALE, note=str(stale)))

    def _record(
        self,
        ticket: Ticket,
        attempt: Attempt,
        outcome: Outcome,
        *,
        note: str = "",
        result: Result | None = None,
        artifacts: tuple[Artifact, ...] = (),
    ) -> Ticket:
        now = self.desk.clock.now()
        told = result.summary if result else note
        action = self._action(ticket, Verb.RUN, note=told, order=attempt.order, outcome=outcome)
        return self._commit(
            ticket,
            action,
            result=result,
            artifacts=artifacts,
            changes=(lambda writer: writer.settle(attempt, outcome, now),),
        )

    def _record_reading(self, ticket: Ticket, order: WorkOrder, result: Result) -> Ticket:
        moves = ticket.state is State.OPEN and self.step.kind is StepKind.PROCESS
        verb = Verb.RUN if moves else Verb.EVIDENCE
        action = self._action(ticket, verb, note=result.summary, order=order.digest, outcome=Outcome.DONE)
        return self._commit(ticket, action, result=result, order=order)

    def _action(
        self, ticket: Ticket, verb: Verb, *, note: str, order: str | None = None, outcome: Outcome | None = None
    ) -> Action:
        with self.desk.store.read() as reader:
            at, told = moment_after_work(self.desk, reader, ticket, self.since)
        return Action(
            verb=verb,
            person=self.person,
            position=self.position,
            at=at,
            note=f"{note}{told}",
            order=order,
            outcome=outcome,
        )

    def _commit(
        self,
        ticket: Ticket,
        action: Action,
        *,
        result: Result | None = None,
        order: WorkOrder | None = None,
        artifacts: tuple[Artifact, ...] = (),
        changes: tuple[Change, ...] = (),
    ) -> Ticket:
        facts = result.facts if result else {}
        kept = artifacts + (tuple(result.artifacts) if result else ())
        if order is not None:
            changes += changes_of(order, facts, kept, action.at)
        with self.desk.store.read() as reader:
            drafts = prepare(
                self.desk, reader, self.procedure, ticket, action, artifacts=kept, changes=changes, facts=facts
            )
        return commit(self.desk, drafts)[0]


def _outcome_of(error: SopautoError) -> Outcome:
    if isinstance(error, NotBegun):
        return Outcome.NOT_BEGUN
    return Outcome.UNKNOWN if isinstance(error, OutcomeUnknown) else Outcome.FAILED
