"""One attempt at a technical step: claimed before anything is sent, ended with a result, or found out about.

Design rule 5: a crash never repeats harm. An attempt without a result is never run again blindly: what its worker kept
of it counts, or the real machine is asked. Proven done → recorded as done; proven not begun → run; anything else →
unknown, and an engineer decides.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from sopauto.clock import Steady
from sopauto.errors import (
    BadInput,
    Conflict,
    NotBegun,
    NotRecorded,
    OutcomeUnknown,
    Refused,
    SopautoError,
    Stale,
    StaleMidway,
    StepFailed,
)
from sopauto.procedures.model import Procedure, Step, StepKind
from sopauto.tickets.desk import Desk
from sopauto.tickets.ended import Ended
from sopauto.tickets.gate import approved_record, issue, module_of, order_of
from sopauto.tickets.lease import Lease
from sopauto.tickets.model import Attempt, Outcome, Ticket
from sopauto.tickets.once import refuse_twice
from sopauto.tickets.results import WORDS, Results, late_note
from sopauto.tickets.storage import Hold
from sopauto.work import Probe, Result, TechnicalModule, WorkOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A technical step of a ticket in the hands of one authorised person."""

    desk: Desk
    procedure: Procedure
    step: Step
    person: str
    until: str | None = None
    since: Steady | None = None
    """When the work began, told by a counter that nobody can set."""

    def carry_out(self, ticket: Ticket) -> tuple[Ticket, Result]:
        """Carry out the step once and record how it ended; first of all what became of an attempt without a result.

        Raises: Refused (it runs, …), Stale, StepFailed, OutcomeUnknown, each recorded first; NotRecorded.
        """
        module = self._module()
        if not module.mutates:
            return self._read(ticket, module)
        with self.desk.store.hold(ticket.id, self.step.id) as hold:
            attempts = self._attempts(ticket)
            last = attempts[-1] if attempts else None
            if hold is None:
                raise self._running(ticket, last)
            self._look_for_late_results(ticket, attempts)
            if last is not None and last.outcome is None:
                self._refuse_while_running(ticket, last)
                recovered = self._recover(ticket, last, hold)
                if recovered is not None:
                    return recovered
            self._refuse_twice(ticket)
            return self._run(ticket, module, len(attempts) + 1, hold)

    def _read(self, ticket: Ticket, module: TechnicalModule) -> tuple[Ticket, Result]:
        """Carry out work that only reads. That it could not be done is recorded where somebody decides by it.

        Raises: StepFailed, Refused, BadInput.
        """
        try:
            order = self._order(ticket, len(self._attempts(ticket)) + 1)
            result = module.apply(order, self.desk.report)
        except (StepFailed, BadInput, Refused) as error:
            if self.step.kind is not StepKind.DECISION:
                raise
            told = f"{module.name} could not be carried out: {error.what}"
            self._results.could_not_read(ticket, told, error.evidence)
            mend = f"mend it and run it again, or answer no: `inv ticket.reject {ticket.id}`"
            raise StepFailed(told, where=error.where, mend=mend, evidence=error.evidence) from None
        return self._results.read(ticket, order, result), result

    def _run(self, ticket: Ticket, module: TechnicalModule, number: int, hold: Hold) -> tuple[Ticket, Result]:
        order = self._order(ticket, number)
        attempt = self._claim(ticket, order)
        with Lease(self.desk, attempt, hold):
            try:
                result = module.apply(order, self.desk.report)
            except StaleMidway as stale:
                ended = Ended(attempt=attempt, outcome=Outcome.PARTLY, note=str(stale), artifacts=stale.evidence)
                self._results.back_to_planning(self._record(ticket, ended), stale)
                raise
            except Stale as stale:
                self._results.not_begun(attempt)
                self._results.back_to_planning(ticket, stale)
                raise
            except (Refused, BadInput):
                self._results.not_begun(attempt)
                raise
            except (StepFailed, OutcomeUnknown) as error:
                ended = Ended(attempt=attempt, outcome=_outcome_of(error), note=str(error), artifacts=error.evidence)
                with suppress(*([NotRecorded] if ended.outcome is Outcome.NOT_BEGUN else [])):
                    self._record(ticket, ended)
                raise
            except Exception as error:
                raise self._broken_off(attempt, error) from error
            return self._end(ticket, Ended.by(attempt, result)), result

    def _end(self, ticket: Ticket, ended: Ended) -> Ticket:
        """Record a result; as unknown, when a worker that was taken for dead turns out to have gone on meanwhile."""
        late = [one for one in self._kept(ticket) if self._is_late(one, self._attempts(ticket))]
        if not late:
            return self._record(ticket, ended)
        note = "; ".join([ended.note, *map(late_note, late)])
        artifacts = (*ended.artifacts, *(artifact for one in late for artifact in one.artifacts))
        unknown = replace(ended, outcome=Outcome.UNKNOWN, note=note, artifacts=artifacts)
        self._record(ticket, unknown)
        for one in late:
            self.desk.kept.forget(one.attempt)
        raise self._unknown(ticket, note)

    def _recover(self, ticket: Ticket, attempt: Attempt, hold: Hold) -> tuple[Ticket, Result] | None:
        """Find out what became of an attempt without a result; None means: not begun, so run it.

        Raises: OutcomeUnknown (recorded; a named engineer decides), StepFailed (it was, and is recorded now).
        """
        for ended in self._kept(ticket):
            if ended.belongs_to(attempt):
                return self._from_kept(ticket, ended)
        self.desk.kept.forget(attempt)
        with self.desk.store.write() as writer:
            mine = writer.take_over(attempt, self.desk.workers.me, writer.now() + self.desk.lease)
        with Lease(self.desk, mine, hold):
            return self._from_machine(ticket, mine)

    def _from_kept(self, ticket: Ticket, ended: Ended) -> tuple[Ticket, Result] | None:
        """Record what the worker of an attempt kept and could not record."""
        attempt = ended.attempt
        if ended.outcome is Outcome.NOT_BEGUN:
            self.desk.report(f"{_begun(attempt)} had changed nothing; it is run now")
            self._results.not_begun(attempt)
            return None
        told = f"{_begun(attempt)} is {WORDS[ended.outcome]}, as was kept; nothing is run again"
        self.desk.report(told)
        after = self._results.write(ticket, ended, note=f"{told}: {ended.note}", where="it is kept as it was")
        if ended.outcome is Outcome.FAILED:
            raise StepFailed(ended.note, where=ticket.id, mend="it is recorded now; look, then run it again")
        if ended.outcome is Outcome.UNKNOWN:
            raise self._unknown(ticket, ended.note)
        return after, ended.result()

    def _from_machine(self, ticket: Ticket, attempt: Attempt) -> tuple[Ticket, Result] | None:
        """Ask the machine what became of an attempt."""
        begun = _begun(attempt)
        with self.desk.store.read() as reader:
            record = approved_record(reader, ticket, self.step)
        order = order_of(ticket=ticket, step=self.step, attempt=attempt.number, person=attempt.person, record=record)
        found = module_of(self.desk, self.step).probe(order, self.desk.report)
        if found is Probe.DONE:
            summary = f"{begun} had been carried out and saved; nothing was sent again"
            self.desk.report(summary)
            result = Result(changed=False, summary=summary)
            return self._record(ticket, Ended.by(attempt, result)), result
        if found is Probe.NOT_BEGUN:
            self.desk.report(f"{begun} had changed nothing; it is run now")
            self._results.not_begun(attempt)
            return None
        if found is Probe.PARTLY:
            self.desk.report(f"{begun} did a part of it; what is left was approved and is done now")
            with self.desk.store.write() as writer:
                writer.settle(attempt, Outcome.FAILED, self.desk.clock.now())
            return None
        once = [task.task for task in record.plan.once]
        note = (
            f"{begun} may have run {once[0]}, and nobody can tell from {', '.join(order.targets)} whether it did"
            if once
            else f"{begun} left {', '.join(order.targets)} neither as before nor as approved"
        )
        self._record(ticket, Ended(attempt=attempt, outcome=Outcome.UNKNOWN, note=note))
        raise self._unknown(ticket, note)

    def _look_for_late_results(self, ticket: Ticket, attempts: list[Attempt]) -> None:
        """Record what a worker kept that had lost its lease; raises OutcomeUnknown (a named engineer decides)."""
        for ended in self._kept(ticket):
            if self._is_late(ended, attempts):
                self._results.write_late(ticket, ended)
                raise self._unknown(ticket, late_note(ended))
            if any(ended.belongs_to(attempt) and attempt.outcome is not None for attempt in attempts):
                self.desk.kept.forget(ended.attempt)  # it is in the journal; only its file was left

    def _is_late(self, ended: Ended, attempts: list[Attempt]) -> bool:
        """Tell whether a kept end is that of an attempt which another worker took over, or settled."""
        return ended.outcome is not Outcome.NOT_BEGUN and any(
            ended.attempt.worker != attempt.worker and ended.belongs_to(replace(attempt, worker=ended.attempt.worker))
            for attempt in attempts
        )

    def _refuse_while_running(self, ticket: Ticket, attempt: Attempt) -> None:
        """Refuse while an attempt lives. Its lock is ours: where that proves it ended, nothing else is asked."""
        workers, store = self.desk.workers, self.desk.store
        if attempt.worker == workers.me or (store.lock_tells and workers.same_machine(attempt.worker)):
            return
        alive = workers.alive(attempt.worker)
        if alive is None:
            with store.read() as reader:
                alive = reader.now() < attempt.lease_until
        if alive:
            raise self._running(ticket, attempt)

    def _running(self, ticket: Ticket, attempt: Attempt | None) -> Refused:
        where = f"{ticket.id} {self.step.id}"
        if attempt is None or attempt.outcome is not None:
            return Refused("somebody else begins just this work", where=where, mend="wait for its result")
        begun = attempt.begun_at.astimezone(self.desk.clock.now().tzinfo)
        host = attempt.worker.partition(" ")[0]
        what = f"attempt {attempt.number} by {attempt.person} runs since {begun:%H:%M} ({host})"
        return Refused(what, where=where, mend="wait for its result")

    def _refuse_twice(self, ticket: Ticket) -> None:
        try:
            refuse_twice(self.desk, self.step, ticket, self._attempts(ticket))
        except Stale as stale:
            self._results.back_to_planning(ticket, stale)
            raise

    def _order(self, ticket: Ticket, number: int) -> WorkOrder:
        try:
            with self.desk.store.read() as reader:
                return issue(self.desk, reader, ticket, self.step, person=self.person, attempt=number)
        except Stale as stale:
            self._results.back_to_planning(ticket, stale)
            raise

    def _claim(self, ticket: Ticket, order: WorkOrder) -> Attempt:
        """Take the room for the result, then the attempt; raises StepFailed (no room), Conflict."""
        now = self.desk.clock.now()
        attempt = Attempt(
            ticket=ticket.id,
            step=self.step.id,
            number=order.attempt,
            worker=self.desk.workers.me,
            person=self.person,
            order=order.digest,
            begun_at=now,
            lease_until=now,
        )
        self.desk.kept.reserve(attempt)
        try:
            with self.desk.store.write() as writer:
                if writer.ticket(ticket.id).head != ticket.head:
                    mend = f"see `inv ticket.show {ticket.id}`"
                    raise Conflict(f"somebody acted on {ticket.id} meanwhile", mend=mend)
                attempt = replace(attempt, lease_until=writer.now() + self.desk.lease)
                writer.claim(attempt)
        except SopautoError:
            self.desk.kept.forget(attempt)
            raise
        return attempt

    def _record(self, ticket: Ticket, ended: Ended) -> Ticket:
        """Keep the end of an attempt, then write its entry; raises NotRecorded."""
        return self._results.keep_and_write(ticket, ended)

    def _broken_off(self, attempt: Attempt, error: Exception) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"attempt {attempt.number} broke off ({type(error).__name__}: {error})",
            where=f"{attempt.ticket} {attempt.step}",
            mend=f"`inv ticket.run {attempt.ticket}` asks the machine what became of it",
        )

    def _unknown(self, ticket: Ticket, note: str) -> OutcomeUnknown:
        return OutcomeUnknown(note, where=ticket.id, mend=f"look at it, then `inv ticket.settle {ticket.id}`")

    def _attempts(self, ticket: Ticket) -> list[Attempt]:
        with self.desk.store.read() as reader:
            return list(reader.attempts(ticket.id, self.step.id))

    def _kept(self, ticket: Ticket) -> list[Ended]:
        return list(self.desk.kept.of_step(ticket.id, self.step.id, self.desk.report))

    def _module(self) -> TechnicalModule:
        return module_of(self.desk, self.step, until=self.until)

    @property
    def _results(self) -> Results:
        return Results(desk=self.desk, procedure=self.procedure, step=self.step, person=self.person, since=self.since)


def _outcome_of(error: SopautoError) -> Outcome:
    if isinstance(error, NotBegun):
        return Outcome.NOT_BEGUN
    return Outcome.UNKNOWN if isinstance(error, OutcomeUnknown) else Outcome.FAILED


def _begun(attempt: Attempt) -> str:
    moment = attempt.begun_at.isoformat(timespec="seconds")
    return f"attempt {attempt.number} by {attempt.person}, begun {moment},"
