"""What letters and servers say is printed as it is: never markup, never outside its cell."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sopauto.app import forms as forms_of_all
from sopauto.documents.forms import Forms
from sopauto.documents.parts import shown
from tests.unit.documents import occasions
from tests.unit.documents.occasions import Books, Register
from tests.unit.documents.test_forms import read_pdf

MARKUP = (
    "#panic()",
    "#panic(",
    "$x$",
    "*b*",
    "_i_",
    "`raw`",
    "= Judul",
    "] #read(",
    '"); #panic("',
    "\\",
    "<label> @label",
    "/* a */ b",
    "http: // c",
    "~ -- --- ...",
    '#import "kop.typ": data',
    "{{ 7*7 }}",
    "${HOME}",
)


LAST_COLUMN = 595.28 - 2 * 28.35 + 1
"""The right margin of A4, 2 cm, in points."""


@pytest.fixture
def forms(tmp_path: Path) -> Forms:
    return Forms(forms_of_all(), occasions.settings(tmp_path), occasions.people())


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_printed_as_it_is(text: str, forms: Forms, need: Callable[[str], str]) -> None:
    books = Books(assets=Register([occasions.server(brand=text)]))
    features = {"spesifikasi": text, "ciri": f"awal {text} akhir"}
    pdf, data = forms.make("serah-terima-barang", occasions.handed_over(books, features=features, nomor_surat=text))
    printed = read_pdf(pdf.content, need)
    assert f"awal {text} akhir" in printed
    assert f"{text} Standard PC (Q35)" in printed
    assert f"Nomor surat {text}" in printed
    assert b"awal" in data.content


@pytest.mark.parametrize("text", MARKUP)
def test_markup_in_the_agencys_own_words_is_printed_as_it_is(
    text: str, tmp_path: Path, need: Callable[[str], str]
) -> None:
    settings = occasions.settings(tmp_path, letterhead=(text,), city=f"Kota {text}")
    forms = Forms(forms_of_all(), settings, occasions.people())
    pdf, _ = forms.make("serah-terima-barang", occasions.handed_over())
    printed = read_pdf(pdf.content, need)
    assert printed.startswith(text)
    assert f"Kota {text}," in printed


@pytest.mark.parametrize("text", MARKUP)
def test_what_a_server_says_is_printed_as_it_is(text: str, forms: Forms, need: Callable[[str], str]) -> None:
    services = [{"name": text, "state": "running"}]
    pdf, _ = forms.make("inventaris-server", occasions.inventoried(services=services, vendor=text))
    assert read_pdf(pdf.content, need).count(text) >= 2


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\x00b", "a\\x00b"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("a\udcffb", "a\\udcffb"),
        ("satu\r\ndua\ttiga", "satu dua tiga"),
    ],
)
def test_control_characters_are_escaped(said: str, printed: str, forms: Forms, need: Callable[[str], str]) -> None:
    services = [{"name": said, "state": "running"}]
    pdf, data = forms.make("inventaris-server", occasions.inventoried(services=services))
    assert printed in read_pdf(pdf.content, need)
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", data.content)


def test_a_value_is_bounded() -> None:
    assert len(shown("x" * 10_000_000)) == 4001


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=st.characters(), max_size=60))
def test_no_text_at_all_breaks_a_form(text: str, forms: Forms) -> None:
    services = [{"name": text, "state": text}]
    pdf, data = forms.make("inventaris-server", occasions.inventoried(services=services, model=text))
    assert pdf.content.startswith(b"%PDF-")
    assert data.content.decode().replace("\n", "").isprintable()
    assert shown(text).isprintable()


@pytest.mark.parametrize("form", ["serah-terima-barang", "inventaris-server"])
def test_a_word_without_end_stays_on_the_page(form: str, forms: Forms, need: Callable[[str], str]) -> None:
    endless = "W" * 900
    if form == "serah-terima-barang":
        occasion = occasions.handed_over(features={"spesifikasi": endless, "ciri": "x"}, nomor_surat=endless[:100])
    else:
        occasion = occasions.inventoried(services=[{"name": endless[:200], "state": "running"}], vendor=endless[:200])
    pdf, _ = forms.make(form, occasion)
    right = edges(pdf.content, need)
    assert len(right) > 50
    assert max(right) <= LAST_COLUMN


def edges(pdf: bytes, need: Callable[[str], str]) -> list[float]:
    """Return the right edge of every word, in points."""
    command = [need("pdftotext"), "-bbox", "-", "-"]
    boxes = subprocess.run(command, input=pdf, capture_output=True, check=True).stdout.decode()
    return [float(edge) for edge in re.findall(r'xMax="([0-9.]+)"', boxes)]
