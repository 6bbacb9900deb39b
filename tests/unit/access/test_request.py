"""What the Formulir Permintaan Akses may ask for (SOP 004, row 1)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sopauto.access.model import Kind
from sopauto.access.request import read_request, refuse_past
from sopauto.access_settings import Access, Zone
from sopauto.errors import BadInput
from sopauto.tickets.personal import masked

ACCESS = Access(zones={"ruang-server": Zone(title="Ruang Server"), "ruang-ups": Zone(title="Ruang UPS")})
LETTER = {
    "nama_pengakses": "Siti Rahmawati",
    "nip_pengakses": "198703122010012004",
    "jenis_akses": "sementara",
    "keperluan": "Pemeliharaan SIMPUS",
    "zona": "ruang-ups, ruang-server, ruang-ups",
    "berlaku_dari": "2026-11-23",
    "berlaku_sampai": "2026-12-31",
}


def read(**changes: Any) -> Any:
    return read_request({**LETTER, **changes}, ACCESS, "surat.yaml")


def test_a_request_is_read_with_each_zone_once() -> None:
    request = read()
    assert request.zones == ("ruang-server", "ruang-ups")
    assert (request.kind, request.valid_until) == (Kind.TEMPORARY, date(2026, 12, 31))
    assert read(jenis_akses="tetap", berlaku_sampai=None).valid_until is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"zona": "gudang"}, r"surat.yaml zona: there is no zone 'gudang'; known: ruang-server, ruang-ups"),
        ({"zona": " , "}, "no zone is named"),
        ({"berlaku_sampai": "2026-11-22"}, "ends before it begins"),
        ({"berlaku_sampai": None}, "sementara access needs its last day"),
        ({"berlaku_sampai": "2027-11-22"}, "lasts 365 days, more than 180"),
        ({"jenis_akses": "kunjungan", "berlaku_sampai": "2026-11-30"}, "lasts 8 days, more than 7"),
        ({"jenis_akses": "kunjungan", "berlaku_sampai": "2026-11-24"}, "a visitor needs an escort"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        read(**changes)


def test_access_that_is_over_is_refused() -> None:
    refuse_past(read(), date(2026, 12, 31), "x")
    refuse_past(read(jenis_akses="tetap", berlaku_sampai=None), date(2030, 1, 1), "x")
    with pytest.raises(BadInput, match="ended on 2026-12-31"):
        refuse_past(read(), date(2027, 1, 1), "x")


def test_lists_show_the_end_of_an_identity_only() -> None:
    assert masked("198703122010012004") == "**************2004"
    assert masked("12") == "****"
