"""The evidence of hardening: what an auditor reads of it, and what a hostile server cannot do to it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sopauto.errors import BadInput
from sopauto.servers.evidence_form import MOST_CONTROLS, hardening_evidence
from sopauto.settings import Settings
from tests.unit.documents import occasions
from tests.unit.documents.test_forms import read_pdf
from tests.unit.documents.test_hostile_text import LAST_COLUMN, MARKUP, edges

TOPICS = ("ssh", "sysctl", "auditd", "pam", "banner")
STATUSES = ("sesuai", "berubah", "dikecualikan", "gagal", "tidak berlaku")
WAIVER = {"reason": "dipakai aplikasi antrean", "approved_by": "kasie-infrastruktur", "expires": "2027-06-30"}


def control(number: int = 1, **changes: Any) -> dict[str, Any]:
    stated = {
        "id": f"CIS 5.1.{number}",
        "lynis": "SSH-7408" if number % 2 else None,
        "topic": TOPICS[number % len(TOPICS)],
        "title": f"Kontrol nomor {number}",
        "before": "PermitRootLogin yes",
        "after": "PermitRootLogin no",
        "status": STATUSES[number % len(STATUSES)],
        "waiver": None,
    }
    return {**stated, **changes}


def evidence(*controls: dict[str, Any], **changes: Any) -> dict[str, Any]:
    stated = {
        "server": "antrean-01",
        "taken_at": "2026-11-24T02:00:00+00:00",
        "profile": "cis-debian12-l1",
        "controls": list(controls),
        "summary": {"sesuai": 40, "berubah": 20, "lynis": "58 menjadi 81"},
    }
    return {**stated, **changes}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return occasions.settings(tmp_path)


@pytest.fixture
def printed(settings: Settings, need: Callable[[str], str]) -> Callable[[dict[str, Any]], str]:
    return lambda told: read_pdf(hardening_evidence(settings, told), need)


def test_each_control_is_told_before_and_after_under_its_topic(printed: Callable[[dict[str, Any]], str]) -> None:
    text = printed(evidence(*map(control, range(65))))
    assert "DINAS KOMUNIKASI DAN INFORMATIKA" in text
    assert "BUKTI PENGAMANAN PERANGKAT SERVER Server: antrean-01" in text
    assert "Selasa, 24 November 2026 pukul 09.00 WIB" in text
    assert all(f"Kontrol nomor {number}" in text for number in range(65))
    assert all(f"{topic} (13)" in text for topic in TOPICS)
    assert "lynis 58 menjadi 81" in text
    assert "SSH-7408" in text
    assert "Pengecualian" not in text


def test_the_head_of_the_table_stands_on_each_page(settings: Settings, need: Callable[[str], str]) -> None:
    pdf = hardening_evidence(settings, evidence(*map(control, range(65))))
    text = subprocess.run([need("pdftotext"), "-layout", "-", "-"], input=pdf, capture_output=True, check=True).stdout
    pages = text.decode().rstrip("\f\n").split("\f")
    assert 2 <= len(pages) <= 6
    assert all("Sebelum" in page for page in pages)


def test_an_exception_is_told_with_its_reason_its_approver_and_its_end(
    printed: Callable[[dict[str, Any]], str],
) -> None:
    text = printed(evidence(*(control(number, waiver=WAIVER, status="dikecualikan") for number in range(30))))
    assert "Pengecualian (30)" in text
    for number in range(30):
        assert f"CIS 5.1.{number} dipakai aplikasi antrean kasie-infrastruktur 2027-06-30" in text


def test_the_same_evidence_makes_the_same_bytes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first = hardening_evidence(settings, evidence(control()))
    monkeypatch.setenv("TZ", "America/Lima")
    assert hardening_evidence(settings, evidence(control())) == first


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_printed_as_it_is(text: str, printed: Callable[[dict[str, Any]], str]) -> None:
    waiver = {"reason": text, "approved_by": text, "expires": text}
    names: tuple[str, ...] = ("id", "lynis", "topic", "title", "before", "after", "status")
    told = evidence(
        control(1, waiver=waiver, **dict.fromkeys(names, text)), server=text, profile=text, summary={text: text}
    )
    assert printed(told).count(text) >= len(names) + len(waiver) + 3


def test_control_characters_are_escaped(printed: Callable[[dict[str, Any]], str]) -> None:
    assert "a\\x1b[31m b\\u202ec" in printed(evidence(control(before="a\x1b[31m\nb\u202ec")))


def test_values_and_their_number_are_bounded(settings: Settings, need: Callable[[str], str]) -> None:
    controls = [control(number, before="W" * 100_000) for number in range(2)]
    controls += [control(number) for number in range(2, MOST_CONTROLS + 7)]
    pdf = hardening_evidence(settings, evidence(*controls, server="W" * 5000, summary={"W" * 5000: "W" * 5000}))
    text = read_pdf(pdf, need)
    assert "dan 7 lainnya" in text
    assert f"Kontrol nomor {MOST_CONTROLS - 1}" in text
    assert f"Kontrol nomor {MOST_CONTROLS}" not in text
    assert len(pdf) < 2_000_000
    assert max(edges(pdf, need)) <= LAST_COLUMN


def test_what_was_not_read_is_a_dash(printed: Callable[[dict[str, Any]], str]) -> None:
    text = printed({"taken_at": "2026-11-24T02:00:00+00:00", "controls": [{}]})
    assert "Server: -" in text


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=st.characters(), max_size=60))
def test_no_text_at_all_breaks_the_evidence(text: str, settings: Settings) -> None:
    told = evidence(control(before=text, topic=text, id=text), server=text, summary={text: text})
    assert hardening_evidence(settings, told).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"taken_at": "kemarin"}, "`taken_at` is not a moment"),
        ({"taken_at": None}, "`taken_at` is not a moment"),
        ({"taken_at": "2026-11-24T02:00:00"}, "`taken_at` has no time zone"),
        ({"controls": None}, "`controls` is not a list of objects"),
        ({"controls": ["x"]}, "`controls` is not a list of objects"),
        ({"controls": [{"waiver": "ya"}]}, "a `waiver` is not an object"),
        ({"summary": ["x"]}, "`summary` is not an object"),
    ],
)
def test_evidence_of_another_shape_is_refused_in_one_line(
    changes: dict[str, Any], told: str, settings: Settings
) -> None:
    with pytest.raises(BadInput, match=f"^evidence of hardening: {told}"):
        hardening_evidence(settings, evidence(**changes))
