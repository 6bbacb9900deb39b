"""The two forms of SOP 001 that both parties sign: Formulir Serah Terima Barang, and the BAST of the return."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sopauto.documents.form import Form
from sopauto.documents.parts import Filling, lacking, shown
from sopauto.documents.registered import place_of, place_pairs, server_pairs
from sopauto.procedures.model import StepKind
from sopauto.tickets.model import Ticket

DROP_OFF: Final = "serah-terima-barang"
GIVES: Final = "Yang menyerahkan,"
TAKES: Final = "Yang menerima,"


def hand_over(filling: Filling) -> dict[str, Any]:
    """Return the server's features, its place, and both parties (SOP 001, penitipan.12)."""
    return {
        "pembuka": (
            f"Pada hari {filling.moment(filling.occasion.action.at)} telah diserahterimakan satu unit server milik "
            f"{filling.owner} untuk dititipkan di ruang server {shown(filling.settings.agency.name)}."
        ),
        "menyerahkan": [["Nama", _said(filling, "penyerah")], ["Unit kerja", filling.owner]],
        "menerima": [["Nama", _said(filling, "penerima")], ["Jabatan", filling.signature()["jabatan"]]],
        "surat": filling.stated("nomor_surat", "tanggal"),
        "server": server_pairs(filling.server, filling.owner),
        "ciri": filling.stated("spesifikasi", "ciri"),
        "tempat": place_pairs(place_of(filling)),
        "tanda_tangan": [
            {"sebagai": GIVES, **_of_applicant(filling), "nama": _said(filling, "penyerah"), "jabatan": filling.owner},
            {"sebagai": TAKES, **filling.signature()},
        ],
    }


def hand_back(filling: Filling) -> dict[str, Any]:
    """Return what came beside what goes, the check, and both parties (the return procedure, rows 7 and 8)."""
    came = _drop_off(filling)
    form = _drop_off_form(filling, came)
    return {
        "pembuka": (
            f"Pada hari {filling.moment(filling.occasion.action.at)} satu unit server yang dititipkan oleh "
            f"{filling.owner} telah diperiksa terhadap Formulir Serah Terima Barang nomor {came.id} dan dikembalikan."
        ),
        "menyerahkan": [["Nama", _said(filling, "penyerah")], ["Jabatan", filling.signature()["jabatan"]]],
        "menerima": [["Nama", _said(filling, "penerima")], ["Unit kerja", filling.owner]],
        "surat": filling.stated("nomor_surat", "tanggal"),
        "banding": [*_compared(filling, came), *_checked_features(came)],
        "pemeriksaan": _checks(filling),
        "keadaan": filling.stated("keadaan"),
        "formulir_awal": [["Formulir Serah Terima Barang", came.id], ["SHA-256", form]],
        "tanda_tangan": [
            {"sebagai": GIVES, **filling.signature()},
            {
                "sebagai": TAKES,
                "nama": _said(filling, "penerima"),
                "jabatan": filling.owner,
                "keterangan": _signs_later(filling),
            },
        ],
    }


def _said(filling: Filling, name: str) -> str:
    return shown(filling.data[name])


def _of_applicant(filling: Filling) -> dict[str, Any]:
    """Return when and with which key the applicant last acted: the handing over (SOP 001, penitipan.10).

    Who hands over need not be who signs, so the signer is named apart from the party.
    """
    procedure = filling.occasion.procedure
    applicants = {actor.id for actor in procedure.actors if actor.applicant}
    latest: dict[str, Any] = {}
    for body, key in filling.entries():
        if body["position"] in applicants:
            signed = filling.signed_by(body, key)
            told = f"baris {body['step']}, oleh {signed['nama']}"
            latest = {"waktu": signed["waktu"], "kunci": signed["kunci"], "keterangan": told}
    return latest


