"""Walk a ticket along its SOP: at each row the right person acts, with the right key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sopauto.app import App
from sopauto.errors import Refused
from sopauto.procedures.model import Procedure, Step, StepKind
from sopauto.tickets.acting import act, open_from_letter
from sopauto.tickets.desk import Desk
from sopauto.tickets.duties import take_position
from sopauto.tickets.machine import plan_to_sign
from sopauto.tickets.model import Letter, State, Ticket, Verb
from sopauto.tickets.running import make_plan, run
from sopauto.tickets.showing import name_of
from sopauto.work import Json, Report

Hook = Callable[[Ticket], None]
"""Something that happens in the world before or after a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One action of the walk: the row, who did it in which position, and what."""

    step: Step
    person: str
    position: str
    verb: str
    told: str = ""


@dataclass(slots=True, kw_only=True)
class Walk:
    """Who acts, what they answer and state, and what happens around them.

    `keys` is the private key of each person. `answers` gives, for each decision, one answer per round (the last
    holds on); `judges` answers by the facts that the row's machine work brought. `statements` gives what a field is
    filled with, or a row's own field (`row name`). `before` and `after` are called around
    a row.
    """

    app: App
    keys: Mapping[str, Path]
    statements: Mapping[str, Any]
    answers: Mapping[str, tuple[bool, ...]] = field(default_factory=dict)
    judges: Mapping[str, Callable[[Json], bool]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, Hook] = field(default_factory=dict)
    after: Mapping[str, Hook] = field(default_factory=dict)
    passed: Callable[[Passed], None] = lambda _: None
    report: Report = lambda _: None

    def open(self, letter: Letter, *, person: str) -> Ticket:
        """Open a ticket from a letter."""
        ticket = open_from_letter(self._desk(person), letter, person=person)
        procedure = self.app.library.get(letter.procedure)
        first = procedure.step(procedure.start)
        if ticket.step != first.id:
            self.passed(Passed(step=first, person=person, position=first.actors[0], verb="open", told=ticket.id))
        return ticket

    def to_the_end(self, ticket: Ticket) -> Ticket:
        """Walk until nobody has anything to do, or the ticket waits."""
        while ticket.state is State.OPEN:
            ticket = self.row(ticket)
        return ticket

    def until(self, ticket: Ticket, step: str) -> Ticket:
        """Walk until the ticket stands at a row."""
        while ticket.state is State.OPEN and ticket.step != step:
            ticket = self.row(ticket)
        return ticket

    def row(self, ticket: Ticket) -> Ticket:
        """Pass the ticket's present row."""
        procedure = self._procedure(ticket)
        step = procedure.step(ticket.step)
        if step.id in self.before:
            self.before[step.id](ticket)
        for person, position, verb, told, after in self._acts(procedure, step, ticket):
            ticket = after
            self.passed(Passed(step=step, person=person, position=position, verb=verb, told=told))
        if step.id in self.after:
            self.after[step.id](ticket)
        return ticket

    def _acts(self, procedure: Procedure, step: Step, ticket: Ticket) -> Iterator[tuple[str, str, str, str, Ticket]]:
        """Yield each action of a row as person, position, verb, what it told, and the ticket afterwards."""
        if (step.technical and step.technical.approver) or self._plans_here(procedure, step, ticket):
            worker, position = self._who(procedure, ticket, Verb.PLAN)
            ticket, record = make_plan(self._desk(worker), ticket.id, person=worker)
            yield worker, position, "plan", f"{len(record.plan.lines)} lines for {record.plan.targets[0]}", ticket
        if step.technical and step.technical.approver:
            approver, position = self._who(procedure, ticket, Verb.APPROVE)
            shown = self._shown(procedure, ticket)
            ticket = act(self._desk(approver), ticket.id, Verb.APPROVE, person=approver, seen_plan=shown)
            yield approver, position, "approve plan", ticket.plans[step.id].plan[:12], ticket
        facts: Json = {}
        if step.technical:
            worker, position = self._who(procedure, ticket, Verb.RUN)
            ticket, result = run(self._desk(worker), ticket.id, person=worker, module=None)
            facts = result.facts
            yield worker, position, step.technical.module, result.summary, ticket
        if step.technical is None or step.kind is StepKind.DECISION:
            verb = self._verb(step, ticket, facts)
            person, position = self._who(procedure, ticket, verb)
            data = {f.name: self._stated(step, f.name) for f in step.fields} if verb is not Verb.REJECT else {}
            note = self.notes.get(f"{step.id} {verb.value}", "")
            shown = self._shown(procedure, ticket) if verb is Verb.APPROVE else None
            ticket = act(self._desk(person), ticket.id, verb, person=person, data=data, note=note, seen_plan=shown)
            told = {Verb.APPROVE: step.yes_label, Verb.REJECT: step.no_label}.get(verb, "")
            yield person, position, verb.value, note or (told if step.kind is StepKind.DECISION else ""), ticket

    def _plans_here(self, procedure: Procedure, step: Step, ticket: Ticket) -> bool:
        """Tell whether this row carries the plan of a later one, and will send it on (SOP 000, row 9)."""
        later = any(other.technical and other.technical.plan_step == step.id for other in procedure.steps)
        return later and self._verb(step, ticket, {}) is Verb.APPROVE

    def _shown(self, procedure: Procedure, ticket: Ticket) -> str | None:
        """Return the digest of the plan that the present row signs, as `inv ticket.show` hands it to who approves."""
        planned = plan_to_sign(procedure, ticket)
        if planned is None:
            return None
        with self.app.store.read() as reader:
            return name_of(reader, ticket, planned)

    def _stated(self, step: Step, name: str) -> Any:
        """Return what a field is filled with: the row's own statement (`row name`) before the general one."""
        return self.statements.get(f"{step.id} {name}", self.statements.get(name))

    def _verb(self, step: Step, ticket: Ticket, facts: Json) -> Verb:
        if step.kind is StepKind.PROCESS:
            return Verb.APPROVE if step.approval else Verb.DONE
        if step.id in self.judges:
            return Verb.APPROVE if self.judges[step.id](facts) else Verb.REJECT
        answers = self.answers.get(step.id, (True,))
        answer = answers[min(ticket.rounds[step.id], len(answers)) - 1]
        return Verb.APPROVE if answer else Verb.REJECT

    def _who(self, procedure: Procedure, ticket: Ticket, verb: Verb) -> tuple[str, str]:
        """Return a person whose key is at hand and who may do this today, and in which position."""
        for person in self.keys:
            try:
                position = take_position(
                    procedure, ticket, verb, person=person, people=self.app.people, on=self._today()
                )
            except Refused:
                continue
            return person, position
        raise LookupError(f"nobody at hand may {verb.value} at {ticket.step}")

    def _today(self) -> date:
        return self.app.clock.now().date()

    def _procedure(self, ticket: Ticket) -> Procedure:
        with self.app.store.read() as reader:
            return self.app.procedure_of(ticket, reader)

    def _desk(self, person: str) -> Desk:
        return self.app.desk(person, key=self.keys[person], report=self.report)
