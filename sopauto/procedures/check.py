"""What is wrong with an SOP that can be read: steps nobody reaches, branches to nowhere, loops without a way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from sopauto.procedures.bounds import DATED, named
from sopauto.procedures.demands import (
    at_machine_work,
    in_turn,
    letters,
    machine_work,
    messages,
    names,
    once,
    statements,
)
from sopauto.procedures.finding import Finding, at_row, suggestion
from sopauto.procedures.known import Known
from sopauto.procedures.load import read
from sopauto.procedures.model import ENDS, Field, Fork, Procedure, Step, StepKind, Target
from sopauto.procedures.ways import ending, forward, names_of, reached, unavoidable

DAYS: Final = "name a field of `jenis: tanggal` or `tanggal-jam`, hari-ini or sekarang"
TOTAL: Final = re.compile(r"\s*(?:(\d{1,5})\s*hari)?\s*(?:(\d{1,5})\s*jam)?\s*(?:(\d{1,5})\s*menit)?\s*", re.I | re.A)


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
        _total,
        _bounds,
        machine_work,
        at_machine_work,
        in_turn,
        names,
        messages,
        letters,
        statements,
        once,
    )
    found = [finding for rule in rules for finding in rule(procedure, known)]
    return sorted(found, key=lambda finding: finding.line)


def _actors_and_times(procedure: Procedure, _: Known) -> Iterator[Finding]:
    ids = [actor.id for actor in procedure.actors]
    for step in procedure.steps:
        if not step.actors:
            yield at_row(procedure, step, "pelaksana", "nobody carries out this row", "state `pelaksana`")
        for actor in step.actors:
            if actor not in ids:
                yield at_row(procedure, step, "pelaksana", f"unknown actor {actor!r}", suggestion(actor, ids))
        if not step.time_limit.text:
            yield at_row(procedure, step, "waktu", "the row has no time", 'state `waktu` ("-" for none)')


def _branches(procedure: Procedure, _: Known) -> Iterator[Finding]:
    for step in procedure.steps:
        for key, what, mend in _decision(step) if step.kind is StepKind.DECISION else _process(step):
            yield at_row(procedure, step, key, what, mend)


def _decision(step: Step) -> Iterator[tuple[str, str, str]]:
    """Yield key, fault and mend of a decision that does not branch as one."""
    for key, target in (("ya", step.yes), ("tidak", step.no)):
        if target is None:
            yield key, f"the decision has no `{key}`", "state where it leads"
    if step.next is not None:
        yield "lanjut", "a decision has no `lanjut`", "state `ya` and `tidak`"
    if step.back is not None:
        yield "kembali", "a decision has no `kembali`", "it goes back by its `tidak`"
    if step.waits is not None:
        yield "menunggu", "a decision does not wait", "let `tidak` lead to a row that does"


def _process(step: Step) -> Iterator[tuple[str, str, str]]:
    """Yield key, fault and mend of a process that does not go on as one."""
    if step.next is None:
        yield "lanjut", "a dead end", "state `lanjut`, or `lanjut: selesai`"
    for key, target in (("ya", step.yes), ("tidak", step.no)):
        if target is not None:
            yield key, f"a process has no `{key}`", "state `jenis: keputusan`, or `lanjut`"
    if step.message is not None and step.message.on is not None:
        yield "pesan", "a process has no answer for `bila`", "leave `bila` out: the message goes out at completion"


def _targets(procedure: Procedure, _: Known) -> Iterator[Finding]:
    ids = {step.id for step in procedure.steps} | ENDS
    decisions = {step.id for step in procedure.steps if step.kind is StepKind.DECISION}
    for step in procedure.steps:
        keys: Mapping[str, Target | None] = {
            "lanjut": step.next,
            "ya": step.yes,
            "tidak": step.no,
            "kembali": step.back,
        }
        for key, target in keys.items():
            for name in names_of(target):
                if name not in ids:
                    yield at_row(procedure, step, key, f"leads to {name}, which does not exist", "name a row")
            if isinstance(target, Fork):
                yield from _fork(procedure, step, key, target, decisions)
        if step.back in ENDS:
            yield at_row(procedure, step, "kembali", "goes back to an end", "name a row")


def _fork(procedure: Procedure, step: Step, key: str, fork: Fork, decisions: set[str]) -> Iterator[Finding]:
    if fork.on not in decisions:
        yield at_row(procedure, step, key, f"depends on {fork.on}, which is no decision", "name a decision")
    elif fork.on != step.id and not unavoidable(procedure, [fork.on], before=step.id):
        what = f"depends on {fork.on}, which may be passed by on the way here"
        yield at_row(procedure, step, key, what, "name a decision that every way here passes")


def _reached(procedure: Procedure, _: Known) -> Iterator[Finding]:
    found = reached(procedure)
    for step in procedure.steps:
        if step.id not in found:
            yield at_row(procedure, step, "no", "no row leads here", "let a row lead to it, or take it away")


def _loops(procedure: Procedure, _: Known) -> Iterator[Finding]:
    """Find rows from which no end can be reached: a loop that no decision leaves."""
    found = ending(procedure)
    for step in procedure.steps:
        if step.id not in found and forward(step):
            what = "no way leads from here to an end"
            yield at_row(procedure, step, "lanjut", what, "let a decision leave the loop")


def _total(procedure: Procedure, _: Known) -> Iterator[Finding]:
    """Hold the sum of the rows' limits against the total that the paper states (SOP 003: 107 minutes)."""
    text = procedure.head.total_time
    if not text:
        return
    stated, summed = TOTAL.fullmatch(text), total(procedure)
    if stated is None:
        what, mend = f"{text!r} is no time", "write e.g. 107 menit, or 2 hari 3 jam"
    elif _office(stated) != summed:
        what = f"the rows add up to {_told(*summed)}, not to {text}"
        mend = "compare each row with the paper"
    else:
        return
    line = procedure.lines.get("kepala/jumlah_waktu", 1)
    yield Finding(file=procedure.source, line=line, field="kepala.jumlah_waktu", what=what, mend=mend)


