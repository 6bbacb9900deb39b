"""The sections that letters and reports are composed of. Each is a list, empty where there is nothing to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sopauto.documents.parts import Body, Filling, Pairs, shown
from sopauto.documents.registered import place_pairs, server_pairs
from sopauto.procedures.model import Field, Step, StepKind
from sopauto.tickets.record import position_after

Sections = list[dict[str, Any]]
"""Titles, each with labels and values (`isian`), with a table (`kolom`, `baris`), or with lines of text (`teks`)."""

MOST_LINES: Final = 1000
LONGEST_LINE: Final = 400
POSITION: Final = "posisi"
"""The field in which a row states where the device stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the actor of a row stated last in one of its fields (`isian`)."""

    step: Step
    field: Field
    value: object


def pairs(title: str, rows: Pairs) -> Sections:
    """Return a section of labels and values."""
    return [{"judul": title, "isian": rows}] if rows else []


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Sections:
    """Return a section with a table."""
    cells = [[shown(cell) or "-" for cell in row] for row in rows]
    return [{"judul": title, "kolom": list(columns), "baris": cells}] if rows else []


def text(title: str, lines: Sequence[str], *, whole: str) -> Sections:
    """Return a section with lines of text as they are, as many as can be read; `whole` names where the others are."""
    left = len(lines) - MOST_LINES
    rest = f"dan {left} baris lainnya, semuanya di {whole}" if left > 0 else ""
    return [{"judul": title, "teks": [_as_it_is(line) for line in lines[:MOST_LINES]], "sisa": rest}] if lines else []


def request(filling: Filling) -> Sections:
    """Return who asked, and by which letter."""
    stated = filling.stated("nomor_surat", "tanggal", "perihal", "unit_kerja", "unit")
    return pairs("Surat permohonan", [["Dari", filling.owner], *stated])


def needs(filling: Filling) -> Sections:
    """Return what is asked for: purpose, system and resources."""
    names = ("keperluan", "spesifikasi", "sistem_operasi", "cpu_inti", "memori_gb", "disk_gb")
    return pairs("Kebutuhan", filling.stated(*names))


def contact(filling: Filling) -> Sections:
    """Return who can be asked."""
    return pairs("Narahubung", filling.stated("kontak_nama", "kontak_email", "kontak_telepon"))


def server(filling: Filling) -> Sections:
    """Return the server as the letter names it and, where the register knows it, as it is registered."""
    known = filling.registered
    if known is None:
        return pairs("Perangkat server", filling.stated("nama_host", "alamat_ip"))
    owner = filling.people.unit(known.unit)
    return pairs("Perangkat server", [*server_pairs(known, owner), *filling.stated("alamat_ip")])


def position(filling: Filling) -> Sections:
    """Return where the server stands: as the rows stated it, and as the register has it."""
    rows = _told(filling, (said for said in statements(filling) if said.field.name == POSITION))
    known = filling.registered
    if known is not None and known.place is not None:
        rows += place_pairs(known.place)
    return pairs("Posisi perangkat", rows or [["Posisi", "belum dicatat"]])


def stated_so_far(filling: Filling) -> Sections:
    """Return what the rows so far have stated, but for the position."""
    said = (said for said in statements(filling) if said.field.name != POSITION)
    return pairs("Catatan para pelaksana", _told(filling, said))


def stated_here(filling: Filling) -> Sections:
    """Return what the present row states, with the note."""
    action, step = filling.occasion.action, filling.occasion.step
    rows = [
        [shown(field.label), filling.told(field, action.data[field.name])]
        for field in step.fields
        if action.data.get(field.name)
    ]
    if action.note:
        rows.append(["Catatan", shown(action.note)])
    return pairs("Keterangan", rows)


def answers(filling: Filling) -> Sections:
    """Return every answer so far to the decisions of the SOP, the present one last."""
    rows = [_answer(filling, body) for body in [*(body for body, _ in filling.entries()), present(filling)]]
    columns = ("Baris", "Jawaban", "Catatan", "Oleh", "Waktu")
    return table("Pemeriksaan dan keputusan", columns, [row for row in rows if row])


def papers(filling: Filling) -> Sections:
    """Return the ticket's printed documents so far with their digests: each the last of its name."""
    latest: dict[str, list[str]] = {}
    for body, _ in filling.entries():
        for document in body["documents"]:
            if document["name"].endswith(".pdf"):
                latest[document["name"]] = [document["name"], body["step"], document["sha256"]]
    return table("Dokumen tiket ini", ("Dokumen", "Baris", "SHA-256"), list(latest.values()))


def order(filling: Filling) -> Sections:
    """Return what the next row has to do, in the SOP's own words, and by which plan only."""
    step = filling.step(filling.occasion.after.step)
    if step is None or not filling.occasion.after.is_open:
        return []
    rows = [["Kegiatan", shown(step.text)], ["Baris", step.id], ["Waktu", shown(step.time_limit.text)]]
    planned = filling.occasion.after.plans.get(step.id)
    if planned is not None:
        rows.append(["Hanya menurut rencana dengan SHA-256", planned.plan])
    return pairs("Isi instruksi", rows)


def statements(filling: Filling) -> list[Statement]:
    """Return what the rows so far have stated, the present one included, in the order of the SOP."""
    last: dict[tuple[str, str], Statement] = {}
    for body in [*(body for body, _ in filling.entries()), present(filling)]:
        step = filling.step(body["step"])
        for field in step.fields if step else ():
            if body["data"].get(field.name):
                assert step is not None
                last[step.id, field.name] = Statement(step=step, field=field, value=body["data"][field.name])
    places = {step.id: place for place, step in enumerate(filling.occasion.procedure.steps)}
    return sorted(last.values(), key=lambda said: places[said.step.id])


def present(filling: Filling) -> Body:
    """Return what the entry of the present action will say, as far as forms read it. It is signed after the form."""
    occasion = filling.occasion
    action = occasion.action
    return {
        "at": action.at.isoformat(),
        "person": action.person,
        "position": action.position,
        "verb": action.verb.value,
        "step": occasion.step.id,
        "to": position_after(occasion.after),
        "note": action.note,
        "data": action.data,
        **({"outcome": action.outcome.value} if action.outcome else {}),
        "documents": [{"name": document.name, "sha256": document.sha256} for document in action.documents],
    }


def answer_of(step: Step, verb: str) -> str:
    """Return a decision's answer in the SOP's own words (empty: the verb answers nothing)."""
    labels = {"approve": step.yes_label, "reject": step.no_label} if step.kind is StepKind.DECISION else {}
    return labels.get(verb, "")


def _answer(filling: Filling, body: Body) -> list[str]:
    step = filling.step(body["step"])
    told = answer_of(step, body["verb"]) if step else ""
    if not told:
        return []
    person = filling.people.person(body["person"])
    return [body["step"], told, body["note"], person.name, filling.moment(datetime.fromisoformat(body["at"]))]


def _told(filling: Filling, said: Iterator[Statement]) -> Pairs:
    """Return statements with the row that made them."""
    return [[f"{shown(one.field.label)} (baris {one.step.id})", filling.told(one.field, one.value)] for one in said]


def _as_it_is(line: str) -> str:
    """Return a line with its blanks, of bounded length, control characters escaped."""
    wide = line[: LONGEST_LINE + 1].expandtabs(4)
    cut = wide[:LONGEST_LINE] + "…" if len(wide) > LONGEST_LINE else wide
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
