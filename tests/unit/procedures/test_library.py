"""The shipped SOPs: sound, complete, and as the paper counts them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import timedelta
from pathlib import Path

import pytest

from sopauto.errors import BadInput
from sopauto.procedures.check import total
from sopauto.procedures.draw import draw
from sopauto.procedures.library import Library
from sopauto.procedures.load import load
from sopauto.procedures.model import StepKind
from sopauto.procedures.show import as_json, show
from sopauto.tickets.duties import positions_for
from sopauto.tickets.model import Verb

LIBRARY = Library(())
SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {
    # code: rows, actors, decisions
    "pemasangan-server": (19, 7, 4),
    "penitipan-server": (20, 5, 2),
    "pengembalian-server": (11, 5, 1),
    "instalasi-piranti-lunak": (13, 3, 6),
    "akses-ruang-server": (10, 5, 1),
}


def test_every_shipped_sop_is_sound() -> None:
    assert LIBRARY.findings() == []
    assert len(LIBRARY.all()) == 7


@pytest.mark.parametrize("code", SHAPES)
def test_rows_actors_and_decisions_are_those_of_the_paper(code: str) -> None:
    procedure = LIBRARY.get(code)
    rows, actors, decisions = SHAPES[code]
    assert len(procedure.steps) == rows
    assert len(procedure.actors) == actors
    assert sum(step.kind is StepKind.DECISION for step in procedure.steps) == decisions


def test_the_limits_of_003_add_up_to_its_own_total() -> None:
    procedure = LIBRARY.get("instalasi-piranti-lunak")
    assert procedure.head.total_time == "107 Menit"
    assert total(procedure) == (0, timedelta(minutes=107))


def test_the_ways_back_of_000_are_those_of_the_paper() -> None:
    procedure = LIBRARY.get("pemasangan-server")
    table = procedure.tables[0].id
    backs = {step.number: step.no for step in procedure.steps if step.kind is StepKind.DECISION}
    assert backs == {8: f"{table}.7", 9: f"{table}.7", 10: f"{table}.9", 11: f"{table}.10"}


def test_machine_work_stands_where_001_has_it() -> None:
    found = {
        step.id: step.technical.module
        for code in ("penitipan-server", "pengembalian-server")
        for step in LIBRARY.get(code).steps
        if step.technical
    }
    assert found == {
        "konfigurasi.1": "custody.connect",
        "konfigurasi.4": "custody.check",
        "konfigurasi.7": "inventory.collect",
        "pengembalian.5": "custody.disconnect",
    }


def test_machine_work_of_access_stands_where_004_and_its_two_procedures_have_it() -> None:
    found = {
        step.id: (step.technical.module, step.technical.approver)
        for code in ("akses-ruang-server", "penghapusan-akses", "review-akses")
        for step in LIBRARY.get(code).steps
        if step.technical
    }
    assert found == {
        "akses.7": ("access.grant", "kabid-infrastruktur"),
        "penghapusan.7": ("access.revoke", "kabid-infrastruktur"),
        "review.4": ("access.revoke", "kabid-infrastruktur"),
    }


def test_the_ways_back_and_the_machine_work_of_003_are_those_of_the_paper() -> None:
    steps = {step.number: step for step in LIBRARY.get("instalasi-piranti-lunak").steps}
    backs = {number: step.no for number, step in steps.items() if isinstance(step.no, str)}
    assert backs == {2: "instalasi.3", 4: "instalasi.1", 6: "instalasi.1", 7: "instalasi.8", 11: "instalasi.10"}
    assert steps[8].next == "instalasi.1"
    works = {number: step.technical.module for number, step in steps.items() if step.technical}
    assert works == {
        4: "software.check",
        5: "software.install",
        6: "software.run",
        7: "software.test",
        8: "software.remove",
        10: "software.configure",
        11: "software.verify",
    }


def test_an_unknown_code_names_the_nearest() -> None:
    with pytest.raises(BadInput, match="did you mean 'penitipan-server'"):
        LIBRARY.get("penitipan-servr")


def test_an_agencys_file_wins_and_its_faults_do_not_break_the_others(tmp_path: Path) -> None:
    shipped = LIBRARY.source(LIBRARY.get("penitipan-server")).decode()
    (tmp_path / "own.yaml").write_text(shipped.replace("awalan: PS", "awalan: TS"))
    (tmp_path / "broken.yaml").write_text("kode: rusak\ntabel: [")
    library = Library((tmp_path,))
    assert library.get("penitipan-server").prefix == "TS"
    assert "malformed YAML" in str(library.findings()[0])
    assert len(library.all()) == 7
    with pytest.raises(BadInput, match="malformed YAML"):
        library.get("rusak")


@pytest.mark.parametrize("code", LIBRARY.codes())
def test_the_table_is_printed_with_every_row_and_within_its_width(code: str) -> None:
    procedure = LIBRARY.get(code)
    text = show(procedure, width=120)
    assert max(map(len, text.splitlines())) <= 121
    flat = "".join(text.split())
    for step in procedure.steps:
        assert f"{step.number}" in text
        first_words = "".join(step.text.split()[:1])
        assert first_words in flat
    assert as_json(procedure)["code"] == code


@pytest.mark.parametrize("code", LIBRARY.codes())
def test_the_flowchart_is_svg_with_a_symbol_per_row_and_a_column_per_actor(code: str) -> None:
    procedure = LIBRARY.get(code)
    root = ET.fromstring(draw(procedure))
    classes = [element.get("class") for element in root.iter()]
    decisions = sum(step.kind is StepKind.DECISION for step in procedure.steps)
    assert classes.count("decision") == decisions
    starts = sum(step.id == procedure.start and step.kind is StepKind.PROCESS for step in procedure.steps)
    assert classes.count("process") == len(procedure.steps) - decisions - starts
    columns = sum(
        len({actor for step in procedure.steps if step.table == table.id for actor in step.actors})
        for table in procedure.tables
    )
    assert classes.count("actor") == columns
    assert classes.count("arrow") + classes.count("connector") >= len(procedure.steps)


def test_text_in_a_flowchart_is_escaped() -> None:
    source = LIBRARY.source(LIBRARY.get("penitipan-server")).decode()
    hostile = source.replace("Menerima surat permohonan penitipan server", "<script>alert(1)</script> & co", 1)
    assert hostile != source
    drawn = draw(load(hostile.encode(), "x.yaml"))
    ET.fromstring(drawn)
    assert "<script>" not in drawn


def test_the_example_in_the_documentation_is_sound() -> None:
    text = (Path(__file__).parents[3] / "docs" / "procedures.md").read_text()
    source = text.partition("```yaml\n")[2].partition("```")[0]
    from sopauto.procedures.check import check
    from sopauto.procedures.known import Known

    assert check(source.encode(), "example.yaml", Known()) == []


def own(folder: Path, name: str, *, code: str = "kode: review-akses") -> Path:
    """Write an agency's own version of the review into a folder."""
    folder.mkdir(exist_ok=True)
    shipped = next(path for path in LIBRARY.files() if path.name == "review_akses.yaml").read_text()
    path = folder / name
    path.write_text(shipped.replace("kode: review-akses", code))
    return path


