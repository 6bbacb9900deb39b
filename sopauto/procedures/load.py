"""From the YAML of an SOP, in the paper's own Indonesian terms, to a `Procedure`: translated here once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sopauto.data_file import LineOf, parse_document
from sopauto.errors import BadInput
from sopauto.procedures.bounds import DATED, is_bound
from sopauto.procedures.fields import KINDS, MAX_TEXT, visible
from sopauto.procedures.finding import Finding, refusal
from sopauto.procedures.model import (
    ENDS,
    Actor,
    Field,
    Fork,
    Head,
    Message,
    Procedure,
    Step,
    StepKind,
    Table,
    Target,
    Technical,
    TimeLimit,
)
from sopauto.procedures.reading import Part, Sheet
from sopauto.work import sha256

TOP: Final = ("kode", "awalan", "inferred", "kepala", "istilah", "pelaksana", "surat", "tabel")
HEAD: Final = {
    "instansi": "agency",
    "nama": "name",
    "nomor": "number",
    "tanggal_pembuatan": "created",
    "tanggal_revisi": "revised",
    "tanggal_efektif": "effective",
    "disahkan_oleh": "approved_by",
    "jumlah_waktu": "total_time",
}
HEAD_LISTS: Final = {
    "dasar_hukum": "legal_basis",
    "kualifikasi": "qualifications",
    "keterkaitan": "relations",
    "perlengkapan": "equipment",
    "peringatan": "warnings",
    "pencatatan": "records",
}
WORDS: Final = (
    *HEAD,
    *HEAD_LISTS,
    "judul",
    "tabel",
    "no",
    "kegiatan",
    "pelaksana",
    "mutu_baku",
    "kelengkapan",
    "waktu",
    "output",
    "keterangan",
    "ya",
    "tidak",
)
ACTOR: Final = ("id", "nama", "pemohon", "inferred")
FIELD: Final = (
    "nama",
    "label",
    "jenis",
    "wajib",
    "pilihan",
    "panjang",
    "paling_kecil",
    "paling_besar",
    "paling_awal",
    "paling_lambat",
    "pengganti",
)
TABLE: Final = ("id", "judul", "kolom", "baris", "inferred")
STEP: Final = (
    "no",
    "halaman",
    "kegiatan",
    "pelaksana",
    "jenis",
    "kelengkapan",
    "waktu",
    "output",
    "keterangan",
    "lanjut",
    "ya",
    "tidak",
    "jawaban",
    "kembali",
    "persetujuan",
    "atasan_langsung",
    "menunggu",
    "aset",
    "isian",
    "pesan",
    "dokumen",
    "dokumen_tidak",
    "teknis",
    "inferred",
)
MESSAGE: Final = ("templat", "kepada", "wajib", "bila")
TECHNICAL: Final = (
    "modul",
    "pelaksana",
    "penyetuju",
    "baris_rencana",
    "baris_persetujuan",
    "rencana_dari",
    "parameter",
    "berulang",
)
ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
PREFIX: Final = re.compile(r"[A-Z]{2,6}", re.ASCII)
TIME: Final = re.compile(r"(\d{1,4})\s*(menit|jam|hari)", re.ASCII | re.IGNORECASE)
NO_TIME: Final = "-"
"""How a paper says that a row has no time limit; a row must say one or the other."""


def load(source: bytes, where: str) -> Procedure:
    """Return the procedure that a YAML describes; raises BadInput (the first fault, and how many more there are)."""
    procedure, findings = read(source, where)
    if findings:
        raise refusal(findings)
    assert procedure is not None
    return procedure


def read(source: bytes, where: str) -> tuple[Procedure | None, list[Finding]]:
    """Return the procedure (None: too little of it could be read) and everything that is wrong with its YAML."""
    try:
        data, line_of = parse_document(source, where)
    except BadInput as error:
        return None, [Finding(file=where, line=_line(error), field="", what=error.what, mend=error.mend or "")]
    sheet = Sheet(file=where, line_of=line_of)
    procedure = _procedure(Part.of(sheet, (), data, TOP), line_of, source)
    return procedure, sheet.findings


def _line(error: BadInput) -> int:
    last = (error.where or "").rpartition(":")[2]
    return int(last) if last.isdigit() else 1


def _procedure(top: Part, line_of: LineOf, source: bytes) -> Procedure | None:
    actors = top.parts("pelaksana", ACTOR, _actor)
    tables = top.parts("tabel", TABLE, _table)
    steps = tuple(step for rows in top.parts("tabel", TABLE, _steps) for step in rows)
    if not steps:
        top.find("tabel", "there is no row", "state `tabel`, each with `baris`")
        return None
    _refuse_twice(top, "pelaksana", [actor.id for actor in actors])
    _refuse_twice(top, "tabel", [step.id for step in steps])
    words = top.part("istilah", WORDS)
    return Procedure(
        code=_matching(top, "kode", ID, "lower-case words joined by hyphens"),
        prefix=_matching(top, "awalan", PREFIX, "two to six capital letters"),
        head=_head(top.part("kepala", (*HEAD, *HEAD_LISTS, "inferred"))),
        actors=actors,
        tables=tables,
        steps=steps,
        letter=top.parts("surat", FIELD, _field),
        source=top.sheet.file,
        digest=sha256(source),
        words={key: words.text(key) for key in words.data} if words else {},
        inferred=top.inferred(),
        lines=_lines(top, line_of),
    )


def _matching(part: Part, key: str, pattern: re.Pattern[str], mend: str) -> str:
    value = part.text(key)
    if value and not pattern.fullmatch(value):
        part.find(key, f"{value!r} is no {key}", f"write {mend}")
    return value


def _refuse_twice(part: Part, key: str, ids: list[str]) -> None:
    for twice in sorted({name for name in ids if name and ids.count(name) > 1}):
        part.find(key, f"{twice!r} stands twice", "number or name them apart")


def _head(part: Part | None) -> Head:
    values: dict[str, Any] = dict.fromkeys(HEAD.values(), "") | dict.fromkeys(HEAD_LISTS.values(), ())
    if part is None:
        return Head(**values)
    values |= {name: part.text(key, required=False) for key, name in HEAD.items()}
    values |= {name: part.texts(key) for key, name in HEAD_LISTS.items()}
    return Head(**values, inferred=part.inferred())


def _actor(part: Part) -> Actor:
    return Actor(
        id=_matching(part, "id", ID, "lower-case words joined by hyphens"),
        title=part.text("nama"),
        applicant=part.flag("pemohon"),
        inferred=part.flag("inferred"),
    )


def _field(part: Part) -> Field:
    field = Field(
        name=_matching(part, "nama", re.compile(r"[a-z][a-z0-9_]*"), "lower-case letters, digits and _"),
        label=part.text("label"),
        kind=part.one_of("jenis", list(KINDS), "teks"),
        required=part.flag("wajib", default=True),
        choices=part.texts("pilihan"),
        max_length=part.number("panjang"),
        minimum=part.number("paling_kecil"),
        maximum=part.number("paling_besar"),
        earliest=_bound(part, "paling_awal"),
        latest=_bound(part, "paling_lambat"),
        placeholders=part.flag("pengganti"),
    )
    for key in ("paling_awal", "paling_lambat"):
        if key in part.data and field.kind not in DATED:
            part.find(key, f"{field.kind} has no day", "leave it out, or state `jenis: tanggal`")
    if field.kind == "pilihan" and not field.choices:
        part.find("pilihan", "a choice without choices", "state `pilihan: [...]`")
    if field.max_length is not None and not 0 < field.max_length <= MAX_TEXT:
        part.find("panjang", "is no length", f"write a number from 1 to {MAX_TEXT}")
    return field


def _bound(part: Part, key: str) -> str | None:
    text = part.text(key, required=False) or None
    if text is not None and not is_bound(text):
        part.find(
            key, f"{visible(text)!r} is no bound", "write hari-ini, hari-ini+30, sekarang, a day or a field's name"
        )
    return text


def _table(part: Part) -> Table:
    columns = part.parts("kolom", ("id", "nama"), lambda column: (column.text("id"), column.text("nama")))
    inferred = part.data.get("inferred") is True
    return Table(id=_matching(part, "id", ID, "one word"), title=part.text("judul"), inferred=inferred, columns=columns)


def _steps(part: Part) -> tuple[Step, ...]:
    table = str(part.data.get("id", ""))
    everything = part.data.get("inferred") is True
    return part.parts("baris", STEP, lambda row: _step(row, table, inferred=everything))


def _step(row: Part, table: str, *, inferred: bool) -> Step:
    number = row.number("no")
    if number is None:
        row.find("no", "the row has no number", "state `no`")
    answers = row.part("jawaban", ("ya", "tidak"))
    return Step(
        id=f"{table}.{number or 0}",
        table=table,
        number=number or 0,
        text=row.text("kegiatan"),
        actors=row.texts("pelaksana"),
        kind=StepKind(row.one_of("jenis", [kind.value for kind in StepKind], "proses")),
        time_limit=_time_limit(row),
        requirements=row.text("kelengkapan", required=False),
        output=row.text("output", required=False),
        remarks=row.text("keterangan", required=False),
        next=_target(row, "lanjut", table),
        yes=_target(row, "ya", table),
        no=_target(row, "tidak", table),
        back=_step_id(row, "kembali", row.data.get("kembali"), table),
        approval=row.flag("persetujuan"),
        waits=row.text("menunggu", required=False) or None,
        effect=row.text("aset", required=False) or None,
        fields=row.parts("isian", FIELD, _field),
        message=_message(row.part("pesan", MESSAGE)),
        documents=row.texts("dokumen"),
        documents_at_no=row.texts("dokumen_tidak"),
        technical=_technical(row.part("teknis", TECHNICAL), table),
        inferred=frozenset(row.data) - {"no"} if inferred else row.inferred(),
        line=row.line,
        yes_label=answers.text("ya", required=False) if answers and "ya" in answers.data else "Ya",
        no_label=answers.text("tidak", required=False) if answers and "tidak" in answers.data else "Tidak",
        page=row.number("halaman") or 1,
        direct_superior=row.flag("atasan_langsung"),
    )


def _time_limit(row: Part) -> TimeLimit:
    text = row.text("waktu")
    if text in {"", NO_TIME}:
        return TimeLimit(text=text)
    match = TIME.fullmatch(text)
    if match is None:
        row.find("waktu", f"{text!r} is no time", 'write e.g. 15 menit, 3 jam, 1 hari, or "-" for none')
        return TimeLimit(text=text)
    count, unit = int(match[1]), match[2].lower()
    if unit == "hari":
        return TimeLimit(text=text, office_days=count)
    return TimeLimit(text=text, office_time=timedelta(minutes=count) if unit == "menit" else timedelta(hours=count))


def _target(row: Part, key: str, table: str) -> Target | None:
    value = row.data.get(key)
    if not isinstance(value, dict):
        return _step_id(row, key, value, table)
    fork = row.part(key, ("menurut", "ya", "tidak"))
    assert fork is not None
    on, yes, no = (_step_id(fork, name, fork.data.get(name), table) for name in ("menurut", "ya", "tidak"))
    if on is None or yes is None or no is None:
        row.find(key, "a fork needs `menurut`, `ya` and `tidak`", "write {menurut: 2, ya: 13, tidak: 12}")
        return None
    return Fork(on=on, yes=yes, no=no)


def _step_id(part: Part, key: str, value: Any, table: str) -> str | None:
    """Return the id of a row: a number means one of the same table."""
    if value is None or (isinstance(value, str) and (value in ENDS or re.fullmatch(r"[a-z0-9-]+\.\d+", value))):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{table}.{value}"
    part.find(key, "is no row", "write a row's number, `table.number`, selesai or ditolak")
    return None


def _message(part: Part | None) -> Message | None:
    if part is None:
        return None
    answer = part.one_of("bila", ("", "ya", "tidak"), "")
    on: Mapping[str, bool | None] = {"": None, "ya": True, "tidak": False}
    return Message(template=part.text("templat"), to=part.text("kepada"), required=part.texts("wajib"), on=on[answer])


def _technical(part: Part | None, table: str) -> Technical | None:
    if part is None:
        return None
    if not part.texts("modul"):
        part.find("modul", "no module is named", "state `modul`")
    parameters = part.data.get("parameter") or {}
    if not isinstance(parameters, dict):
        part.find("parameter", "is not a mapping", "write `name: value` lines")
        parameters = {}
    return Technical(
        modules=part.texts("modul"),
        executor=part.text("pelaksana"),
        approver=part.text("penyetuju", required=False) or None,
        plan_step=_step_id(part, "baris_rencana", part.data.get("baris_rencana"), table),
        approval_step=_step_id(part, "baris_persetujuan", part.data.get("baris_persetujuan"), table),
        plan_of=_step_id(part, "rencana_dari", part.data.get("rencana_dari"), table),
        parameters=parameters,
        recurring=part.one_of("berulang", ("", "bulanan"), "") or None,
    )


def _lines(top: Part, line_of: LineOf) -> dict[str, int]:
    """Return on which line rows, actors, tables and letter fields stand."""
    lines = {f"kepala/{key}": line_of("kepala", key) for key in top.data.get("kepala") or {}}
    for kind, key in (("pelaksana", "id"), ("tabel", "id"), ("surat", "nama")):
        for i, item in enumerate(top.data.get(kind) or []):
            if isinstance(item, dict):
                lines[f"{kind}/{item.get(key)}"] = line_of(kind, i)
    for i, table in enumerate(top.data.get("tabel") or []):
        for j, row in enumerate((table.get("baris") or []) if isinstance(table, dict) else []):
            if isinstance(row, dict):
                step = f"{table.get('id')}.{row.get('no')}"
                lines[step] = line_of("tabel", i, "baris", j)
                lines |= {f"{step}/{key}": line_of("tabel", i, "baris", j, key) for key in row}
    return lines
