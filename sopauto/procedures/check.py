"""What is wrong with an SOP that can be read: steps nobody reaches, branches to nowhere, loops without a way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sopauto.procedures.finding import Finding, suggestion
from sopauto.procedures.load import read
from sopauto.procedures.model import CONTACT, ENDS, Fork, Procedure, Step, StepKind, Target

EFFECTS: Final = ("siapkan", "tempatkan", "bebaskan")
WAITS: Final = ("tempat",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names that an SOP may use for what sopauto implements (None: any)."""

    modules: Collection[str] | None = None
    forms: Collection[str] | None = None
    messages: Collection[str] | None = None


def check(source: bytes, where: str, known: Known) -> list[Finding]:
    """Return everything that is wrong with an SOP's YAML (empty: nothing)."""
    procedure, findings = read(source, where)
    if procedure is None or findings:
        return findings
    return check_procedure(procedure, known)


def check_procedure(procedure: Procedure, known: Known) -> list[Finding]:
    """Return what is wrong with a procedure, by line."""
    rules: tuple[Callable[[Procedure, Known], Iterator[Finding]], ...] = (
        _actors_and_times,
        _branches,
        _targets,
        _reached,
        _loops,
        _technical,
        _names,
        _messages,
        _total,
    )
    found = [finding for rule in rules for finding in rule(procedure, known)]
    return sorted(found, key=lambda finding: finding.line)


def _finding(procedure: Procedure, step: Step, key: str, what: str, mend: str) -> Finding:
    line = procedure.lines.get(f"{step.id}/{key}", procedure.lines.get(step.id, step.line))
    return Finding(file=procedure.source, line=line, field=step.id, what=what, mend=mend)


def _actors_and_times(procedure: Procedure, _: Known) -> Iterator[Finding]:
    ids = [actor.id for actor in procedure.actors]
    for step in procedure.steps:
        if not step.actors:
            yield _finding(procedure, step, "pelaksana", "nobody carries out this row", "state `pelaksana`")
        for actor in step.actors:
            if actor not in ids:
                yield _finding(procedure, step, "pelaksana", f"unknown actor {actor!r}", suggestion(actor, ids))
        if not step.time_limit.text:
            yield _finding(procedure, step, "waktu", "the row has no time", 'state `waktu` ("-" for none)')


def _branches(procedure: Procedure, _: Known) -> Iterator[Finding]:
    for step in procedure.steps:
        if step.kind is StepKind.DECISION:
            for key, target in (("ya", step.yes), ("tidak", step.no)):
                if target is None:
                    yield _finding(procedure, step, key, f"the decision has no `{key}`", "state where it leads")
            if step.next is not None:
                yield _finding(procedure, step, "lanjut", "a decision has no `lanjut`", "state `ya` and `tidak`")
        else:
            if step.next is None:
                yield _finding(procedure, step, "lanjut", "a dead end", "state `lanjut`, or `lanjut: selesai`")
            if step.yes is not None or step.no is not None:
                yield _finding(procedure, step, "ya", "a process has no `ya` or `tidak`", "add `jenis: keputusan`")


def _targets(procedure: Procedure, _: Known) -> Iterator[Finding]:
    ids = {step.id for step in procedure.steps} | ENDS
    for step in procedure.steps:
        keys: Mapping[str, Target | None] = {
            "lanjut": step.next,
            "ya": step.yes,
            "tidak": step.no,
            "kembali": step.back,
        }
        for key, target in keys.items():
            for name in _names_of(target):
                if name not in ids:
                    yield _finding(procedure, step, key, f"leads to {name}, which does not exist", "name a row")
            if isinstance(target, Fork) and not _is_decision(procedure, target.on):
                yield _finding(procedure, step, key, f"depends on {target.on}, which is no decision", "name a decision")


def _names_of(target: Target | None) -> tuple[str, ...]:
    if isinstance(target, Fork):
        return (target.yes, target.no)
    return () if target is None else (target,)


def _is_decision(procedure: Procedure, step_id: str) -> bool:
    return any(step.id == step_id and step.kind is StepKind.DECISION for step in procedure.steps)


def _forward(step: Step) -> set[str]:
    """Return where a step leads to by itself (`kembali` is somebody's choice)."""
    return {name for target in (step.next, step.yes, step.no) for name in _names_of(target)}


