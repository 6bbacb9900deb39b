"""The access card on paper: a page of ID-1 size with photo and QR code (SOP 004, row 7)."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any, Final

from sopauto.access.model import Grant
from sopauto.clock import day_in_words
from sopauto.documents.parts import letterhead, shown
from sopauto.documents.render import pdf
from sopauto.settings import Settings

FORM: Final = "kartu-akses"
KINDS: Final = {"tetap": "TETAP", "sementara": "SEMENTARA", "kunjungan": "TAMU"}
LONGEST_NAME: Final = 60


def card_pdf(settings: Settings, grant: Grant, unit: str, *, token: str, photo: bytes, at: datetime) -> bytes:
    """Return the card as PDF, 85.6 by 53.98 mm; raises BadInput (the agency's template does not work)."""
    # JSON knows no bytes: typst takes a picture as numbers.
    data = {**card_data(settings, grant, unit, token), "foto": list(photo)}
    return pdf(FORM, data, templates=settings.templates, at=at)


def card_data(settings: Settings, grant: Grant, unit: str, token: str) -> dict[str, Any]:
    """Return what the card prints; names are cut so that they stay on it."""
    request = grant.request
    until = day_in_words(request.valid_until) if request.valid_until else "dicabut"
    escorted = [f"Didampingi {shown(request.escort, LONGEST_NAME)}"] if request.escort else []
    return {
        "kop": letterhead(settings.agency),
        "jenis": KINDS[request.kind.value],
        "nama": shown(request.name, LONGEST_NAME),
        "unit": shown(unit, LONGEST_NAME),
        "nomor": grant.card,
        "zona": [shown(settings.access.zones[zone].title) for zone in request.zones if zone in settings.access.zones],
        "berlaku": f"{day_in_words(request.valid_from)} s.d. {until}",
        "keterangan": escorted,
        "qr": qr_code(token),
    }


def qr_code(text: str) -> str:
    """Return a QR code as SVG, error correction M, without a border (the card leaves the quiet zone)."""
    import segno

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=0, xmldecl=False, nl=False)
    return out.getvalue().decode()