def _bounds(procedure: Procedure, _: Known) -> Iterator[Finding]:
    """Find days that are held against a field which nobody states by then, or which is no day."""
    letter = {field.name: field.kind for field in procedure.letter}
    for field in procedure.letter:
        for bound in _unknown_bounds(field, letter):
            line = procedure.lines.get(f"surat/{field.name}", 1)
            what = f"is held against {bound!r}, which is no day of the letter"
            yield Finding(file=procedure.source, line=line, field=f"surat.{field.name}", what=what, mend=DAYS)
    for step in procedure.steps:
        for field in step.fields:
            for bound in _unknown_bounds(field, letter | {other.name: other.kind for other in step.fields}):
                what = f"{field.name!r} is held against {bound!r}, which is no day of the letter or of this row"
                yield at_row(procedure, step, "isian", what, DAYS)


def _unknown_bounds(field: Field, kinds: Mapping[str, str]) -> Iterator[str]:
    names = [named(bound) for bound in (field.earliest, field.latest) if bound is not None]
    yield from (name for name in names if name is not None and (kinds.get(name) not in DATED or name == field.name))


def _office(stated: re.Match[str]) -> tuple[int, timedelta]:
    days, hours, minutes = (int(number or 0) for number in stated.groups())
    return days, timedelta(hours=hours, minutes=minutes)


def _told(days: int, office_time: timedelta) -> str:
    minutes = f"{int(office_time.total_seconds() // 60)} menit"
    return f"{days} hari {minutes}" if days else minutes


def total(procedure: Procedure) -> tuple[int, timedelta]:
    """Return the sum of the rows' time limits: whole office days, and office time beside them."""
    limits = [step.time_limit for step in procedure.steps]
    return sum(limit.office_days for limit in limits), sum(
        (limit.office_time or timedelta() for limit in limits), timedelta()
    )
