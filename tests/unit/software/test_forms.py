"""The Form Instalasi (SOP 003): what it says at which row, and who signs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sopauto.app import forms as forms_of_all
from sopauto.documents.forms import Forms
from sopauto.tickets.desk import Occasion
from sopauto.tickets.model import Verb
from tests.unit.documents import installing, occasions


@pytest.fixture
def forms(tmp_path: Path) -> Forms:
    return Forms(forms_of_all(), occasions.settings(tmp_path), occasions.people())


def filled(forms: Forms, occasion: Occasion) -> dict[str, Any]:
    return dict(json.loads(forms.make("form-instalasi", occasion)[1].content))


def sections(data: dict[str, Any], title: str) -> list[Any]:
    return [p.get("isian") or p.get("baris") for p in data["bagian"] if p["judul"].startswith(title)]


def test_it_begins_at_row_4_with_the_requirements(forms: Forms) -> None:
    data = filled(forms, installing.read(installing.installing(), "software.check", installing.REQUIREMENTS))
    assert sections(data, "Persyaratan") == [[["processors", "1", "2", "ya"]]]
    assert sections(data, "Uji default") == []


def test_a_failed_test_and_the_take_back_stand_on_it(forms: Forms) -> None:
    data = filled(forms, installing.taken_back())
    assert sections(data, "Uji default") == [[["port 80/tcp", "TIDAK", "nobody listens", "0.12"]]]
    [proof] = sections(data, "SW dibawa kembali")
    assert ["Perbedaan dengan keadaan semula", "tidak ada"] in proof
    assert ["Data yang dibiarkan", "/var/www/html"] in proof


def test_each_attempt_at_the_configuration_is_kept(forms: Forms) -> None:
    data = filled(forms, installing.signed(place=True))
    assert sections(data, "Konfigurasi") == [[["port", "8080"]], [["port", "8181"]]]
    assert len(sections(data, "Verifikasi konfigurasi")) == 2


@pytest.mark.parametrize(("place", "row", "signer"), [(True, 13, "Staf TI,"), (False, 12, "User,")])
def test_the_place_decides_who_signs(forms: Forms, place: bool, row: int, signer: str) -> None:
    occasion = installing.signed(place=place)
    assert occasion.step.id == f"instalasi.{row}"
    assert [box["sebagai"] for box in filled(forms, occasion)["tanda_tangan"]] == [signer]


def test_what_a_server_tells_is_printed_as_it_is_and_no_shape_breaks_the_form(forms: Forms) -> None:
    hostile = {"requirements": [{"what": "#panic()", "met": "yes"}, 7], "failures": "x"}
    data = filled(forms, installing.read(installing.installing(), "software.check", hostile))
    assert sections(data, "Persyaratan") == [[["#panic()", "-", "-", "TIDAK"]]]


def test_row_8_is_not_passed_by_an_approval() -> None:
    from sopauto.errors import Refused

    trail = installing.installing().jump("instalasi.8")
    with pytest.raises(Refused, match="needs no approval of its own"):
        trail.act(Verb.APPROVE)
