"""Where a technical module's parameters come from: the row, the ticket, and what the module's domain resolves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sopauto.errors import BadInput
from sopauto.procedures.model import Procedure, Step
from sopauto.procedures.modules import faults
from sopauto.tickets.domain import Need, Stating, Workspace
from sopauto.tickets.model import Ticket
from sopauto.tickets.offers import Offers
from sopauto.tickets.storage import Reader
from sopauto.work import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleParameters:
    """Resolves the parameters of every module. Fulfils `desk.Parameters`."""

    offers: Offers
    workspace: Workspace

    def refuse(self, procedure: Procedure, ticket: Ticket, stated: Json, where: str) -> None:
        """Refuse a statement that machine work of a later row could not use; raises BadInput."""
        self.offers.refuse_statement(
            Stating(workspace=self.workspace, procedure=procedure, ticket=ticket, stated=stated, where=where)
        )

    def __call__(self, module: str, ticket: Ticket, step: Step, reader: Reader) -> Json:
        """Return the module's parameters as plain JSON.

        Raises: Refused (something is not settled yet), BadInput (what the row or an agency's file states is unsound).
        """
        self._refuse_unknown(ticket, step)
        stated = self._stated(module, step)
        known = self.offers.steps.get(module)
        if known is None:
            return stated
        need = Need(module=module, reader=reader, workspace=self.workspace, ticket=ticket, step=step, stated=stated)
        return known.resolve(need)

    def _refuse_unknown(self, ticket: Ticket, step: Step) -> None:
        """Refuse what no module of the row knows, also in an SOP that was opened before that was checked."""
        if step.technical is None:
            return
        for what, mend in faults(self.offers.modules, step.technical.modules, step.technical.parameters):
            raise BadInput(what, where=f"{ticket.id} {step.id} teknis.parameter", mend=mend)

    def _stated(self, module: str, step: Step) -> dict[str, Any]:
        """Return what the row states for this very module: the modules of a row share one `parameter`."""
        stated = step.technical.parameters if step.technical else {}
        known = self.offers.modules[module].parameters if module in self.offers.modules else stated
        return {name: value for name, value in stated.items() if name in known}
