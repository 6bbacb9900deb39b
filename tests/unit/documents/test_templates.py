"""The agency's own templates win over the shipped ones, and say clearly when they do not work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sopauto.app import forms as forms_of_all
from sopauto.documents.forms import Forms
from sopauto.documents.render import SHIPPED
from sopauto.errors import BadInput
from tests.unit.documents import occasions
from tests.unit.documents.test_forms import read_pdf


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "templates" / "documents"
    folder.mkdir(parents=True)
    return folder


def printed(root: Path, need: Callable[[str], str]) -> str:
    forms = Forms(forms_of_all(), occasions.settings(root), occasions.people())
    pdf, _ = forms.make("serah-terima-barang", occasions.handed_over())
    return read_pdf(pdf.content, need)


def test_an_agencys_own_form_uses_the_shipped_letterhead(own: Path, tmp_path: Path, need: Callable[[str], str]) -> None:
    (own / "serah-terima-barang.typ").write_text(
        '#import "kop.typ": *\n#show: lembar\nMilik #data.menerima.at(0).at(1)'
    )
    text = printed(tmp_path, need)
    assert "Milik Joko Santoso" in text
    assert "PEMERINTAH KABUPATEN TRENGGALEK" in text
    assert "Spesifikasi" not in text


def test_an_agencys_own_letterhead_serves_every_shipped_form(
    own: Path, tmp_path: Path, need: Callable[[str], str]
) -> None:
    (own / "lambang.txt").write_text("LAMBANG")
    shipped = (SHIPPED / "kop.typ").read_text()
    (own / "kop.typ").write_text(shipped.replace("#let kop() = {", '#let kop() = {\n  read("lambang.txt")\n'))
    text = printed(tmp_path, need)
    assert text.startswith("LAMBANG")
    assert "Spesifikasi server" in text


@pytest.mark.parametrize("fault", ["#let a =", '#panic("x\\ny")', "#data", '#read("/etc/passwd")', '#read("../../a")'])
def test_a_template_that_does_not_work_is_named_in_one_line(fault: str, own: Path, tmp_path: Path) -> None:
    (own / "serah-terima-barang.typ").write_text(fault)
    forms = Forms(forms_of_all(), occasions.settings(tmp_path), occasions.people())
    with pytest.raises(BadInput, match="the template does not work") as caught:
        forms.make("serah-terima-barang", occasions.handed_over())
    assert str(caught.value).startswith(str(own / "serah-terima-barang.typ"))
    assert "\n" not in str(caught.value)
