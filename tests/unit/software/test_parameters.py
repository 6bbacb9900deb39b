"""What the modules of SOP 003 are given: from row 1, the catalogue, and the engineer's settings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sopauto.errors import BadInput, Refused
from sopauto.procedures.library import Library
from sopauto.software.parameters import software_parameters
from sopauto.software.shelf import Shelf
from sopauto.tickets.model import State, Ticket

PROCEDURE = Library(()).get("instalasi-piranti-lunak")
NOW = datetime(2026, 11, 21, tzinfo=UTC)
STATED = {"katalog": "status-page", "alamat_ip": "10.0.0.1", "sidik_kunci": "SHA256:" + "A" * 43}


def given(module: str, folder: Path, *, row: int = 5, **data: Any) -> dict[str, Any]:
    ticket = Ticket(
        id="PL-2026-0001",
        procedure=PROCEDURE.code,
        procedure_digest="",
        unit="dinkes",
        applicant="siti",
        letter={"nama_host": "server-01"},
        opened_at=NOW,
        state=State.OPEN,
        step=f"instalasi.{row}",
        since=NOW,
        data={**STATED, **data},
    )
    step = PROCEDURE.step(f"instalasi.{row}")
    return software_parameters(module, ticket, step, shelf=Shelf(), settings=folder)


def test_rows_4_to_8_are_given_the_same_so_that_one_plan_holds_for_them(tmp_path: Path) -> None:
    modules = {4: "software.check", 5: "software.install", 6: "software.run", 8: "software.remove"}
    found = [given(module, tmp_path, row=row) for row, module in modules.items()]
    assert found == [found[0]] * 4
    assert found[0]["port"] == 22
    assert found[0]["delete_data"] is False
    assert found[0]["units"][0]["path"] == "/etc/systemd/system/status-page.service"
    assert found[0]["paths"] == ["/etc/status-page.json"]


def test_tests_hold_the_defaults_until_row_9_names_settings(tmp_path: Path) -> None:
    (tmp_path / "halaman.yaml").write_text("port: 9191\n")
    before = given("software.test", tmp_path, row=7)
    after = given("software.verify", tmp_path, row=11, pengaturan="halaman")
    assert [test["http"] for test in before["tests"] if "http" in test] == ["http://127.0.0.1:8090/"]
    assert after["tests"][-1]["port"] == "9191/tcp"
    assert given("software.configure", tmp_path, pengaturan="halaman")["files"][0]["content"] == '{"port": 9191}\n'


@pytest.mark.parametrize("missing", sorted(STATED))
def test_what_row_1_has_not_stated_is_named(tmp_path: Path, missing: str) -> None:
    with pytest.raises(Refused, match=f"{missing} is not stated yet"):
        given("software.check", tmp_path, **{missing: ""})


@pytest.mark.parametrize("name", ["tidak-ada", "../halaman", "/etc/passwd"])
def test_settings_that_are_not_there_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "halaman.yaml").write_text("port: 9191\n")
    with pytest.raises(BadInput, match="known: halaman"):
        given("software.configure", tmp_path, pengaturan=name)