@pytest.mark.parametrize("code", ["kode: review-akses", '"kode": "review-akses"', "kode:   'review-akses' # baru"])
def test_two_files_of_the_agency_with_one_code_are_refused_with_both_names(tmp_path: Path, code: str) -> None:
    first, second = own(tmp_path, "a.yaml"), own(tmp_path, "b.yml", code=code)
    library = Library((tmp_path,))
    for path, other in ((first, second), (second, first)):
        [finding] = library.check(path)
        assert finding.what == f"'review-akses' is the code of {other} too"
        assert finding.line in {1, 3}
    assert len(library.findings()) == 2
    with pytest.raises(BadInput, match=r"a\.yaml.*b\.yml too"):
        library.get("review-akses")
    assert "review-akses" not in [procedure.code for procedure in library.all()]


def test_two_files_in_two_folders_of_the_agency_are_refused_too(tmp_path: Path) -> None:
    own(tmp_path / "1", "a.yaml")
    own(tmp_path / "2", "a.yaml")
    with pytest.raises(BadInput, match="is the code of"):
        Library((tmp_path / "1", tmp_path / "2")).get("review-akses")


def test_one_own_file_replaces_the_shipped_one_and_a_draft_elsewhere_is_sound(tmp_path: Path) -> None:
    mine = own(tmp_path / "procedures", "mine.yaml")
    library = Library((tmp_path / "procedures",))
    assert library.get("review-akses").source == str(mine)
    assert library.findings() == []
    assert library.check(own(tmp_path / "drafts", "next.yaml")) == []
    assert len(library.all()) == 7


def test_a_procedure_without_applicants_is_cancelled_by_whose_row_1_is() -> None:
    procedure = LIBRARY.get("review-akses")
    assert not any(actor.applicant for actor in procedure.actors)
    assert positions_for(procedure, Verb.CANCEL, procedure.step("review.3")) == ("operator-ruang-server",)
    custody = LIBRARY.get("penitipan-server")
    assert positions_for(custody, Verb.CANCEL, custody.step("penitipan.7")) == ("unit-kerja-pemohon",)
