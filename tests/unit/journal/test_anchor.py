"""Anchors as text: the same bytes for the same state, and nothing but an anchor is read as one."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sopauto.errors import BadInput
from sopauto.journal.anchor import Anchor, Mark, read_anchor, write_anchor

MARKS = tuple(
    Mark(ticket=f"PS-2026-{number:04}", opening=f"{number:064}", entries=number, head="a" * 64, row="penitipan.2")
    for number in (1, 2)
)
ANCHOR = Anchor(at=datetime(2026, 11, 26, 9, tzinfo=UTC), person="hadi", openings="b" * 64, people=None, marks=MARKS)
HEAD, FIRST, SECOND = write_anchor(ANCHOR).decode().splitlines()


def changed(line: str, **values: object) -> str:
    return json.dumps(json.loads(line) | values)


def test_an_anchor_comes_back_as_it_was_written() -> None:
    assert read_anchor(write_anchor(ANCHOR), "a") == ANCHOR
    assert write_anchor(read_anchor(write_anchor(ANCHOR), "a")) == write_anchor(ANCHOR)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["no anchor"],
        ["[]"],
        ["{}"],
        [FIRST],
        [HEAD],
        [HEAD, FIRST],
        [HEAD, FIRST, SECOND, SECOND],
        [HEAD, HEAD, FIRST],
        [HEAD, "", FIRST],
        ["[" * 100_000],
        [changed(HEAD, anchor=2), FIRST, SECOND],
        [changed(HEAD, at="yesterday"), FIRST, SECOND],
        [changed(HEAD, at="2026-11-26T09:00:00"), FIRST, SECOND],
        [changed(HEAD, at=None), FIRST, SECOND],
        [changed(HEAD, openings="b"), FIRST, SECOND],
        [changed(HEAD, person=["hadi"]), FIRST, SECOND],
        [changed(HEAD, people=7), FIRST, SECOND],
        [HEAD, FIRST, changed(SECOND, entries=0)],
        [HEAD, FIRST, changed(SECOND, entries="2")],
        [HEAD, FIRST, changed(SECOND, head="A" * 64)],
        [HEAD, FIRST, changed(SECOND, row=None)],
        [HEAD, FIRST, changed(SECOND, more=1)],
    ],
)
def test_what_is_no_anchor_is_bad_input(lines: list[str]) -> None:
    with pytest.raises(BadInput):
        read_anchor("\n".join(lines).encode(), "anchor")


def test_bytes_that_are_no_text_are_bad_input() -> None:
    with pytest.raises(BadInput):
        read_anchor(b"\xff\x00\n", "anchor")
