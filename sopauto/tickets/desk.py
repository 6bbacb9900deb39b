"""What the use cases are given: store, people, SOPs, signer, clock, papers, messages and what domains offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from sopauto.clock import Clock, OfficeHours
from sopauto.journal.entry import Signer
from sopauto.people import People
from sopauto.procedures.model import Message, Procedure, Step
from sopauto.tickets.domain import Workspace
from sopauto.tickets.ended import KeptResults
from sopauto.tickets.model import Action, Ticket
from sopauto.tickets.offers import Offers
from sopauto.tickets.storage import Mail, Reader, Store
from sopauto.work import Artifact, Json, Report, TechnicalModule

LEASE: Final = timedelta(minutes=5)
"""How long the attempt of a worker that nobody can ask is believed to be running since it was last heard of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """The completion of a step, as papers and messages need it: who did what, and the ticket before and after."""

    procedure: Procedure
    step: Step
    action: Action
    before: Ticket
    after: Ticket
    reader: Reader
    facts: Json


class Procedures(Protocol):
    """The SOPs that tickets can run."""

    def get(self, code: str) -> Procedure:
        """Return the present version of an SOP; raises BadInput (unknown code)."""

    def source(self, procedure: Procedure) -> bytes:
        """Return the YAML that the procedure was read from."""

    def parse(self, source: bytes, where: str) -> Procedure:
        """Return the procedure that a YAML describes (read once per content)."""


class Papers(Protocol):
    """Fills the forms of an SOP."""

    def make(self, name: str, occasion: Occasion) -> Sequence[Artifact]:
        """Return the form as PDF and as JSON; raises BadInput when something that it needs is missing."""


class Messages(Protocol):
    """Writes the e-mails of an SOP."""

    def compose(self, message: Message, occasion: Occasion) -> Mail:
        """Return the e-mail; raises Refused when it lacks what the SOP demands."""


class Parameters(Protocol):
    """Resolves what a technical module needs from the ticket and its reserved assets."""

    def __call__(self, module: str, ticket: Ticket, step: Step, reader: Reader) -> Json:
        """Return the module's parameters as plain JSON; raises Refused when something is not settled yet."""

    def refuse(self, procedure: Procedure, ticket: Ticket, stated: Json, where: str) -> None:
        """Refuse a statement that machine work of a later row could not use; raises BadInput."""


class Workers(Protocol):
    """Who carries out attempts."""

    me: str

    def alive(self, worker: str) -> bool | None:
        """Tell whether a worker still runs (None: nobody can tell from here)."""

    def same_machine(self, worker: str) -> bool:
        """Tell whether a worker is or was on this machine (False: perhaps not)."""

    def stop(self, why: str) -> None:
        """Stop the work of this process where that can be done in an orderly way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that acting on tickets takes. `app.py` puts it together."""

    store: Store
    people: People
    procedures: Procedures
    signer: Signer
    clock: Clock
    hours: OfficeHours
    papers: Papers
    messages: Messages
    modules: Mapping[str, TechnicalModule]
    parameters: Parameters
    workers: Workers
    report: Report
    offers: Offers
    workspace: Workspace
    kept: KeptResults
    lease: timedelta = LEASE
    read_people: Callable[[], People] | None = None

    def with_people_of_now(self) -> Desk:
        """Return the desk with the people file as it is now: machine work may take hours. Raises BadInput."""
        return replace(self, people=self.read_people()) if self.read_people else self

    def today(self) -> date:
        """Return the date at the office."""
        return self.clock.now().date()

    def procedure_of(self, ticket: Ticket, reader: Reader) -> Procedure:
        """Return the version of the SOP that the ticket was opened with, from the ticket's own documents."""
        return self.procedure_from(reader.document(ticket.procedure_digest), f"{ticket.id}/sop.yaml")

    def procedure_from(self, source: bytes, where: str) -> Procedure:
        """Return the procedure that a YAML describes."""
        return self.procedures.parse(source, where)

    def due(self, procedure: Procedure, ticket: Ticket) -> datetime | None:
        """Return by when the ticket's present step should be done (None: the SOP sets no time, or nothing is due)."""
        if not ticket.is_open or ticket.waits_for:
            return None
        limit = procedure.step(ticket.step).time_limit
        return self.hours.deadline(ticket.since, limit.office_time, limit.office_days)
