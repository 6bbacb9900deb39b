"""What an SOP demands of sopauto and of its own letter: machine work, forms, e-mails, and what they need to be told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from sopauto.procedures.finding import Finding, at_row, suggestion
from sopauto.procedures.known import Known, machine_words
from sopauto.procedures.model import CONTACT, Field, Procedure, Step, StepKind, Technical
from sopauto.procedures.modules import faults
from sopauto.procedures.ways import unavoidable

ALWAYS_STATED: Final = frozenset({"ip", "catatan"})
"""What a message may contain that no field asks for: the server's address, and the note of who acts."""


def machine_work(procedure: Procedure, known: Known) -> Iterator[Finding]:
    """Find machine work that nobody implements, carries out or approves."""
    for step in procedure.steps:
        if step.technical is not None:
            for what, mend in _work(procedure, step, step.technical, known):
                yield at_row(procedure, step, "teknis", what, mend)


def _work(procedure: Procedure, step: Step, work: Technical, known: Known) -> Iterator[tuple[str, str]]:
    """Yield fault and mend."""
    actors = [actor.id for actor in procedure.actors]
    for actor in filter(None, (work.executor, work.approver)):
        if actor not in actors:
            yield f"unknown actor {actor!r}", suggestion(actor, actors)
    yield from _modules(step, work, known)
    yield from _approval(procedure, step, work, known)


def _modules(step: Step, work: Technical, known: Known) -> Iterator[tuple[str, str]]:
    for module in work.modules:
        if known.modules is not None and module not in known.modules:
            yield f"no module implements {module!r}", suggestion(module, list(known.modules))
    changing = [module for module in work.modules if known.changes(module)]
    if len(work.modules) > 1 and known.modules is not None and len(changing) < len(work.modules):
        yield "a module that only reads stands among others", "give it a row of its own"
    if changing and work.recurring:
        what = f"{changing[0]} changes a machine: each round of `berulang` would need an approval of its own"
        yield what, "leave `berulang` out, and open a ticket for each round"
    if changing and step.kind is StepKind.DECISION and work.plan_of is None:
        yield f"{changing[0]} changes a machine: that is no decision", "give it a row of its own"
    yield from faults(known.modules or {}, work.modules, work.parameters)


def _approval(procedure: Procedure, step: Step, work: Technical, known: Known) -> Iterator[tuple[str, str]]:
    if (work.plan_step is None) is not (work.approval_step is None):
        yield "needs `baris_rencana` and `baris_persetujuan` together", "state both, or `penyetuju`"
    elif work.plan_step is not None and work.approval_step is not None:
        yield from _signed_rows(procedure, step, work.plan_step, work.approval_step)
        if work.approver is not None:
            yield "names both `penyetuju` and `baris_persetujuan`", "keep one of them"
    elif work.plan_of is not None:
        yield from _plan_of(procedure, step, work, work.plan_of)
    elif work.approver is None and any(map(known.changes, work.modules)):
        yield f"nobody approves the plan of {work.module}", "state `penyetuju`, or `baris_persetujuan`"


def _plan_of(procedure: Procedure, step: Step, work: Technical, name: str) -> Iterator[tuple[str, str]]:
    """Yield fault and mend of work that an earlier row's plan is to hold."""
    earlier = next((row for row in procedure.steps if row.id == name), None)
    if earlier is None or earlier.technical is None or earlier.technical.approver is None or name == step.id:
        yield f"{name} holds no plan that somebody approves there", "name a row of machine work with `penyetuju`"
    elif not unavoidable(procedure, [name], before=step.id):
        yield f"{step.id} can be reached without {name}", "let every way pass it"
    if work.approver is not None:
        yield "names both `penyetuju` and `rencana_dari`", "keep one of them"


def _signed_rows(procedure: Procedure, step: Step, plan: str, approval: str) -> Iterator[tuple[str, str]]:
    rows = {row.id: row for row in procedure.steps}
    for name in (plan, approval):
        if name not in rows:
            yield f"names {name}, which does not exist", "name a row"
    if plan not in rows or approval not in rows:
        return
    if not rows[approval].approval:
        yield f"{approval} signs the plan, but is no approval", "state `persetujuan: true` there"
    if plan in {approval, step.id} or approval == step.id:
        yield "plan, approval and work stand in one row", "name three rows, or state `penyetuju`"
        return
    for row, later in ((plan, approval), (approval, step.id)):
        if not unavoidable(procedure, [row], before=later):
            yield f"{later} can be reached without {row}", "let every way pass it"


def at_machine_work(procedure: Procedure, known: Known) -> Iterator[Finding]:
    """Find rows at which sopauto would write something else than what the machines were told."""
    module_of = {effect: mark.module for effect, mark in known.marks.items() if mark.module}
    effect_of = {module: effect for effect, module in module_of.items()}
    for step in procedure.steps:
        module = step.technical.module if step.technical else ""
        wanted = module_of.get(step.effect or "", module)
        if wanted != module:
            yield at_row(procedure, step, "aset", f"{step.effect} without {wanted}", f"state `teknis` with {wanted}")
        elif module in effect_of and step.effect != effect_of[module]:
            what = f"what {module} does is not written into the register"
            yield at_row(procedure, step, "teknis", what, f"state `aset: {effect_of[module]}`")


def in_turn(procedure: Procedure, known: Known) -> Iterator[Finding]:
    """Find rows that tell of what nobody made sure of, or that come before what they build on."""
    sure = {mark.message: effect for effect, mark in known.marks.items() if mark.message}
    for step in procedure.steps:
        effect = sure.get(step.message.template) if step.message is not None else None
        if effect is not None and step.message is not None and step.effect != effect:
            what = f"{step.message.template} tells of what nobody made sure of"
            yield at_row(procedure, step, "pesan", what, f"state `aset: {effect}`")
        mark = known.marks.get(step.effect or "")
        after = mark.after if mark else None
        before = [row.id for row in procedure.steps if row.effect == after]
        if after is not None and not (before and unavoidable(procedure, before, before=step.id)):
            what, mend = f"no row before it has `aset: {after}`", f"let every way pass a row with {after}"
            yield at_row(procedure, step, "aset", what, mend)


