"""Reading and judging the Formulir Permintaan Akses (SOP 004, row 1). Pure: the day and the settings are given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sopauto.access.model import Kind, Request
from sopauto.access_settings import Access
from sopauto.errors import BadInput

FIELDS: Final = ("nama_pengakses", "nip_pengakses", "jenis_akses", "keperluan", "zona", "berlaku_dari")
"""What a letter must state for access to be granted."""


def read_request(letter: Mapping[str, Any], access: Access, where: str) -> Request:
    """Return what a letter asks for; its fields were checked against the SOP before.

    Raises: BadInput (an unknown zone, dates that do not fit the kind, a visitor without escort).
    """
    until = letter.get("berlaku_sampai")
    request = Request(
        name=str(letter["nama_pengakses"]),
        identity=str(letter["nip_pengakses"]),
        kind=Kind(letter["jenis_akses"]),
        purpose=str(letter["keperluan"]),
        zones=_zones(str(letter["zona"]), access, where),
        valid_from=date.fromisoformat(letter["berlaku_dari"]),
        valid_until=date.fromisoformat(until) if until else None,
        escort=str(letter.get("pendamping", "")),
    )
    _refuse_unfit(request, access, where)
    return request


def refuse_past(request: Request, today: date, where: str) -> None:
    """Refuse access that is over before it begins; raises BadInput."""
    if request.valid_until is not None and request.valid_until < today:
        what = f"the access ended on {request.valid_until.isoformat()}"
        raise BadInput(what, where=f"{where} berlaku_sampai", mend=f"state a day from {today.isoformat()} on")


def _zones(text: str, access: Access, where: str) -> tuple[str, ...]:
    zones = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for zone in zones:
        if zone not in access.zones:
            known = ", ".join(access.zones) or "none: add them to [access.zones] of sopauto.toml"
            raise BadInput(f"there is no zone {zone[:60]!r}", where=f"{where} zona", mend=f"known: {known}")
    if not zones:
        raise BadInput("no zone is named", where=f"{where} zona", mend=f"known: {', '.join(access.zones)}")
    return tuple(sorted(zones))


def _refuse_unfit(request: Request, access: Access, where: str) -> None:
    first, last, kind = request.valid_from, request.valid_until, request.kind
    if last is not None and last < first:
        raise BadInput(
            "the access ends before it begins", where=f"{where} berlaku_sampai", mend="correct one of the dates"
        )
    if kind is Kind.PERMANENT:
        return
    if last is None:
        raise BadInput(f"{kind} access needs its last day", where=f"{where} berlaku_sampai", mend="state it")
    longest = access.longest_visit if kind is Kind.VISITOR else access.longest_temporary
    if (last - first).days + 1 > longest:
        what = f"{kind} access lasts {(last - first).days + 1} days, more than {longest}"
        raise BadInput(what, where=f"{where} berlaku_sampai", mend="shorten it, or ask for another kind")
    if kind is Kind.VISITOR and not request.escort:
        raise BadInput("a visitor needs an escort", where=f"{where} pendamping", mend="name who goes along")
