"""The forms of SOP 004: what each tells of a person, and hostile names in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sopauto.app import forms as forms_of_all
from sopauto.documents.forms import Forms
from sopauto.tickets.desk import Occasion
from sopauto.tickets.model import Verb
from tests.unit.documents import entering, occasions

IDENTITY = entering.GRANT.request.identity


def form(home: Path, name: str, occasion: Occasion) -> Any:
    pdf, data = Forms(forms_of_all(), occasions.settings(home), occasions.people()).make(name, occasion)
    assert pdf.content.startswith(b"%PDF")
    return json.loads(data.content)


def test_the_number_of_identity_is_whole_in_the_request_only(tmp_path: Path) -> None:
    assert IDENTITY in json.dumps(form(tmp_path, "formulir-permintaan-akses", entering.asked(nip_pengakses=IDENTITY)))
    for name, occasion in (
        ("formulir-daftar-akses", entering.registered()),
        ("formulir-penghapusan-akses", entering.removed()),
        ("formulir-review-akses", entering.reviewed()),
    ):
        assert IDENTITY not in json.dumps(form(tmp_path, name, occasion))


def test_a_refusal_stands_on_the_request(tmp_path: Path) -> None:
    data = form(tmp_path, "formulir-permintaan-akses", entering.asked(Verb.REJECT))
    [answers] = [part for part in data["bagian"] if part["judul"] == "Pemeriksaan dan keputusan"]
    assert answers["baris"][0][:3] == ["akses.5", "ditolak", "belum jelas"]


def test_a_visitor_is_named_with_escort_and_days(tmp_path: Path) -> None:
    visit = {"jenis_akses": "kunjungan", "berlaku_sampai": "2026-11-24", "pendamping": "Joko Santoso"}
    data = form(tmp_path, "formulir-permintaan-akses", entering.asked(**visit))
    [asked] = [part["isian"] for part in data["bagian"] if part["judul"] == "Akses yang diminta"]
    assert ["Pendamping kunjungan", "Joko Santoso"] in asked
    assert ["Akses berlaku sampai", "24 November 2026"] in asked


@pytest.mark.parametrize("name", ['=HYPERLINK("x")', '#read("/etc/passwd")', "*_`$<b>&", "A" * 100])
def test_hostile_names_are_text(tmp_path: Path, name: str) -> None:
    assert name in json.dumps(
        form(tmp_path, "formulir-permintaan-akses", entering.asked(nama_pengakses=name)), ensure_ascii=False
    ).replace('\\"', '"')
    form(tmp_path, "formulir-penghapusan-akses", entering.removed(nama_pengakses=name))


def test_a_review_prints_all_its_lines_and_says_what_is_open(tmp_path: Path) -> None:
    data = form(tmp_path, "formulir-review-akses", entering.reviewed(entering.many(60)))
    assert len(data["baris"]) == 60
    assert [row[6] for row in data["baris"][-2:]] == ["dicabut", "belum dijawab"]
    assert data["baris"][0][7] == "Bambang Sutrisno"
