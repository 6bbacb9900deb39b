"""The lembar disposisi. It grows: each disposition adds its line (SOP 001, penitipan.2 and .3; SOP 004, row 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sopauto.documents.parts import PASSED_ON, Filling, Pairs, shown
from sopauto.tickets.record import position_after

FORM: Final = "lembar-disposisi"


def fill(filling: Filling) -> dict[str, Any]:
    """Return the letter as it came in and every disposition so far, the present one last."""
    return {
        "surat": _letter(filling),
        "disposisi": [*_earlier(filling), _present(filling)],
        "tanda_tangan": [{"sebagai": "Yang mendisposisikan,", **filling.signature()}],
    }


def _letter(filling: Filling) -> Pairs:
    subject = shown(filling.letter.get("perihal") or filling.occasion.procedure.head.name)
    return [
        ["Surat dari", filling.owner],
        *filling.stated("nomor_surat", "tanggal"),
        ["Perihal", subject],
        ["Diterima", filling.moment(filling.occasion.after.opened_at)],
        ["Nomor agenda", filling.occasion.after.id],
    ]


def _earlier(filling: Filling) -> list[dict[str, Any]]:
    """Return the dispositions before this one: completed steps whose row fills this form."""
    rows = []
    for body, key in filling.entries():
        step = filling.step(body["step"])
        if step is not None and FORM in step.documents and body["verb"] in PASSED_ON:
            rows.append(_row(filling, body, filling.signed_by(body, key)))
    return rows


def _present(filling: Filling) -> dict[str, Any]:
    occasion = filling.occasion
    return _row(filling, {"to": position_after(occasion.after), "note": occasion.action.note}, filling.signature())


def _row(filling: Filling, body: Mapping[str, Any], signed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "dari": dict(signed),
        "kepada": filling.actors(body["to"]) or "-",
        "catatan": shown(body["note"]) or "Untuk ditindaklanjuti",
    }
