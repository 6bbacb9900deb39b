"""What access to rooms offers: requests, cards at doors, the register, reviews and removal (SOP 004)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sopauto.access import effects
from sopauto.access.register import BOOK
from sopauto.procedures.known import Mark, Module
from sopauto.schedule import Job
from sopauto.tickets.domain import Domain, MachineStep, RowEffect, Workspace

if TYPE_CHECKING:
    from sopauto.access.register import Book
    from sopauto.documents.form import Form
    from sopauto.work import TechnicalModule

REQUEST: Final = {
    "nama_pengakses": "teks",
    "nip_pengakses": "identitas",
    "jenis_akses": "pilihan",
    "keperluan": "teks",
    "zona": "teks",
    "berlaku_dari": "tanggal",
}
"""What a request of access states."""


def _at_doors(workspace: Workspace, name: str) -> TechnicalModule:
    from sopauto.access.doors.listed import doors_of
    from sopauto.access.steps import GrantAccess, RevokeAccess

    return (GrantAccess if name == "access.grant" else RevokeAccess)(doors_of(workspace.settings))


def _book(connection: Any) -> Book:
    from sopauto.access.store import SqlBook

    return SqlBook(connection)


def _forms() -> Mapping[str, Form]:
    from sopauto.access.forms import FORMS

    return FORMS


JOBS: Final = (
    Job(
        name="access-expire",
        command="access.expire",
        calendar="*-*-* *:05:00",
        cron="5 * * * *",
        does="end access that is over, and try doors again",
    ),
    Job(
        name="access-doors",
        command="access.doors",
        calendar="*-*-* 06:20:00",
        cron="20 6 * * *",
        does="hold the doors against the register of access",
    ),
    Job(
        name="access-remind",
        command="access.remind",
        calendar="*-*-* 07:30:00",
        cron="30 7 * * *",
        does="remind of reviews, and suspend what nobody answered",
    ),
    Job(
        name="access-review",
        command="access.review",
        calendar="Mon..Fri *-*-* 08:00:00",
        cron="0 8 * * 1-5",
        does="open the reviews that are due",
        signs=True,
    ),
)

ACCESS: Final[Domain[Form]] = Domain(
    name="access",
    steps={
        "access.grant": MachineStep(known=Module(changes=True), make=_at_doors, resolve=effects.cards_to_grant),
        "access.revoke": MachineStep(known=Module(changes=True), make=_at_doors, resolve=effects.cards_to_revoke),
    },
    effects={
        "akses-disetujui": RowEffect(
            known=Mark(needs=REQUEST, writes=frozenset({"nomor_kartu"})), take=effects.approve
        ),
        "akses-diberikan": RowEffect(known=Mark(module="access.grant"), take=effects.enter),
        "kartu-siap": RowEffect(
            known=Mark(writes=frozenset({"status_akses"}), message="kartu-akses-siap", after="akses-diberikan"),
            take=effects.card_ready,
        ),
        "akses-dihapus": RowEffect(known=Mark(module="access.revoke"), take=effects.remove),
        "review-disusun": RowEffect(
            known=Mark(needs={effects.REVIEWER: "teks"}, writes=frozenset({"jumlah_akses"})),
            take=effects.compose_review,
        ),
        "review-dijawab": RowEffect(known=Mark(), take=effects.refuse_unanswered, at_no=True),
        "review-diputuskan": RowEffect(known=Mark(), take=effects.refuse_undecided, at_no=True),
    },
    refuse_letter=effects.refuse_request,
    cancel=effects.on_cancel,
    forms=_forms,
    parts={BOOK: _book},
    jobs=JOBS,
)