def _reached(procedure: Procedure, _: Known) -> Iterator[Finding]:
    by_id = {step.id: step for step in procedure.steps}
    reached, ahead = set(), [procedure.start]
    while ahead:
        step_id = ahead.pop()
        if step_id in by_id and step_id not in reached:
            reached.add(step_id)
            ahead += by_id[step_id].targets()
    for step in procedure.steps:
        if step.id not in reached:
            yield _finding(procedure, step, "no", "no row leads here", "let a row lead to it, or take it away")


def _loops(procedure: Procedure, _: Known) -> Iterator[Finding]:
    """Find rows from which no end can be reached: a loop that no decision leaves."""
    ending = set(ENDS)
    while True:
        more = {step.id for step in procedure.steps if step.id not in ending and _forward(step) & ending}
        if not more:
            break
        ending |= more
    for step in procedure.steps:
        if step.id not in ending and _forward(step):
            yield _finding(
                procedure, step, "lanjut", "no way leads from here to an end", "let a decision leave the loop"
            )


def _technical(procedure: Procedure, known: Known) -> Iterator[Finding]:
    ids = {step.id for step in procedure.steps}
    actors = [actor.id for actor in procedure.actors]
    for step in procedure.steps:
        work = step.technical
        if work is None:
            continue
        if known.modules is not None and work.module not in known.modules:
            mend = suggestion(work.module, list(known.modules))
            yield _finding(procedure, step, "teknis", f"no module implements {work.module!r}", mend)
        for actor in filter(None, (work.executor, work.approver)):
            if actor not in actors:
                yield _finding(procedure, step, "teknis", f"unknown actor {actor!r}", suggestion(actor, actors))
        for row in filter(None, (work.plan_step, work.approval_step)):
            if row not in ids:
                yield _finding(procedure, step, "teknis", f"names {row}, which does not exist", "name a row")
        if (work.plan_step is None) is not (work.approval_step is None):
            what = "needs `baris_rencana` and `baris_persetujuan` together"
            yield _finding(procedure, step, "teknis", what, "state both, or `penyetuju`")


def _names(procedure: Procedure, known: Known) -> Iterator[Finding]:
    """Find effects, waits, forms and e-mails that nobody implements."""
    for step in procedure.steps:
        used: list[tuple[str, str | None, Collection[str] | None]] = []
        used += [("aset", step.effect, EFFECTS), ("menunggu", step.waits, WAITS)]
        used += [("dokumen", form, known.forms) for form in step.documents]
        used += [("pesan", step.message.template, known.messages)] if step.message else []
        for key, name, names in used:
            if name is not None and names is not None and name not in names:
                yield _finding(procedure, step, key, f"unknown {key} {name!r}", suggestion(name, sorted(names)))


def _messages(procedure: Procedure, _: Known) -> Iterator[Finding]:
    stated = {"ip", "catatan"} | {field.name for field in procedure.letter}
    stated |= {field.name for step in procedure.steps for field in step.fields}
    actors = [actor.id for actor in procedure.actors]
    for step in procedure.steps:
        if step.message is None:
            continue
        if step.message.to not in {CONTACT, *actors}:
            mend = suggestion(step.message.to, [CONTACT, *actors])
            yield _finding(procedure, step, "pesan", f"unknown addressee {step.message.to!r}", mend)
        for name in step.message.required:
            if name not in stated:
                what = f"must contain {name!r}, which nobody states"
                yield _finding(procedure, step, "pesan", what, "add it to `surat` or to a row's `isian`")


def _total(procedure: Procedure, _: Known) -> Iterator[Finding]:
    """Hold the sum of the rows' limits against the total that the paper states (SOP 003: 107 minutes)."""
    stated = re.fullmatch(r"(\d+)\s*menit", procedure.head.total_time, re.IGNORECASE)
    if stated is None:
        return
    minutes = total_minutes(procedure)
    if minutes != int(stated[1]):
        yield Finding(
            file=procedure.source,
            line=procedure.lines.get("kepala/jumlah_waktu", 1),
            field="kepala.jumlah_waktu",
            what=f"the rows add up to {minutes} minutes, not to {stated[1]}",
            mend="compare each row with the paper",
        )


def total_minutes(procedure: Procedure) -> int:
    """Return the sum of the rows' time limits in minutes (office days do not count)."""
    limits = (step.time_limit.office_time or timedelta() for step in procedure.steps)
    return int(sum(limits, timedelta()).total_seconds() // 60)
