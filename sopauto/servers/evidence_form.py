"""The evidence of hardening as PDF (SOP 000, row 15, "pengamanan perangkat server"): each control before and after.

What a server answered stands in it: each value is one bounded line of text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sopauto.clock import moment_in_words
from sopauto.documents.parts import Pairs, letterhead, shown
from sopauto.documents.render import pdf
from sopauto.errors import BadInput
from sopauto.settings import Settings

FORM: Final = "bukti-pengamanan"
MOST_CONTROLS: Final = 500
LONGEST: Final = 400
"""Characters of one value of a control."""


def hardening_evidence(settings: Settings, evidence: Mapping[str, Any]) -> bytes:
    """Return the evidence as PDF, grouped by topic; `docs/forms.md` tells what it holds.

    Raises: BadInput (it has not that shape, or the agency's template does not work).
    """
    taken = _moment(evidence)
    controls = _objects(evidence, "controls")
    local = taken.astimezone(settings.zone)
    data = {
        "kop": letterhead(settings.agency),
        "judul": "Bukti Pengamanan Perangkat Server",
        "sebutan": "Server",
        "nomor": _text(evidence, "server"),
        "keterangan": f"Profil {_text(evidence, 'profile')}",
        "ikhtisar": [
            ["Diambil", f"{moment_in_words(local)} {local.tzname()}"],
            ["Profil", _text(evidence, "profile")],
        ],
        "jumlah": _summary(evidence),
        "kelompok": _by_topic(controls[:MOST_CONTROLS]),
        "sisa": f"dan {len(controls) - MOST_CONTROLS} lainnya" if len(controls) > MOST_CONTROLS else "",
        "pengecualian": [_waiver(control) for control in controls[:MOST_CONTROLS] if control.get("waiver")],
    }
    return pdf(FORM, data, templates=settings.templates, at=taken)


def _by_topic(controls: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the controls by topic, in the order in which topics first come."""
    topics = dict.fromkeys(_text(control, "topic") for control in controls)
    return [
        {"topik": topic, "kontrol": [_control(one) for one in controls if _text(one, "topic") == topic]}
        for topic in topics
    ]


def _control(control: Mapping[str, Any]) -> dict[str, str]:
    names = {
        "nomor": "id",
        "lynis": "lynis",
        "judul": "title",
        "sebelum": "before",
        "sesudah": "after",
        "hasil": "status",
    }
    return {name: _text(control, key) for name, key in names.items()}


def _waiver(control: Mapping[str, Any]) -> list[str]:
    waiver = control["waiver"]
    if not isinstance(waiver, Mapping):
        raise _malformed("a `waiver` is not an object")
    return [_text(control, "id"), *(_text(waiver, name) for name in ("reason", "approved_by", "expires"))]


def _summary(evidence: Mapping[str, Any]) -> Pairs:
    summary = evidence.get("summary") or {}
    if not isinstance(summary, Mapping):
        raise _malformed("`summary` is not an object")
    return [[shown(name, LONGEST), _text(summary, name)] for name in list(summary)[:MOST_CONTROLS]]


def _objects(evidence: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = evidence.get(name)
    if not isinstance(found, Sequence) or not all(isinstance(one, Mapping) for one in found):
        raise _malformed(f"`{name}` is not a list of objects")
    return found


def _moment(evidence: Mapping[str, Any]) -> datetime:
    try:
        taken = datetime.fromisoformat(str(evidence.get("taken_at")))
    except ValueError:
        raise _malformed("`taken_at` is not a moment") from None
    if taken.tzinfo is None:
        raise _malformed("`taken_at` has no time zone")
    return taken


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return "-" if value is None else shown(value, LONGEST) or "-"


def _malformed(what: str) -> BadInput:
    return BadInput(what, where="evidence of hardening", mend="see docs/forms.md")
