"""The page of all settings is what the models that read the file say."""

from __future__ import annotations

from pathlib import Path

from sopauto.cli.settings_page import settings_page

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_page_tells_every_key_with_its_default() -> None:
    assert PAGE.read_text() == settings_page(), "run `inv workspace.settings > docs/settings.md`"


def test_a_key_stands_in_its_table_with_bounds_and_default() -> None:
    page = settings_page()
    custody = page[page.index("## `[custody]`") :]
    assert "| `unused_vlan` | whole number, from 1, up to 4094 | `999` |" in custody
    assert "## `[access.doors.NAME]`" in page
    assert "`root`" not in page
