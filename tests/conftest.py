"""What every test may ask for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

# Loaded before the first test: its plugin would load it after the last one, and CPython 3.11's parser fails when a
# collection of garbage in the middle of such a late import parses something itself.
import hypothesis  # noqa: F401
import pytest

from tests.starts.client import SERVER

IN_CI = os.environ.get("CI") == "true"


def need_or_skip(*, missing: str) -> None:
    """Skip by name on a laptop; fail in CI, where nothing may be missing."""
    if IN_CI:
        pytest.fail(f"CI lacks what this test needs: {missing}")
    pytest.skip(f"needs {missing}")


@pytest.fixture(autouse=True)
def _start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands of a test in the lab, where a network is another one, and of a test that says so be no forks."""
    if any(request.node.get_closest_marker(name) for name in ("lab", "real_start")):
        monkeypatch.setattr(SERVER, "really", True)


@pytest.fixture(scope="session")
def need() -> Callable[[str], str]:
    """Return a function that gives the path of a program, or ends the test by name when it is missing."""

    def find(program: str) -> str:
        path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if path is None:
            need_or_skip(missing=program)
        assert path is not None
        return path

    return find
