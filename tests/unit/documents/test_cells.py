"""Cells of a spreadsheet."""

from __future__ import annotations

import pytest

from sopauto.documents.cells import safe


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+62", "'+62"),
        ("-", "'-"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        (-5, -5),
        (None, ""),
        ("a=b", "a=b"),
    ],
)
def test_no_cell_is_a_formula(value: object, cell: object) -> None:
    assert safe(value) == cell
