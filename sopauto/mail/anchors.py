"""The letter that takes an anchor of the journal outside: its digest, its signature, and the anchor itself."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sopauto.journal.anchor import Anchor
from sopauto.mail.messages import closing, moment
from sopauto.mail.rendering import ANCHOR, render
from sopauto.procedures.fields import one_line
from sopauto.settings import Settings
from sopauto.tickets.storage import Mail
from sopauto.work import Artifact, sha256

LARGEST: Final = 256 << 10
"""Bytes of an anchor that is attached (about a thousand tickets): each letter is kept with what it carries."""


def letters(settings: Settings, anchor: Anchor, file: Path, content: bytes, signature: str | None) -> list[Mail]:
    """Return the letters about an anchor, one for each address of the settings; raises BadInput (the template)."""
    subject = f"jangkar-{anchor.at:%Y-%m-%d}"
    attached = Artifact(name=file.name, media_type="text/plain", content=content) if len(content) <= LARGEST else None
    values = {
        "waktu": moment(settings, anchor.at),
        "tiket": str(len(anchor.marks)),
        "entri": str(sum(mark.entries for mark in anchor.marks)),
        "pembukaan": anchor.openings,
        "sidik": sha256(content),
        "penanda": one_line(anchor.person or "tidak; nilainya hanya dari tempat penyimpanannya"),
        "terlampir": one_line(file.name) if attached else "",
        "berkas": one_line(file.name),
        "tanda_tangan": (signature or "").strip(),
        "penutup": closing(settings, subject),
    }
    line, body = render(ANCHOR, values, templates=settings.templates)
    return [Mail(ticket=subject, to=to, subject=line, body=body, attached=attached) for to in settings.anchors.mail_to]
