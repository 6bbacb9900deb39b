"""Sections come back as they were kept, whatever stood before them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sopauto.inventory.kept.packing import pack, read, unpack, write
from sopauto.inventory.kept.sections import join, split
from tests.unit.inventory.reading.test_snapshot import recorded

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PACKAGES = st.lists(st.fixed_dictionaries({"name": WORDS, "version": WORDS}), max_size=12)
OTHERS = st.dictionaries(WORDS, st.one_of(st.integers(), WORDS, st.none()), max_size=4)
SECTIONS = st.one_of(PACKAGES.map(lambda found: {"packages_count": len(found), "packages": found}), OTHERS)


@given(SECTIONS, SECTIONS)
def test_a_section_packed_against_another_comes_back(section: Any, former: Any) -> None:
    content, base = write(section), write(former)
    assert unpack(pack(content, base), base) == content
    assert unpack(pack(content, None), None) == content
    assert read(content) == section


def test_ten_updates_among_a_thousand_packages_cost_a_few_hundred_bytes() -> None:
    old = [{"name": f"package-{i}", "version": f"1.{i}-{i % 7}"} for i in range(1000)]
    new = [{**one, "version": "2.0-1"} if i % 100 == 7 else one for i, one in enumerate(old)]
    base, content = (write({"packages_count": 1000, "packages": packages}) for packages in (old, new))
    assert len(pack(content, base)) < 300 < len(pack(content, None))


def test_a_snapshot_is_the_sum_of_its_sections() -> None:
    snapshot = recorded("debian")
    assert join(split(snapshot), snapshot["taken_at"]) == snapshot
