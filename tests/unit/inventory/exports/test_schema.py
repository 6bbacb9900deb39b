"""Schemas of other systems: a document that does not fit is told in one line, and nothing is fetched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sopauto.errors import BadInput
from sopauto.inventory.exports.schema import Schema, load_schema

SCHEMA = {"type": "object", "properties": {"content": {"type": "array", "items": {"type": "integer"}}}}


def test_what_fits_passes() -> None:
    Schema(SCHEMA, "glpi.json").refuse_unfit({"content": [1, 2]}, name="web-01")


def test_what_does_not_fit_is_told_with_its_place() -> None:
    with pytest.raises(BadInput) as refused:
        Schema(SCHEMA, "glpi.json").refuse_unfit({"content": [1, "two\x1b[0m"]}, name="web-01")
    assert (
        str(refused.value) == "web-01: content/1: 'two\\x1b[0m' is not of type 'integer'; glpi.json does not take that"
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"type": "nothing"}, "is no JSON schema"),
        ([1], "is no JSON schema"),
        ({"$ref": "https://192.0.2.1/other.json"}, "which does not stand in it"),
        ({"$ref": "#/definitions/lost"}, "which does not stand in it"),
        ({"$ref": "#"}, "refers to itself"),
    ],
)
def test_a_file_that_is_no_whole_schema_is_refused(tmp_path: Path, content: Any, told: str) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(content))
    with pytest.raises(BadInput, match=told):
        load_schema(path).refuse_unfit({}, name="web-01")