def _signs_later(filling: Filling) -> str:
    """Return at which row the other party signs (the return procedure, row 9)."""
    step = filling.step(filling.occasion.after.step)
    procedure = filling.occasion.procedure
    if step is None or not any(procedure.actor(actor).applicant for actor in step.actors):
        return ""
    return f"akan ditandatangani secara elektronik pada baris {step.id} tiket {filling.occasion.after.id}"


def _drop_off(filling: Filling) -> Ticket:
    """Return the ticket that brought the server; raises BadInput (unknown, or that of another server)."""
    came = filling.occasion.reader.ticket(str(filling.letter["tiket_penitipan"]))
    if came.letter.get("nama_host") != filling.letter["nama_host"] or came.unit != filling.occasion.after.unit:
        raise lacking(
            filling,
            f"{came.id} is not the drop-off of {shown(filling.letter['nama_host'])}",
            "reject the ticket; the applicant corrects `tiket_penitipan` of the letter",
        )
    return came


def _drop_off_form(filling: Filling, came: Ticket) -> str:
    """Return the SHA-256 of the form that was signed at the drop-off; raises BadInput (there is none)."""
    digest = filling.kept(f"{DROP_OFF}.pdf", came.id)
    if not digest:
        raise lacking(
            filling, f"{came.id} holds no Formulir Serah Terima Barang", "name the ticket that brought the server"
        )
    return digest


def _compared(filling: Filling, came: Ticket) -> list[dict[str, str]]:
    """Return what was written at the drop-off beside what is written now."""
    server, letter = filling.server, filling.letter
    rows = [
        ("Nama host", came.letter["nama_host"], letter["nama_host"]),
        ("Merek dan model", f"{came.letter['merek']} {came.letter['model']}", f"{server.brand} {server.model}"),
        ("Nomor seri", came.letter["nomor_seri"], letter.get("nomor_seri") or server.serial),
    ]
    return [_line(what, before, now, "sesuai" if before == now else "BERBEDA") for what, before, now in rows]


def _checked_features(came: Ticket) -> list[dict[str, str]]:
    """Return specification and features as written at the drop-off; a person compared them (return, row 7)."""
    names = {"Spesifikasi": "spesifikasi", "Ciri-ciri": "ciri"}
    return [
        _line(what, came.data[name], "diperiksa di tempat", "sesuai")
        for what, name in names.items()
        if name in came.data
    ]


def _line(what: str, before: object, now: object, verdict: str) -> dict[str, str]:
    return {"hal": what, "dititipkan": shown(before), "dikembalikan": shown(now), "hasil": verdict}


def _checks(filling: Filling) -> list[dict[str, Any]]:
    """Return each answer of the check against the form, the last of which has to be yes; raises BadInput."""
    found = list(_decisions(filling))
    if not found or found[-1]["hasil"] != "sesuai":
        raise lacking(
            filling, "the server was not checked against its drop-off form", "the SOP needs a decision before"
        )
    return found


def _decisions(filling: Filling) -> Iterator[dict[str, Any]]:
    verdicts: Mapping[str, str] = {"approve": "sesuai", "reject": "tidak sesuai"}
    for body, key in filling.entries():
        step = filling.step(body["step"])
        if step is not None and step.kind is StepKind.DECISION and body["verb"] in verdicts:
            yield {
                "hasil": verdicts[body["verb"]],
                "catatan": shown(body["note"]),
                "oleh": filling.signed_by(body, key),
            }


FORMS: Final[Mapping[str, Form]] = {
    DROP_OFF: Form(
        title="Formulir Serah Terima Barang",
        fill=hand_over,
        letter=("nama_host",),
        data=("spesifikasi", "ciri", "penyerah", "penerima"),
    ),
    "bast-pengembalian": Form(
        title="Berita Acara Serah Terima Pengembalian Server",
        fill=hand_back,
        letter=("nama_host", "tiket_penitipan"),
        data=("keadaan", "penyerah", "penerima"),
    ),
}
"""Each form by the name that an SOP's `dokumen` gives it."""
