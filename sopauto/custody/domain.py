"""What custody of servers offers: their place in the room, their switch port, and whether they answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sopauto.custody import effects
from sopauto.custody.parameters import port_parameters
from sopauto.procedures.known import Mark, Module
from sopauto.tickets.domain import Domain, MachineStep, RowEffect, Workspace
from sopauto.tickets.placed import SERVER, pin_host_key, reached

if TYPE_CHECKING:
    from sopauto.documents.form import Form
    from sopauto.work import TechnicalModule

NETWORK: Final = frozenset({"alamat IP", "rute", "port switch", "antarmuka", "jaringan"})
"""What changes on a server that is connected or disconnected."""
ANNOUNCED: Final = {"merek": "teks", "model": "teks", "nomor_seri": "teks", "tinggi_u": "bilangan"}
"""What the letter says of a server that is to come."""


def _port(workspace: Workspace, name: str) -> TechnicalModule:
    from sopauto.custody.port import Connect, Disconnect
    from sopauto.custody.switches.session import NetmikoSwitches

    settings = workspace.settings
    switches = NetmikoSwitches(credentials=settings.credentials, locks=settings.root / ".locks")
    return (Connect if name == "custody.connect" else Disconnect)(switches, templates=settings.templates)


def _check(workspace: Workspace, _: str) -> TechnicalModule:
    from sopauto.custody.check import Reach
    from sopauto.drivers.ssh import Ssh

    return Reach(Ssh(credentials=workspace.settings.credentials))


def _forms() -> Mapping[str, Form]:
    from sopauto.custody.forms import FORMS

    return FORMS


_AT_PORT: Final = MachineStep(
    known=Module(changes=True, needs=SERVER), make=_port, resolve=port_parameters, explains=NETWORK
)

CUSTODY: Final[Domain[Form]] = Domain(
    name="custody",
    steps={
        "custody.check": MachineStep(
            known=Module(changes=False, needs=SERVER),
            make=_check,
            resolve=reached,
            keep=pin_host_key,
        ),
        "custody.connect": _AT_PORT,
        "custody.disconnect": _AT_PORT,
    },
    effects={
        "siapkan": RowEffect(
            known=Mark(needs={**SERVER, **ANNOUNCED}, writes=frozenset({effects.PLACE})),
            take=effects.reserve,
            at_no=True,
        ),
        "tempatkan": RowEffect(known=Mark(needs=SERVER), take=effects.put_in_place),
        "bebaskan": RowEffect(known=Mark(needs=SERVER), take=effects.set_free),
    },
    waits={effects.ROOM: effects.room_for},
    refuse_letter=effects.refuse_letter,
    cancel=effects.on_cancel,
    forms=_forms,
)