def names(procedure: Procedure, known: Known) -> Iterator[Finding]:
    """Find effects, waits, forms and e-mails that nobody implements."""
    for step in procedure.steps:
        used: list[tuple[str, str | None, Collection[str] | None]] = []
        used += [("aset", step.effect, known.effects), ("menunggu", step.waits, known.waits)]
        used += [("dokumen", form, known.forms) for form in (*step.documents, *step.documents_at_no)]
        used += [("pesan", step.message.template, known.messages)] if step.message else []
        for key, name, those in used:
            if name is not None and those is not None and name not in those:
                yield at_row(procedure, step, key, f"unknown {key} {name!r}", suggestion(name, sorted(those)))


def messages(procedure: Procedure, _: Known) -> Iterator[Finding]:
    """Find e-mails to nobody, and those that must contain what nobody has stated by then."""
    actors = [actor.id for actor in procedure.actors]
    for step in procedure.steps:
        if step.message is None:
            continue
        if step.message.to not in {CONTACT, *actors}:
            mend = suggestion(step.message.to, [CONTACT, *actors])
            yield at_row(procedure, step, "pesan", f"unknown addressee {step.message.to!r}", mend)
        for name in step.message.required:
            if not _stated(procedure, name, by=step):
                what = f"must contain {name!r}, which nobody states before"
                yield at_row(procedure, step, "pesan", what, "add it to `surat` or to a row's `isian`")


def _stated(procedure: Procedure, name: str, *, by: Step) -> bool:
    """Tell whether a field has been stated, or left blank on purpose, when a row is completed."""
    if name in ALWAYS_STATED or any(field.name == name for field in procedure.letter):
        return True
    rows = [step.id for step in procedure.steps if any(field.name == name for field in step.fields)]
    return by.id in rows or (bool(rows) and unavoidable(procedure, rows, before=by.id))


def letters(procedure: Procedure, known: Known) -> Iterator[Finding]:
    """Find what the rows need to know and the letter does not have to state."""
    letter = {field.name: field for field in procedure.letter}
    for step in procedure.steps:
        for key, name, kind in _needs(step, known):
            field = letter.get(name)
            if field is None or field.kind != kind or not field.required:
                mend = f"add {{nama: {name}, jenis: {kind}}} to `surat`, not `wajib: false`"
                yield at_row(procedure, step, key, f"needs {name!r}, which the letter need not state", mend)


def _needs(step: Step, known: Known) -> Iterator[tuple[str, str, str]]:
    """Yield key, field and kind of what a row needs from the letter."""
    if step.message is not None and step.message.to == CONTACT:
        yield "pesan", "kontak_email", "email"
    mark = known.marks.get(step.effect or "")
    for name, kind in mark.needs.items() if mark else ():
        yield "aset", name, kind
    module = (known.modules or {}).get(step.technical.module) if step.technical is not None else None
    for name, kind in module.needs.items() if module else ():
        yield "teknis", name, kind


def statements(procedure: Procedure, known: Known) -> Iterator[Finding]:
    """Find fields that bear a name which the machine writes, and those that nobody would be asked for."""
    words = machine_words(known.marks)
    for step in procedure.steps:
        for field in step.fields:
            if field.name in words:
                what = f"asks for {field.name!r}, which the machine writes"
                yield at_row(procedure, step, "isian", what, "give the field another name")
        if step.fields and step.technical is not None and step.kind is StepKind.PROCESS:
            yield at_row(procedure, step, "isian", "machine work states nothing", "ask for it at a row before")
    here = {step.effect for step in procedure.steps}
    written = machine_words({effect: mark for effect, mark in known.marks.items() if effect in here})
    for field in procedure.letter:
        if field.name in written:
            line = procedure.lines.get(f"surat/{field.name}", 1)
            what, mend = f"asks for {field.name!r}, which the machine writes", "give the field another name"
            yield Finding(file=procedure.source, line=line, field="surat", what=what, mend=mend)


def once(procedure: Procedure, _: Known) -> Iterator[Finding]:
    """Find fields without a name, and those of one name of which the later would take the place of the earlier.

    Several rows may ask for the same thing again, in the same kind; a row takes nothing that the letter stated.
    """
    letter: dict[str, Field] = {}
    for field in procedure.letter:
        for what, mend in _clash(field, letter, "the letter"):
            line = procedure.lines.get(f"surat/{field.name}", 1)
            yield Finding(file=procedure.source, line=line, field="surat", what=what, mend=mend)
        letter[field.name] = field
    earlier: dict[str, Field] = {}
    for step in procedure.steps:
        row: dict[str, Field] = {}
        for field in step.fields:
            before = earlier.get(field.name)
            faults = [*_clash(field, row, "the row"), *(_clash(field, letter, "the letter") if field.name else ())]
            if before is not None and before.kind != field.kind:
                faults.append((f"{field.name!r} is {before.kind} at an earlier row", "give one of them another name"))
            for what, mend in faults:
                yield at_row(procedure, step, "isian", what, mend)
            row[field.name] = field
        earlier |= row


def _clash(field: Field, before: Mapping[str, Field], whose: str) -> Iterator[tuple[str, str]]:
    if not field.name:
        yield "a field has no name", "state its `nama`"
    elif field.name in before:
        yield f"{field.name!r} is asked for by {whose} already", "give one of them another name"
