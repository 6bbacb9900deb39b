"""What the inventory offers to tickets: reading a server, and the form with what was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sopauto.inventory.keeping import keep_snapshot
from sopauto.procedures.known import Module
from sopauto.schedule import Job
from sopauto.tickets.domain import Domain, MachineStep, Workspace
from sopauto.tickets.placed import SERVER, entered

if TYPE_CHECKING:
    from sopauto.documents.form import Form
    from sopauto.work import TechnicalModule


def _collect(workspace: Workspace, _: str) -> TechnicalModule:
    from sopauto.drivers.ssh import Ssh
    from sopauto.inventory.reading import script, snapshot
    from sopauto.inventory.steps import Collect

    ssh = Ssh(credentials=workspace.settings.credentials)
    return Collect(ssh, script=script.source(), parse=snapshot.parse, now=workspace.clock.now)


def _forms() -> Mapping[str, Form]:
    from sopauto.inventory.reports.sheet import FORMS

    return FORMS


INVENTORY: Final[Domain[Form]] = Domain(
    name="inventory",
    steps={
        "inventory.collect": MachineStep(
            known=Module(changes=False, needs=SERVER),
            make=_collect,
            resolve=entered,
            keep=keep_snapshot,
        )
    },
    forms=_forms,
    jobs=(
        Job(
            name="inventory-monthly",
            command="inventory.monthly",
            # Daily: a month that was reported is left alone, and one that was missed is caught up.
            calendar="*-*-* 21:30:00",
            cron="30 21 * * *",
            does="read every server, once a month",
        ),
    ),
)
