"""What servers offer: preparing and securing a new one, and playbooks of an agency's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from sopauto.procedures.fields import visible
from sopauto.procedures.known import Fault, Module
from sopauto.procedures.modules import login_fault
from sopauto.procedures.variables import faults as variables_fault
from sopauto.servers.parameters import refuse_unusable, server_parameters
from sopauto.tickets.domain import EVERYTHING, Domain, MachineStep, Workspace
from sopauto.tickets.placed import SERVER, entered
from sopauto.work import Json

if TYPE_CHECKING:
    from sopauto.documents.form import Form
    from sopauto.work import TechnicalModule

SECURED: Final = frozenset({"paket", "layanan", "port", "pengguna", "pengamanan", "sistem berkas"})
"""What hardening changes on a server."""


def playbook_fault(name: Any) -> Iterator[Fault]:
    """Yield what is wrong with a playbook's name."""
    if not isinstance(name, str) or PurePosixPath(name).name != name or not name.endswith((".yml", ".yaml")):
        yield f"{visible(str(name))!r} is no playbook's name", "write e.g. set_time_zone.yml"


def _server(workspace: Workspace, name: str) -> TechnicalModule:
    from sopauto.drivers.playbook import Ansible
    from sopauto.servers.evidence_form import hardening_evidence
    from sopauto.servers.steps import Harden, Provision
    from sopauto.technical.run_files import roots_of

    settings = workspace.settings
    ansible = Ansible(credentials=settings.credentials, zone=settings.time_zone)
    roots = roots_of(settings.root)
    if name == "server.provision":
        return Provision(ansible, roots=roots)
    form = partial(hardening_evidence, settings)
    return Harden(ansible, roots=roots, now=workspace.clock.now, form=form)


def _own_playbook(workspace: Workspace, _: str) -> TechnicalModule:
    from sopauto.drivers.playbook import Ansible
    from sopauto.technical.playbook import RunPlaybook
    from sopauto.technical.run_files import roots_of

    settings = workspace.settings
    ansible = Ansible(credentials=settings.credentials, zone=settings.time_zone)
    return RunPlaybook(ansible, roots=roots_of(settings.root))


def _carried(name: str, roots: Sequence[Path], _: Json) -> Iterator[Fault]:
    from sopauto.technical.carried import carried_faults

    return carried_faults(roots, name)


def _carried_by_own(roots: Sequence[Path], parameters: Json) -> Iterator[Fault]:
    return _carried(str(parameters.get("playbook", "")), roots, parameters)


def _forms() -> Mapping[str, Form]:
    from sopauto.servers.forms import FORMS

    return FORMS


_OWN: Final = Module(
    changes=True,
    parameters={"playbook": playbook_fault, "variables": variables_fault, "login": login_fault},
    required=("playbook",),
    needs=SERVER,
)

SERVERS: Final[Domain[Form]] = Domain(
    name="servers",
    steps={
        "playbook.run": MachineStep(
            known=_OWN, make=_own_playbook, resolve=entered, explains=EVERYTHING, carried=_carried_by_own
        ),
        "server.harden": MachineStep(
            known=Module(changes=True, needs=SERVER),
            make=_server,
            resolve=server_parameters,
            explains=SECURED,
            carried=partial(_carried, "harden_server.yml"),
        ),
        "server.provision": MachineStep(
            known=Module(changes=True, needs=SERVER),
            make=_server,
            resolve=server_parameters,
            explains=EVERYTHING,
            carried=partial(_carried, "provision_server.yml"),
        ),
    },
    refuse_statement=refuse_unusable,
    forms=_forms,
)
