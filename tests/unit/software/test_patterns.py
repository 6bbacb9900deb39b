"""Patterns that an agency writes cannot hold a command."""

from __future__ import annotations

import pytest

from sopauto.software.patterns import LONGEST, fits, refuse_unusable


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+b", "a" * 4000),
        ("(a|a)*b", "a" * 4000),
        ("(.*)*(.*)*(.*)*x", "a" * 4000),
        ("a*" * 100 + "b", "a" * 4000),
    ],
)
def test_a_pattern_that_would_be_tried_for_ever_is_answered(pattern: str, text: str) -> None:
    assert not fits(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text", "sound"),
    [
        ("[a-z]+", "abc", True),
        ("[a-z]+", "abc\n", False),
        ("[a-z]+", "xabc1", False),
        ("a|b", "ab", False),
        ("a|b", "b", True),
        (r"[A-Za-z0-9 ._:/@+=-]*", "", True),
    ],
)
def test_the_whole_text_has_to_fit(pattern: str, text: str, sound: bool) -> None:
    assert fits(pattern, text) is sound


@pytest.mark.parametrize("pattern", ["(", "a)|(?:b", r"(a)\1", "(?=a)", "a{1000}{1000}{1000}", "x" * (LONGEST + 1)])
def test_a_pattern_that_cannot_be_matched_so_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        refuse_unusable(pattern)
