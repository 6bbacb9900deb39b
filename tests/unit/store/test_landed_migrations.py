"""Migrations that landed are frozen: a database somewhere has run them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
VERSIONS = ROOT / "sopauto" / "store" / "migrations" / "versions"
LANDED = ROOT / "tests" / "migration" / "landed.sha256"
NEVER = "a landed migration is never edited, renamed or removed: bring it back, and write a new file"
ADD = (
    f"a new migration is finished by adding its line: cd {VERSIONS.relative_to(ROOT)} && "
    f"sha256sum NAME >> {LANDED.relative_to(ROOT)} (see tests/migration/README.md)"
)


def landed() -> dict[str, str]:
    """Return the digest of each landed migration by the file's name."""
    lines = [line.split() for line in LANDED.read_text().splitlines()]
    return {name: digest for digest, name in lines}


def test_no_landed_migration_was_edited_renamed_or_removed() -> None:
    for name, digest in landed().items():
        path = VERSIONS / name
        assert path.is_file(), f"{name} is gone: {NEVER}"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, f"{name} is another text: {NEVER}"


def test_each_migration_is_listed_as_landed() -> None:
    unlisted = {path.name for path in VERSIONS.glob("*.py")} - landed().keys()
    assert not unlisted, f"{', '.join(sorted(unlisted))}: {ADD}"


def test_each_migration_has_its_own_number_and_follows_the_one_before() -> None:
    names = sorted(path.stem for path in VERSIONS.glob("[0-9]*.py"))
    assert [name.partition("_")[0] for name in names] == [f"{number:04}" for number in range(1, len(names) + 1)]
    for before, name in zip([None, *names], names, strict=False):
        text = (VERSIONS / f"{name}.py").read_text()
        assert re.search(f'^revision = "{name}"$', text, re.M), name
        follows = f'"{before}"' if before else "None"
        assert re.search(f"^down_revision = {follows}$", text, re.M), f"{name} has to follow {before}"
