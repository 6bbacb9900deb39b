"""What the domains offer together: whatever a row of an SOP names is found here, whoever offers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sopauto.errors import Refused
from sopauto.procedures.known import Mark, Module
from sopauto.procedures.model import Step
from sopauto.tickets.domain import Case, Domain, Effect, MachineStep, Opening, Reading, RowEffect, Stating
from sopauto.tickets.model import Ticket
from sopauto.tickets.storage import Change, Reader


@dataclass(frozen=True, kw_only=True)
class Offers:
    """The domains of this installation, asked as one."""

    domains: Sequence[Domain[Any]]

    @cached_property
    def steps(self) -> Mapping[str, MachineStep]:
        """Every machine step by the name that `teknis` gives it."""
        return {name: step for domain in self.domains for name, step in domain.steps.items()}

    @cached_property
    def effects(self) -> Mapping[str, RowEffect]:
        """Every effect by the name that `aset` gives it."""
        return {name: effect for domain in self.domains for name, effect in domain.effects.items()}

    @cached_property
    def modules(self) -> Mapping[str, Module]:
        """What an SOP has to know of each machine step."""
        return {name: step.known for name, step in self.steps.items()}

    @cached_property
    def marks(self) -> Mapping[str, Mark]:
        """What an SOP has to know of each effect."""
        return {name: effect.known for name, effect in self.effects.items()}

    @cached_property
    def explains(self) -> Mapping[str, frozenset[str]]:
        """The topics of the inventory that the evidence of each machine step may explain."""
        return {name: step.explains for name, step in self.steps.items()}

    def effect_of(self, step: Step, case: Case) -> Effect:
        """Return the effect of completing a row; raises Refused, BadInput."""
        effect = self.effects.get(step.effect or "")
        if effect is None or (case.answer is False and not effect.at_no):
            return Effect()
        return effect.take(case)

    def look_again(self, reader: Reader, ticket: Ticket) -> Effect:
        """Return the effect of looking anew for what a ticket waits for; raises Refused (there is none)."""
        for domain in self.domains:
            for reason, look in domain.waits.items():
                if reason == ticket.waits_for:
                    return look(reader, ticket)
        raise Refused(f"nobody can tell when {ticket.waits_for!r} is there", where=ticket.id)

    def cancel(self, reader: Reader, ticket: Ticket) -> Effect:
        """Return the effect of cancelling a ticket; raises Refused."""
        found = [domain.cancel(reader, ticket) for domain in self.domains]
        return Effect(
            changes=tuple(change for effect in found for change in effect.changes),
            data={name: value for effect in found for name, value in effect.data.items()},
            wakes=tuple(woken for effect in found for woken in effect.wakes),
        )

    def refuse_letter(self, opening: Opening) -> None:
        """Refuse a letter that a domain cannot serve; raises BadInput."""
        for domain in self.domains:
            domain.refuse_letter(opening)

    def refuse_statement(self, stating: Stating) -> None:
        """Refuse a statement that machine work of a later row could not use; raises BadInput."""
        for domain in self.domains:
            domain.refuse_statement(stating)

    def keep(self, modules: Sequence[str], reading: Reading) -> tuple[Change, ...]:
        """Return what the findings of modules add to the store."""
        return tuple(change for name in modules if name in self.steps for change in self.steps[name].keep(reading))
