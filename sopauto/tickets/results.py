"""How the end of machine work comes into the journal: kept on disk first, then signed and written.

What cannot be written is told as such, and stays kept: the next run of the step writes it, and runs nothing again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from sopauto.clock import Steady
from sopauto.errors import NotRecorded, Refused, SopautoError, Stale, StepFailed
from sopauto.procedures.model import Procedure, Step, StepKind
from sopauto.tickets.acting import prepare
from sopauto.tickets.contention import Seen, asks, until_kept
from sopauto.tickets.desk import Desk
from sopauto.tickets.domain import Reading
from sopauto.tickets.duties import take_position
from sopauto.tickets.ended import Ended
from sopauto.tickets.model import Action, Attempt, Outcome, State, Ticket, Verb
from sopauto.tickets.record import commit
from sopauto.tickets.storage import Change, Reader
from sopauto.tickets.timing import moment_after_work
from sopauto.work import Artifact, Json, Result, WorkOrder

PAUSES: Final = (0.2, 0.5, 1.0, 2.0)
"""Seconds between tries to write the end of an attempt to a database that fails."""
WORDS: Final = {
    Outcome.DONE: "done",
    Outcome.PARTLY: "partly done",
    Outcome.FAILED: "failed",
    Outcome.NOT_BEGUN: "not begun",
    Outcome.UNKNOWN: "of unknown outcome",
}

Written = TypeVar("Written")


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Writes the entries of one step's machine work, in the name of one authorised person."""

    desk: Desk
    procedure: Procedure
    step: Step
    person: str
    since: Steady | None = None
    """When the work began, told by a counter that nobody can set."""

    def read(self, ticket: Ticket, order: WorkOrder, result: Result) -> Ticket:
        """Write what a module that only reads has found."""
        moves = ticket.state is State.OPEN and self.step.kind is StepKind.PROCESS
        verb = Verb.RUN if moves else Verb.EVIDENCE
        artifacts = tuple(result.artifacts)

        def change(action: Action) -> tuple[Change, ...]:
            reading = Reading(order=order, facts=result.facts, artifacts=artifacts, at=action.at)
            return self.desk.offers.keep(self.step.technical.modules if self.step.technical else (), reading)

        return self._commit(
            ticket,
            verb,
            note=result.summary,
            order=order.digest,
            outcome=Outcome.DONE,
            artifacts=artifacts,
            facts=result.facts,
            change=change,
        )

    def could_not_read(self, ticket: Ticket, told: str, artifacts: tuple[Artifact, ...]) -> None:
        """Write that work which only reads could not be carried out."""
        self._commit(ticket, Verb.EVIDENCE, note=told, outcome=Outcome.FAILED, artifacts=artifacts)

    def back_to_planning(self, ticket: Ticket, stale: Stale) -> None:
        """Write that what was approved is no longer what would run."""
        if ticket.state is State.OPEN:
            self._commit(ticket, Verb.STALE, note=str(stale))

    def not_begun(self, attempt: Attempt) -> None:
        """Write that an attempt changed nothing; kept on disk where the database is away."""

        def once() -> None:
            with self.desk.store.write() as writer:
                writer.settle(attempt, Outcome.NOT_BEGUN, self.desk.clock.now())

        with suppress(StepFailed):
            self.desk.kept.keep(Ended(attempt=attempt, outcome=Outcome.NOT_BEGUN, note="nothing was changed"))
        _patiently(once)
        self.desk.kept.forget(attempt)

    def keep_and_write(self, ticket: Ticket, ended: Ended) -> Ticket:
        """Keep the end of an attempt, then write its entry; raises NotRecorded."""
        try:
            where = f"what is known is kept in {self.desk.kept.keep(ended)}"
        except StepFailed as error:
            where = f"and nothing is kept of it ({error.what})"
        return self.write(ticket, ended, note=ended.note, where=where)

    def write(self, ticket: Ticket, ended: Ended, *, note: str, where: str) -> Ticket:
        """Write the entry of an attempt's end, and then forget what was kept of it.

        Raises: NotRecorded, whatever hindered it: the machine's work is over, and must not look as if it had not been.
        """
        try:
            after = self._written(ticket, ended, note)
        except (Exception, KeyboardInterrupt) as error:
            raise _not_recorded(ended, where, error) from error
        self.desk.kept.forget(ended.attempt)
        return after

    def write_late(self, ticket: Ticket, ended: Ended) -> Ticket:
        """Write what a worker says that had lost its lease: evidence, after which an engineer decides."""
        after = self._commit(
            ticket,
            Verb.RUN,
            note=late_note(ended),
            order=ended.attempt.order,
            outcome=Outcome.UNKNOWN,
            artifacts=ended.artifacts,
        )
        self.desk.kept.forget(ended.attempt)
        return after

    def _written(self, ticket: Ticket, ended: Ended, note: str) -> Ticket:
        attempt = ended.attempt

        def change(action: Action) -> tuple[Change, ...]:
            return (lambda writer: writer.settle(attempt, ended.outcome, action.at),)

        def once() -> Ticket:
            return self._commit(
                ticket,
                Verb.RUN,
                note=note,
                order=attempt.order,
                outcome=ended.outcome,
                artifacts=ended.artifacts,
                facts=ended.facts,
                change=change,
                of=attempt,
            )

        return once() if asks(self.desk) else _patiently(once)

    def _commit(
        self,
        ticket: Ticket,
        verb: Verb,
        *,
        note: str,
        order: str | None = None,
        outcome: Outcome | None = None,
        artifacts: tuple[Artifact, ...] = (),
        facts: Json | None = None,
        change: Callable[[Action], tuple[Change, ...]] = lambda _: (),
        of: Attempt | None = None,
    ) -> Ticket:
        def once(seen: Seen) -> Ticket:
            desk = self.desk.with_people_of_now()
            with desk.store.read() as reader:
                if of is not None:
                    _refuse_if_lost(reader, of)
                present = seen.of(reader, ticket.id)
                position = take_position(
                    self.procedure,
                    present,
                    verb,
                    person=self.person,
                    people=desk.people,
                    on=desk.today(),
                    step=self.step,
                )
                at, told = moment_after_work(desk, reader, present, self.since)
                action = Action(
                    verb=verb,
                    person=self.person,
                    position=position,
                    at=at,
                    note=f"{note}{told}",
                    order=order,
                    outcome=outcome,
                )
                drafts = prepare(
                    desk,
                    reader,
                    self.procedure,
                    present,
                    action,
                    artifacts=artifacts,
                    changes=change(action),
                    facts=facts,
                )
            return commit(desk, drafts)[0]

        return until_kept(self.desk, once, seen=Seen(ticket))


