"""Every state that a ticket of an SOP can come to, and the ways on from each."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sopauto.access.register import BOOK
from sopauto.errors import SopautoError
from sopauto.journal.entry import read_body
from sopauto.procedures.model import Fork, Procedure, Step, StepKind
from sopauto.tickets.acting import act, wake
from sopauto.tickets.duties import positions_for
from sopauto.tickets.machine import plan_holder
from sopauto.tickets.model import Outcome, State, Ticket, Verb
from sopauto.tickets.record import outcome_of
from sopauto.tickets.running import make_plan, run, settle
from sopauto.tickets.storage import Reader
from sopauto.work import Probe
from tests.integration.ways.world import OUTCOMES, KilledError, World

Move = Callable[[], object]
ENDED = "ended"
MOST = 5000
"""States of one SOP; many more mean that two states that are the same are told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A state of a ticket: what tells it from others, and in words."""

    key: Hashable
    step: str
    state: State
    told: str


@dataclass(slots=True)
class Walked:
    """All that was found: the states, and from each what leads where (`way` is None where the row is not left)."""

    spots: dict[Hashable, Spot] = field(default_factory=dict)
    edges: dict[Hashable, list[tuple[str | None, Hashable]]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[Hashable, list[str]] = field(default_factory=lambda: defaultdict(list))

    def without_an_end(self) -> list[Spot]:
        """Return the states from which the ticket cannot come to its end by its rows."""
        behind: dict[Hashable, list[Hashable]] = defaultdict(list)
        for here, edges in self.edges.items():
            for _, there in edges:
                behind[there].append(here)
        good = {key for key, spot in self.spots.items() if spot.state in {State.DONE, State.REJECTED}}
        ahead = deque(good)
        while ahead:
            for key in behind[ahead.popleft()]:
                if key not in good:
                    good.add(key)
                    ahead.append(key)
        return [spot for key, spot in self.spots.items() if key not in good and spot.state is not State.CANCELLED]

    def ways(self, key: Hashable) -> set[str]:
        """Return the ways by which a row can be left from a state, perhaps after more work at that row."""
        found: set[str] = set()
        seen, ahead = {key}, [key]
        while ahead:
            for way, there in self.edges[ahead.pop()]:
                if way is not None:
                    found.add(way)
                elif there not in seen and self.spots[there].step == self.spots[key].step:
                    seen.add(there)
                    ahead.append(there)
        return found


@dataclass
class Search:
    """A search from one letter. `further` are an SOP's own commands (its answers to a review's lines)."""

    world: World
    procedure: Procedure
    statements: Mapping[str, Any]
    further: Callable[[World, Ticket], Iterator[Move]] = lambda _world, _ticket: iter(())
    walked: Walked = field(default_factory=Walked)

    def from_(self, ticket: str) -> Walked:
        """Return everything that can become of a ticket."""
        first = self._spot(ticket)
        self.walked.spots[first.key] = first
        ahead = deque([(first, self.world.keep())])
        while ahead:
            spot, bytes_ = ahead.popleft()
            if spot.state in {State.DONE, State.REJECTED, State.CANCELLED}:
                continue
            self.world.go_back(bytes_)
            for verb, move in list(self._moves(self._ticket(ticket))):
                self.world.go_back(bytes_)
                if not self._made(spot, verb, move):
                    continue
                there = self._spot(ticket)
                self.walked.edges[spot.key].append((self._way(spot, there, verb), there.key))
                if there.key not in self.walked.spots:
                    self.walked.spots[there.key] = there
                    assert len(self.walked.spots) < MOST
                    ahead.append((there, self.world.keep()))
        return self.walked

    def _made(self, spot: Spot, verb: Verb | None, move: Move) -> bool:
        """Make a move; tell whether anything may have come of it."""
        try:
            move()
        except KilledError:
            return True
        except SopautoError as error:
            self.walked.refused[spot.key].append(f"{verb}: {error}")
            return verb is Verb.RUN  # a failure is recorded, too
        return True

    def _way(self, here: Spot, there: Spot, verb: Verb | None) -> str | None:
        if here.state is not State.OPEN or (there.step == here.step and there.state is State.OPEN):
            return None
        step = self.procedure.step(here.step)
        if verb is Verb.CANCEL:
            return "batal"
        if step.kind is StepKind.DECISION:
            return {Verb.APPROVE: "ya", Verb.REJECT: "tidak"}.get(verb) if verb else None
        if verb is Verb.REJECT:
            return "kembali"
        return "lanjut" if verb in {Verb.DONE, Verb.APPROVE, Verb.RUN, Verb.SETTLE} else None

    def _moves(self, ticket: Ticket) -> Iterator[tuple[Verb | None, Move]]:
        yield from self._answers(ticket)
        yield from self._works(ticket)
        for move in self.further(self.world, ticket):
            yield None, move

    def _answers(self, ticket: Ticket) -> Iterator[tuple[Verb, Move]]:
        step = self.procedure.step(ticket.step)
        stated = {f.name: self.statements[f.name] for f in step.fields if f.name in self.statements}
        for verb in (Verb.APPROVE, Verb.REJECT, Verb.DONE, Verb.CANCEL):
            for person in self._who(ticket, verb, step):
                data = stated if verb in {Verb.APPROVE, Verb.DONE} else {}
                yield verb, self._act(ticket, verb, person, data)

    def _act(self, ticket: Ticket, verb: Verb, person: str, data: Mapping[str, Any]) -> Move:
        holder = plan_holder(self.procedure, ticket)
        planned = ticket.plans.get(holder.id) if holder else None
        seen = planned.plan if planned and verb is Verb.APPROVE else None
        return lambda: act(self.world.desk(person), ticket.id, verb, person=person, data=data, seen_plan=seen)

    def _works(self, ticket: Ticket) -> Iterator[tuple[Verb, Move]]:
        step = self.procedure.step(ticket.step)
        for person in self._who(ticket, Verb.PLAN, step):
            yield Verb.PLAN, self._plan(ticket, person)
        for person in self._who(ticket, Verb.WAKE, step) if ticket.state is State.WAITING else ():
            yield Verb.WAKE, self._wake(ticket, person)
        if not step.technical or ticket.state is not State.OPEN:
            return
        for person in self._who(ticket, Verb.RUN, step):
            if ticket.unknown:
                for settled in (Outcome.DONE, Outcome.FAILED, Outcome.NOT_BEGUN):
                    yield Verb.SETTLE, self._settle(ticket, person, settled)
            elif self._cut_off(ticket):
                for probe in Probe:
                    yield Verb.RUN, self._run(ticket, person, "done", probe)
            else:
                for outcome in OUTCOMES:
                    yield Verb.RUN, self._run(ticket, person, outcome)

    def _cut_off(self, ticket: Ticket) -> bool:
        with self.world.app.store.read() as reader:
            attempts = reader.attempts(ticket.id, ticket.step)
        return bool(attempts) and attempts[-1].outcome is None

    def _plan(self, ticket: Ticket, person: str) -> Move:
        return lambda: make_plan(self.world.desk(person), ticket.id, person=person)

    def _run(self, ticket: Ticket, person: str, outcome: str, probe: Probe = Probe.DONE) -> Move:
        def move() -> None:
            self.world.fate.outcome, self.world.fate.probe = outcome, probe
            run(self.world.desk(person), ticket.id, person=person)

        return move

    def _wake(self, ticket: Ticket, person: str) -> Move:
        return lambda: wake(self.world.desk(person), ticket.id, person=person)

    def _settle(self, ticket: Ticket, person: str, outcome: Outcome) -> Move:
        return lambda: settle(self.world.desk(person), ticket.id, person=person, outcome=outcome, note="looked")

    def _who(self, ticket: Ticket, verb: Verb, step: Step) -> list[str]:
        positions, people = positions_for(self.procedure, verb, step), self.world.app.people
        today = self.world.clock.now().date()
        return [p for p in self.world.keys if any(people.holds(p, position, today) for position in positions)]

    def _ticket(self, ticket: str) -> Ticket:
        with self.world.app.store.read() as reader:
            return reader.ticket(ticket)

    def _spot(self, ticket_id: str) -> Spot:
        with self.world.app.store.read() as reader:
            ticket = reader.ticket(ticket_id)
            parts = self._parts(ticket, reader)
        told = f"{ticket.step} ({ticket.state.value}) {json.dumps(parts, default=str)}"
        return Spot(key=told, step=ticket.step, state=ticket.state, told=told)

    def _parts(self, ticket: Ticket, reader: Reader) -> dict[str, Any]:
        """Return what makes a difference to what can be done next."""
        if not ticket.is_open:
            return {}
        forks = {t.on for s in self.procedure.steps for t in (s.next, s.yes, s.no) if isinstance(t, Fork)}
        attempts, book = reader.attempts(ticket.id, ticket.step), reader.part(BOOK)
        return {
            "waits": ticket.waits_for,
            "unknown": ticket.unknown,
            "stated": sorted(ticket.data),
            "answers": {name: answer for name, answer in ticket.answers.items() if name in forks},
            "plans": {name: planned.approved_by for name, planned in ticket.plans.items()},
            "people": [sorted(ticket.requesters), sorted(ticket.approvers), sorted(ticket.executors)],
            "looked": sorted(_looks(ticket, reader)),
            "running": bool(attempts and attempts[-1].outcome is None),
            "servers": [(server.id, server.state.value) for server in reader.assets.servers()],
            "access": str((grant := book.grant(ticket.id)) and (grant.state.value, bool(grant.card_made_at))),
            "lines": [str(line.answer) for line in book.lines(ticket.id)],
        }


def _looks(ticket: Ticket, reader: Reader) -> set[str]:
    """Return how machine work ended at the present row since it was entered."""
    bodies = [read_body(entry.body) for entry in reader.entries(ticket.id)]
    since = ticket.since.isoformat()
    return {str(outcome_of(body)) for body in bodies if body["step"] == ticket.step and body["at"] >= since}
