"""What software offers: what the catalogue holds, installed, tested, configured, or taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sopauto.procedures.known import Fault, Module
from sopauto.procedures.modules import flag_fault
from sopauto.software.parameters import refuse_unusable, resolve
from sopauto.tickets.domain import Domain, MachineStep, Workspace
from sopauto.tickets.placed import SERVER
from sopauto.work import Json

if TYPE_CHECKING:
    from sopauto.documents.form import Form
    from sopauto.work import TechnicalModule

INSTALLED: Final = frozenset({"paket", "layanan", "port", "pengguna"})
"""What changes on a server where software comes or goes."""


def _stage(workspace: Workspace, name: str) -> TechnicalModule:
    from sopauto.drivers.playbook import Ansible
    from sopauto.software.parameters import shelf_of
    from sopauto.software.steps import Check, Configure, Install, Remove, Run
    from sopauto.technical.run_files import roots_of

    settings = workspace.settings
    ansible = Ansible(credentials=settings.credentials, zone=settings.time_zone)
    stage = next(stage for stage in (Check, Install, Run, Remove, Configure) if stage.name == name)
    return stage(ansible, roots=roots_of(settings.root), shelf=shelf_of(settings))


def _tests(workspace: Workspace, name: str) -> TechnicalModule:
    from sopauto.drivers.ssh import Ssh
    from sopauto.software.checks import RunTests
    from sopauto.software.default_tests import DefaultTests

    return RunTests(name, DefaultTests(Ssh(credentials=workspace.settings.credentials)))


def _carried(roots: Sequence[Path], _: Json) -> Iterator[Fault]:
    from sopauto.technical.carried import carried_faults

    return carried_faults(roots, "install_software.yml")


def _forms() -> Mapping[str, Form]:
    from sopauto.software.forms import FORMS

    return FORMS


def _by_playbook(
    *, changes: bool, parameters: Mapping[str, Callable[[object], Iterator[Fault]]], explains: frozenset[str]
) -> MachineStep:
    known = Module(changes=changes, parameters=parameters, needs=SERVER)
    return MachineStep(known=known, make=_stage, resolve=resolve, explains=explains, carried=_carried)


_DELETES: Final = {"hapus_data": flag_fault}
_CHANGES: Final = _by_playbook(changes=True, parameters=_DELETES, explains=INSTALLED)
_TESTED: Final = MachineStep(known=Module(changes=False, needs=SERVER), make=_tests, resolve=resolve)

SOFTWARE: Final[Domain[Form]] = Domain(
    name="software",
    steps={
        "software.check": _by_playbook(changes=False, parameters=_DELETES, explains=frozenset()),
        "software.configure": _by_playbook(changes=True, parameters={}, explains=INSTALLED | {"sertifikat"}),
        "software.install": _CHANGES,
        "software.remove": _CHANGES,
        "software.run": _CHANGES,
        "software.test": _TESTED,
        "software.verify": _TESTED,
    },
    refuse_statement=refuse_unusable,
    forms=_forms,
)
