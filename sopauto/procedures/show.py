"""An SOP as text, in the order and the words in which the paper prints it."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from sopauto.procedures.model import Fork, Procedure, Step, StepKind, Table, Target

WORDS: Final = {
    "nomor": "Nomor SOP",
    "tanggal_pembuatan": "Tanggal pembuatan",
    "tanggal_revisi": "Tanggal revisi",
    "tanggal_efektif": "Tanggal efektif",
    "disahkan_oleh": "Disahkan oleh",
    "nama": "Nama SOP",
    "instansi": "Instansi",
    "dasar_hukum": "Dasar hukum",
    "kualifikasi": "Kualifikasi pelaksana",
    "keterkaitan": "Keterkaitan",
    "perlengkapan": "Peralatan/perlengkapan",
    "peringatan": "Peringatan",
    "pencatatan": "Pencatatan dan pendataan",
}
HEAD: Final = (
    ("instansi", "agency"),
    ("nama", "name"),
    ("nomor", "number"),
    ("tanggal_pembuatan", "created"),
    ("tanggal_revisi", "revised"),
    ("tanggal_efektif", "effective"),
    ("disahkan_oleh", "approved_by"),
    ("dasar_hukum", "legal_basis"),
    ("kualifikasi", "qualifications"),
    ("keterkaitan", "relations"),
    ("perlengkapan", "equipment"),
    ("peringatan", "warnings"),
    ("pencatatan", "records"),
)
COLUMNS: Final = (
    ("no", "No"),
    ("kegiatan", "Kegiatan"),
    ("pelaksana", "Pelaksana"),
    ("kelengkapan", "Kelengkapan"),
    ("waktu", "Waktu"),
    ("output", "Output"),
    ("keterangan", "Keterangan"),
)
SHARES: Final = (0.04, 0.33, 0.16, 0.13, 0.08, 0.12, 0.14)
"""How the width of a terminal is shared by the columns."""
NARROWEST: Final = 100
MARK: Final = "*"
"""Stands behind what the paper does not say itself."""


def show(procedure: Procedure, *, width: int | None = None) -> str:
    """Return head and tables of an SOP as text for a terminal of so many columns."""
    width = max(NARROWEST, width or shutil.get_terminal_size((140, 24)).columns)
    lines = [*_head(procedure, width)]
    for table in procedure.tables:
        title = f"{table.title}{MARK if table.inferred else ''}"
        lines += ["", title.upper(), *_table(procedure, table, width)]
    if procedure.head.total_time:
        lines += ["", f"{procedure.words.get('jumlah_waktu', 'Jumlah waktu')}: {procedure.head.total_time}"]
    lines += ["", f"{MARK} tidak tertulis di kertasnya, disimpulkan"]
    return "\n".join(line.rstrip() for line in lines)


def as_json(procedure: Procedure) -> dict[str, Any]:
    """Return an SOP as plain JSON."""
    data = asdict(procedure)
    del data["lines"]
    return data


def _head(procedure: Procedure, width: int) -> Iterator[str]:
    for key, name in HEAD:
        value = getattr(procedure.head, name)
        texts = [value] if isinstance(value, str) else list(value)
        label = procedure.words.get(key, WORDS[key]).rstrip(" :")
        mark = MARK if key in procedure.head.inferred else ""
        for i, text in enumerate(filter(None, texts)):
            first = f"{label + mark if i == 0 else '':<28}"
            yield from textwrap.wrap(
                " ".join(text.split()), width=width, initial_indent=first, subsequent_indent=" " * 28
            )


def _table(procedure: Procedure, table: Table, width: int) -> Iterator[str]:
    widths = [max(3, int(width * share) - 1) for share in SHARES]
    titles = dict(table.columns) | {
        actor.id: actor.title for actor in procedure.actors if actor.id not in dict(table.columns)
    }
    heading = [procedure.words.get(key, title) for key, title in COLUMNS]
    yield from _row(heading, widths)
    yield "-" * (sum(widths) + len(widths) - 1)
    for step in procedure.steps:
        if step.table == table.id:
            yield from _row(_cells(step, titles), widths)
            yield ""


def _cells(step: Step, titles: dict[str, str]) -> list[str]:
    def marked(key: str, text: str) -> str:
        return f"{text}{MARK}" if text and key in step.inferred else text

    return [
        str(step.number),
        f"{step.text}\n{_way(step)}",
        marked("pelaksana", ", ".join(titles.get(actor, actor) for actor in step.actors)),
        marked("kelengkapan", step.requirements),
        marked("waktu", step.time_limit.text),
        marked("output", step.output),
        marked("keterangan", step.remarks),
    ]


def _way(step: Step) -> str:
    """Return where a step leads, as the flowchart's arrows would show it."""

    def told(target: Target | None) -> str:
        if isinstance(target, Fork):
            return f"{_short(target.yes, step)} atau {_short(target.no, step)} menurut {_short(target.on, step)}"
        return "?" if target is None else _short(target, step)

    if step.kind is StepKind.DECISION:
        return f"<{step.yes_label} → {told(step.yes)} | {step.no_label} → {told(step.no)}>"
    return f"[→ {told(step.next)}]"


def _short(target: str, step: Step) -> str:
    return target.removeprefix(f"{step.table}.")


def _row(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Yield the lines of one row, each cell wrapped to its column."""
    wrapped = [
        [piece for line in cell.splitlines() for piece in textwrap.wrap(line, width) or [""]] or [""]
        for cell, width in zip(cells, widths, strict=True)
    ]
    for i in range(max(len(lines) for lines in wrapped)):
        pieces = [lines[i] if i < len(lines) else "" for lines in wrapped]
        yield " ".join(piece.ljust(width) for piece, width in zip(pieces, widths, strict=True))