class LostLease(Refused):
    """Another worker has taken the attempt over: what its first worker says no longer counts by itself."""


def late_note(ended: Ended) -> str:
    """Return what is said of a worker that went on after another one had taken its attempt over."""
    return (
        f"attempt {ended.attempt.number} by {ended.attempt.person} went on after its lease had run out and another "
        f"worker had taken it over; it says of itself that it is {WORDS[ended.outcome]}: {ended.note}"
    )


def _refuse_if_lost(reader: Reader, attempt: Attempt) -> None:
    """Refuse the result of a worker that lost its lease to another (design rule 5)."""
    for now in reader.attempts(attempt.ticket, attempt.step):
        if now.number == attempt.number and (now.worker != attempt.worker or now.outcome is not None):
            raise LostLease(f"its lease ran out and it was taken over, by {now.worker.partition(' ')[0]}")


def _patiently(once: Callable[[], Written]) -> Written:
    """Return what `once` returns, tried a few times while the database fails."""
    for pause in PAUSES:
        try:
            return once()
        except StepFailed:
            time.sleep(pause)
    return once()


def _not_recorded(ended: Ended, where: str, error: BaseException) -> NotRecorded:
    attempt = ended.attempt
    why = str(error) if isinstance(error, SopautoError) else f"{type(error).__name__} {error}".strip()
    said = "" if ended.outcome in {Outcome.DONE, Outcome.PARTLY} else f": {ended.note}"
    mend = f"mend that, then `inv ticket.run {attempt.ticket}` records it"
    if isinstance(error, LostLease):
        mend = f"look at the machine; `inv ticket.run {attempt.ticket}` brings it into the journal, to be settled"
    return NotRecorded(
        f"attempt {attempt.number} is {WORDS[ended.outcome]}, not recorded ({why}){said}; {where}",
        where=f"{attempt.ticket} {attempt.step}",
        mend=mend,
        evidence=ended.artifacts,
    )
