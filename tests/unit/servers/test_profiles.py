"""Profiles and waivers: an agency's own data that becomes lines of a server's settings."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sopauto.errors import BadInput
from sopauto.servers.profiles import Profile, Profiles
from sopauto.technical.variables import refuse_unread


def read(root: Path, **values: Any) -> Profile:
    (root / "profiles").mkdir(exist_ok=True)
    (root / "profiles" / "uji.yaml").write_text(json.dumps({"title": "Uji", **values}))
    return Profiles(root).get("uji")


@pytest.mark.parametrize("text", ["{{ 7 * 7 }} {% raw %}", "$(id) `id`", "baris satu\nbaris dua", '"; exit'])
def test_a_banner_is_what_was_written(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, hardening={"banner": text}).hardening["banner"] == text


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"title": "a\x1b[31mb"}, "\\x1b"),
        ({"package_sources": ["deb http://x bookworm main\ndeb http://y ./"]}, "\\n"),
        ({"ntp": ["a\n[Service]"]}, "ntp.0"),
        ({"ntp": ["{{ lookup('pipe', 'id') }}"]}, "ntp.0"),
        ({"packages": ["--allow-unauthenticated"]}, "packages.0"),
        ({"packages": ["{{ 1 }}"]}, "packages.0"),
        ({"log_host": 'a" action'}, "log_host"),
        ({"hardening": {"banner": "a\x00"}}, "\\x00"),
        ({"hardening": {"ssh_extra": {"x": "no\npermitrootlogin yes"}}}, "\\n"),
        ({"hardening": {"ssh_extra": {"x\npermitrootlogin": "yes"}}}, "control characters"),
        ({"hardening": {"today": "2020-01-01"}}, "'today' is not set here"),
        ({"hardening": {"waivers": []}}, "'waivers' is not set here"),
        ({"hardening": {"a b": 1}}, "no variable of the role"),
        ({"credentials": "../x"}, "credentials"),
    ],
)
def test_what_a_file_of_the_server_cannot_hold_is_refused_by_its_field(
    tmp_path: Path, values: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadInput) as error:
        read(tmp_path, **values)
    assert told in str(error.value)
    assert str(error.value).isprintable()


def test_a_reason_of_several_lines_is_read_as_one(tmp_path: Path) -> None:
    waiver = {"server": "s", "control": "1", "reason": "satu\n dua", "approved_by": "Kasi", "expires": "2030-01-01"}
    (tmp_path / "waivers.yaml").write_text(json.dumps([waiver]))
    (found,) = Profiles(tmp_path).waivers("s", date(2026, 1, 1))
    assert found.reason == "satu dua"


def test_a_variable_that_nothing_reads_is_refused_with_the_nearest_that_is_read() -> None:
    files = {"playbooks/p.yml": b"src: {{ time_zone | default('x') }}"}
    refuse_unread(["time_zone"], files, where="p")
    with pytest.raises(BadInput, match="did you mean 'time_zone'"):
        refuse_unread(["time_zon"], files, where="p")
