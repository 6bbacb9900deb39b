"""JSON that anybody may have written: the same data as JSON says, with the line of each part."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sopauto.data_file import is_text, parse_document
from sopauto.errors import BadInput

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS.filter(str.isprintable), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("name", ["surat.json", "surat.yaml"])
def test_an_escaped_emoji_is_the_emoji(name: str) -> None:
    text = json.dumps({"perihal": "server 😀", "opd": "D"}, indent=1)
    assert "\\ud83d\\ude00" in text
    data, line_of = parse_document(text.encode(), name)
    assert data == {"perihal": "server 😀", "opd": "D"}
    assert line_of("opd") == 3


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_any_json_is_read_as_json_reads_it(value: object, indent: object, escaped: bool) -> None:
    text = json.dumps({"a": value}, indent=indent, ensure_ascii=escaped)  # type: ignore[arg-type]
    assert parse_document(text.encode(), "x.json")[0] == {"a": value}


def test_each_part_has_its_line() -> None:
    text = b'{\n "a": "x \\" , { [",\n\t"b": [1,\n  {"c": null}],\n "d": -2.5e3\n}'
    line_of = parse_document(text, "x.json")[1]
    places = [("a",), ("b",), ("b", 0), ("b", 1, "c"), ("d",)]
    assert [line_of(*place) for place in places] == [2, 3, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": "\\ud83d"}', "x.json:1: half of a character"),
        ('{\n"\\ude00": 1}', "x.json:2: half of a character"),
        ('{"a": 1, "a": 2}', "a key stands twice"),
        ('{"": 1}', "a key is empty"),
        ("[" * 40 + "]" * 40, "nested deeper"),
        ("[" * 100_000, "malformed JSON"),
        ('{"a": NaN}', "NaN is no JSON"),
        ("[" + "1," * 60_000 + "1]", "more than 50000 parts"),
    ],
)
def test_what_is_not_sound_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told.replace("(", "\\(")):
        parse_document(text.encode(), "x.json")


def test_half_a_character_in_yaml_is_told() -> None:
    with pytest.raises(BadInput, match="malformed YAML"):
        parse_document(b'a: "\\ud83d"', "x.yaml")


def test_bytes_of_another_encoding_are_no_text() -> None:
    assert is_text("café 😀")
    assert not is_text("caf\udce9")
