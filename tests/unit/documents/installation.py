"""Occasions of SOP 000: the shipped rows, with the fields, forms and machine work that the tests are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from lab.cast import UNIT
from sopauto.procedures.library import Library
from sopauto.procedures.model import Field, Procedure, Step, StepKind, Technical
from sopauto.tickets.desk import Occasion
from sopauto.tickets.model import Attempt, DocumentRef, Letter, Outcome, Verb
from sopauto.tickets.plan_record import PlanRecord, write_record
from sopauto.work import Plan, sha256
from tests.unit.documents.occasions import BEGIN, Books, Register, Trail, begin, server

TICKET = "PP-2026-0001"
LETTER = {
    "nomor_surat": "B-271/TIKI/2026",
    "tanggal": "2026-11-20",
    "perihal": "Permohonan server layanan antrean",
    "unit": "Bidang Pelayanan",
    "nama_host": "antrean-01",
    "alamat_ip": "10.20.40.11",
    "keperluan": "Layanan antrean daring",
    "sistem_operasi": "Debian 12",
    "cpu_inti": 4,
    "memori_gb": 8,
    "disk_gb": 100,
    "kontak_nama": "Wulan Anggraini",
    "kontak_email": "wulan@dinkes.example.go.id",
}
OPTIONAL = ("unit", "nama_host", "alamat_ip", "keperluan", "sistem_operasi", "cpu_inti", "memori_gb", "disk_gb")
FIELDS = {
    7: [Field(name="hasil", label="Hasil pengecekan", required=False)],
    9: [Field(name="posisi", label="Posisi perangkat", required=False)],
    12: [Field(name="catatan", label="Catatan pengguna", required=False)],
    16: [Field(name="hasil", label="Hasil penyiapan", required=False)],
    19: [Field(name="catatan", label="Catatan penerimaan", required=False)],
}
FORMS_BY_ROW = {
    2: "surat-permohonan",
    3: "lembar-disposisi",
    4: "lembar-disposisi",
    5: "lembar-disposisi",
    6: "lembar-disposisi",
    8: "bahan-laporan-ketersediaan",
    9: "laporan-ketersediaan",
    10: "laporan-pemasangan",
    12: "bast-penggunaan",
    14: "instruksi",
    16: "laporan-pelaksanaan",
    17: "instruksi",
    18: "jurnal-harian",
    19: "konfirmasi-kesiapan",
}
STATED: Mapping[int, Mapping[str, Any]] = {
    7: {"hasil": "dua server Dell R650 kosong"},
    9: {"posisi": "ruang server lantai 2, rak R2"},
    12: {"catatan": "diterima untuk layanan antrean"},
    16: {"hasil": "server siap, 62 kontrol sesuai"},
    19: {"catatan": "layanan sudah dicoba"},
}
NOTES = {3: "Mohon diproses", 8: "tersedia", 14: "Kerjakan sesuai rencana", 17: "Beri tahu pemohon"}
DIFF = "--- sebelum: /etc/ssh/sshd_config\n+++ sesudah: /etc/ssh/sshd_config\n-PermitRootLogin yes\n+PermitRootLogin no"


def procedure() -> Procedure:
    """Return the shipped SOP with the letter, fields, forms and machine work of these tests."""
    shipped = Library(()).get("pemasangan-server")
    return replace(shipped, steps=tuple(map(_row, shipped.steps)), letter=tuple(map(_field, LETTER)))


def _row(step: Step) -> Step:
    work = Technical(
        modules=("playbook.run",),
        executor="jfu",
        plan_step="pemasangan.9",
        approval_step="pemasangan.10",
        parameters={},
    )
    form = FORMS_BY_ROW.get(step.number)
    return replace(
        step,
        fields=tuple(FIELDS.get(step.number, ())),
        documents=(form,) if form else (),
        technical=work if step.number == 15 else None,
        message=None,
        effect=None,
    )


def _field(name: str) -> Field:
    kinds = {"tanggal": "tanggal", "cpu_inti": "bilangan", "memori_gb": "bilangan", "disk_gb": "bilangan"}
    label = name.replace("_", " ").capitalize()
    return Field(name=name, label=label, kind=kinds.get(name, "teks"), required=name not in OPTIONAL)


def installation(books: Books | None = None, **changes: object) -> Trail:
    """Open a ticket; a field of the letter that is changed to None is left out."""
    fields = {name: value for name, value in {**LETTER, **changes}.items() if value is not None}
    letter = Letter(procedure="pemasangan-server", unit=UNIT, applicant="wulan", fields=fields)
    return begin(letter, books, ticket=TICKET, procedure=procedure())


def record(**changes: Any) -> PlanRecord:
    stated: dict[str, Any] = {
        "module": "playbook.run",
        "targets": ("antrean-01",),
        "parameters": {"playbook": "harden.yml", "server": "antrean-01", "port": 22},
        "before": {},
        "lines": ("sshd | Refuse root", "sysctl | Ignore redirects"),
        "after": {},
        "diff": DIFF,
    }
    return PlanRecord(
        plan=Plan(**{**stated, **changes}), materials={"playbooks/harden.yml": "cd" * 32}, procedure="ef" * 32
    )


def attach_plan(trail: Trail, made: PlanRecord, *, position: str = "") -> None:
    """Attach a plan to the ticket at the row that makes it."""
    content = write_record(made)
    trail.books.papers[sha256(content)] = content
    kept = DocumentRef(name="rencana.json", sha256=sha256(content))
    trail.act(Verb.PLAN, plan=made.plan.digest, order="0d" * 32, documents=[kept], position=position)


def run(trail: Trail, outcome: Outcome, *, note: str, order: str = "0d" * 32) -> Occasion:
    """Let the machine work, as an attempt with evidence."""
    number = len(trail.books.tried) + 1
    at = BEGIN + timedelta(hours=trail.hours, minutes=50)
    trail.books.tried.append(
        Attempt(
            ticket=TICKET,
            step="pemasangan.15",
            number=number,
            worker="mesin:1:1",
            person="yusuf",
            order=order,
            begun_at=at,
            lease_until=at,
            outcome=outcome,
            ended_at=at + timedelta(minutes=9),
        )
    )
    evidence = [DocumentRef(name="bukti-pengamanan.pdf", sha256=f"{number}e" * 32)]
    return trail.act(Verb.RUN, outcome=outcome, order=order, note=note, documents=evidence)


def pass_row(trail: Trail, *, stated: Mapping[int, Mapping[str, Any]] = STATED, plan: PlanRecord | None) -> Occasion:
    """Do what the present row asks for, with yes to each decision; return the occasion."""
    step = trail.procedure.step(trail.ticket.step)
    if step.technical is not None:
        return run(trail, Outcome.DONE, note="2 tasks changed antrean-01")
    if step.number == 9 and plan is not None:
        attach_plan(trail, plan)
    planned = trail.ticket.plans.get("pemasangan.15")
    digests: dict[str, Any] = {"plan": planned.plan, "order": planned.order} if planned and step.number == 10 else {}
    says_yes = step.approval or step.kind is StepKind.DECISION
    return trail.act(
        Verb.APPROVE if says_yes else Verb.DONE,
        note=NOTES.get(step.number, ""),
        data=stated.get(step.number, {}),
        documents=[f"{name}.{kind}" for name in step.documents for kind in ("pdf", "json")],
        **digests,
    )


def at_row(
    number: int,
    trail: Trail | None = None,
    *,
    stated: Mapping[int, Mapping[str, Any]] = STATED,
    plan: PlanRecord | None = None,
) -> Occasion:
    """Walk a ticket until a row is passed; return the occasion of that row."""
    trail = trail or installation()
    plan = plan or record()
    while True:
        step = trail.ticket.step
        occasion = pass_row(trail, stated=stated, plan=plan)
        if step == f"pemasangan.{number}":
            return occasion


def of_form(form: str) -> Occasion:
    """Return the first occasion of SOP 000 at which a form is filled."""
    return at_row(next(row for row, name in FORMS_BY_ROW.items() if name == form))


def registered() -> Books:
    """Return books in which the server of the letter stands in a rack."""
    return Books(assets=Register([server(id="antrean-01")]))
