"""Machine work on paper: the plan that is approved (SOP 000, row 10), and what came of it (row 16)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sopauto.documents.parts import Body, Filling, Pairs, shown
from sopauto.documents.sections import Sections, pairs, table, text
from sopauto.procedures.model import Step
from sopauto.tickets.model import Attempt, Planned
from sopauto.tickets.plan_record import PlanRecord, read_record
from sopauto.tickets.record import outcome_of
from sopauto.work import Plan, Unforeseen

PLAN_FILE: Final = "rencana.json"
OUTCOMES: Final = {
    None: "belum ada hasil",
    "done": "selesai",
    "partly": "sebagian",
    "failed": "gagal",
    "not-begun": "tidak dimulai",
    "unknown": "hasil tidak diketahui",
}
"""How an attempt ended, as forms tell it."""
UNFORESEEN: Final = ("Kapan", "Tugas", "Perintah", "Keterangan")
FORESIGHT: Final = {"will": "akan dijalankan", "may": "mungkin dijalankan", "if-failed": "bila tugas sebelumnya gagal"}
"""When a task whose effect nobody can foresee runs, as forms tell it."""
WORDS: Final = {
    "run": "dijalankan",
    "evidence": "bukti dikumpulkan",
    "stale": "rencana tidak berlaku lagi",
    "settle": "hasil dipastikan",
}
"""What a machine step's entries record, as forms tell it."""


def plans(filling: Filling) -> Sections:
    """Return each plan that is attached to the ticket: digests, materials, and what would be done and changed."""
    return [section for step, planned in _planned(filling) for section in _plan(filling, step, planned)]


def plan_digests(filling: Filling) -> Sections:
    """Return the digest of each plan that is attached to the ticket, and where it can be read."""
    rows = [[f"Baris {step.id}", f"{planned.plan} ({PLAN_FILE})"] for step, planned in _planned(filling)]
    return pairs("Rencana pekerjaan mesin (SHA-256)", rows)


def work_done(filling: Filling) -> Sections:
    """Return what ran at each machine step, how it ended, and the digests of the evidence."""
    return [
        section
        for step in filling.occasion.procedure.steps
        if step.technical is not None
        for section in _work(filling, step)
    ]


def _planned(filling: Filling) -> Iterator[tuple[Step, Planned]]:
    attached = filling.occasion.after.plans
    return ((step, attached[step.id]) for step in filling.occasion.procedure.steps if step.id in attached)


def _plan(filling: Filling, step: Step, planned: Planned) -> Sections:
    record = read_record(filling.occasion.reader.document(planned.document))
    plan, whole = record.plan, f"{PLAN_FILE} (SHA-256 {planned.document})"
    lines = plan.lines or (() if plan.unforeseen else ("Tidak ada yang perlu diubah.",))
    return [
        *pairs(f"Rencana pekerjaan mesin, baris {step.id}", _plan_pairs(filling, planned, record)),
        *table("Parameter", ("Nama", "Nilai"), [[name, _value(of)] for name, of in sorted(plan.parameters.items())]),
        *table("Berkas yang dipakai", ("Berkas", "SHA-256"), [list(item) for item in sorted(record.materials.items())]),
        *text(f"Yang dijalankan, berurutan ({len(plan.lines)})", lines, whole=whole),
        *table(
            f"Akan dijalankan, akibatnya tidak dapat diperkirakan ({len(plan.unforeseen)})",
            UNFORESEEN,
            _unforeseen(plan),
        ),
        *text("Berbeda pada setiap pelaksanaan", plan.varies, whole=whole),
        *text("Yang berubah", plan.diff.split("\n") if plan.diff else (), whole=whole),
    ]


def _unforeseen(plan: Plan) -> list[list[str]]:
    """Return a row for each task whose effect nobody can foresee."""
    return [
        [FORESIGHT[task.kind], f"{task.part} {task.task}".strip(), f"{task.module}: {task.arguments}", _remark(task)]
        for task in plan.unforeseen
    ]


def _remark(task: Unforeseen) -> str:
    nothing = f"; menurut playbook tidak meninggalkan apa pun: {task.leaves_nothing}" if task.leaves_nothing else ""
    return f"{task.place}{nothing}"


def _plan_pairs(filling: Filling, planned: Planned, record: PlanRecord) -> Pairs:
    return [
        ["Modul", shown(record.plan.module)],
        ["Sasaran", shown(", ".join(record.plan.targets))],
        ["Dibuat oleh", shown(filling.people.person(planned.by).name)],
        *_approval(filling, planned),
        ["SHA-256 rencana", planned.plan],
        ["SHA-256 perintah kerja", planned.order],
        [f"SHA-256 {PLAN_FILE}", planned.document],
    ]


def _approval(filling: Filling, planned: Planned) -> Pairs:
    approver = planned.approved_by
    return [["Disetujui oleh", shown(filling.people.person(approver).name) if approver else "belum disetujui"]]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _work(filling: Filling, step: Step) -> Sections:
    technical, entries = step.technical, list(_entries(filling, step))
    assert technical is not None
    planned = filling.occasion.after.plans.get(technical.plan_of or step.id)
    about = [["Kegiatan", shown(step.text)], ["Modul", shown(technical.module)]]
    if planned is not None:
        about += [["SHA-256 rencana", planned.plan], *_approval(filling, planned)]
    if not entries:
        about.append(["Hasil", "belum dijalankan"])
    return [
        *pairs(f"Pekerjaan mesin, baris {step.id}", about),
        *_attempts(filling, step, planned),
        *table("Hasil", ("Waktu", "Oleh", "Hasil", "Ringkasan"), [_result(filling, body) for body in entries]),
        *table("Berkas bukti", ("Berkas", "SHA-256"), [row for body in entries for row in _evidence(body)]),
    ]


def _entries(filling: Filling, step: Step) -> Iterator[Body]:
    """Yield the entries that record work at a machine step."""
    return (body for body, _ in filling.entries() if body["step"] == step.id and body["verb"] in WORDS)


def _attempts(filling: Filling, step: Step, planned: Planned | None) -> Sections:
    attempts = filling.occasion.reader.attempts(filling.occasion.before.id, step.id)
    columns = ("Percobaan", "Oleh", "Mulai", "Selesai", "Hasil", "Menurut rencana")
    return table("Percobaan", columns, [_attempt(filling, attempt, planned) for attempt in attempts])


def _attempt(filling: Filling, attempt: Attempt, planned: Planned | None) -> list[str]:
    return [
        str(attempt.number),
        filling.people.person(attempt.person).name,
        filling.moment(attempt.begun_at),
        filling.moment(attempt.ended_at) if attempt.ended_at else "",
        OUTCOMES[attempt.outcome.value if attempt.outcome else None],
        "ya" if planned is not None and attempt.order == planned.order else "rencana sebelumnya",
    ]


def _result(filling: Filling, body: Body) -> list[str]:
    outcome = outcome_of(body)
    told = f"{WORDS[body['verb']]}: {OUTCOMES[outcome]}" if outcome else WORDS[body["verb"]]
    person = filling.people.person(body["person"])
    return [filling.moment(datetime.fromisoformat(body["at"])), person.name, told, body["note"]]


def _evidence(body: Body) -> Iterator[list[str]]:
    return ([document["name"], document["sha256"]] for document in body["documents"])
