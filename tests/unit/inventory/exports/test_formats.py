"""Each format is tried by the suite of all exports."""

from __future__ import annotations

from importlib import import_module

import pytest

from sopauto.inventory.exports.formats import FORMATS
from tests.unit.inventory.exports.suite import ExportSuite


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_runs_the_suite(name: str) -> None:
    tested = vars(import_module(f"tests.unit.inventory.exports.test_{name}")).values()
    suites = [one for one in tested if isinstance(one, type) and issubclass(one, ExportSuite) and one != ExportSuite]
    assert [suite.export for suite in suites] == [FORMATS[name]]
