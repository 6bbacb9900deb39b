"""Each fragment of the changelog is one that a release can take in."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "changelog.d"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]
KINDS = [kind["directory"] for kind in SETTINGS["type"]]
NAME = re.compile(rf"[a-z0-9]+(-[a-z0-9]+)*\.({'|'.join(KINDS)})\.md")
WIDTH = 120


def fragments() -> list[Path]:
    return [path for path in sorted(FOLDER.iterdir()) if path.name not in {"README.md", *SETTINGS["ignore"]}]


def faults(path: Path) -> list[str]:
    """Return what keeps a fragment out of the changelog."""
    text = path.read_text()
    checks = {
        f"its name is not name.({'|'.join(KINDS)}).md": NAME.fullmatch(path.name),
        "it does not begin with a capital, a backquote or a number": re.match(r"[A-Z`0-9]", text),
        "it does not end with a full stop and one end of line": re.search(r"[^\s]\.\n\Z", text),
        "it holds an empty line": "\n\n" not in text,
        "it is a list or has a heading": not re.search(r"^\s*([-*#])\s", text, re.MULTILINE),
        f"a line is longer than {WIDTH}": all(len(line) <= WIDTH for line in text.splitlines()),
    }
    return [fault for fault, well in checks.items() if not well]


def test_every_fragment_is_well_formed() -> None:
    assert {path.name: faults(path) for path in fragments() if faults(path)} == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("doctor.news.md", "A sentence.\n"),
        ("Doctor Versions.added.md", "A sentence.\n"),
        ("doctor.added.md", "no capital.\n"),
        ("doctor.added.md", "No full stop\n"),
        ("doctor.added.md", "A list:\n- of one.\n"),
        ("doctor.added.md", "Two.\n\nParagraphs.\n"),
        ("doctor.added.md", f"Long {'x' * WIDTH}.\n"),
    ],
)
def test_a_fragment_that_is_not_is_found(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert len(faults(tmp_path / name)) == 1


def test_towncrier_makes_a_section_of_them() -> None:
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "0.0.0", "--date", "2026-01-01"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "## 0.0.0 (2026-01-01)" in ended.stdout
    for path in fragments():
        assert path.read_text().splitlines()[0] in ended.stdout
