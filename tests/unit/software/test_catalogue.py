"""The catalogue: entries and settings that are sound, and those that are refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sopauto.errors import BadInput
from sopauto.software.chosen import render
from sopauto.software.shelf import Shelf, read_entry
from sopauto.software.source import check_source

ENTRY: dict[str, Any] = {
    "title": "Agenda",
    "versions": ["1.0"],
    "licence": "MIT",
    "source": {"packages": ["agenda"]},
    "services": ["agenda"],
    "tests": [{"service": "agenda"}, {"http": "http://127.0.0.1:${port}/", "contains": "agenda"}],
    "configuration": {
        "settings": {
            "port": {"type": "number", "label": "Port", "default": 8080, "minimum": 1024},
            "name": {"type": "host", "label": "Nama", "default": "localhost"},
            "title": {"type": "text", "label": "Judul", "default": "Agenda"},
            "log": {"type": "flag", "label": "Catat", "default": False},
            "mode": {"type": "choice", "label": "Mode", "default": "fast", "choices": ["fast", "safe"]},
            "folder": {"type": "path", "label": "Folder", "default": "/srv/agenda"},
        },
        "templates": [{"template": "agenda.conf.j2", "path": "/etc/agenda.conf"}],
    },
}


def put(folder: Path, **changes: Any) -> Path:
    entry = folder / "agenda"
    entry.mkdir(parents=True, exist_ok=True)
    (entry / "software.yaml").write_text(json.dumps({**ENTRY, **changes}, indent=1))
    (entry / "agenda.conf.j2").write_text("port {{ port }}\nname {{ name }}\n")
    return entry


def test_every_shipped_entry_is_sound_with_its_archive_and_signature() -> None:
    entries = list(Shelf().all())
    assert len(entries) == 12
    for entry in entries:
        check_source(entry)


def test_an_agencys_entry_adds_or_wins(tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / "nginx").mkdir()
    own = json.dumps({**ENTRY, "title": "Ours", "configuration": {}, "tests": [{"service": "nginx"}]})
    (tmp_path / "nginx" / "software.yaml").write_text(own)
    shelf = Shelf(tmp_path)
    assert "agenda" in shelf.names()
    assert shelf.get("nginx").software.title == "Ours"


def test_tests_and_files_hold_the_settings(tmp_path: Path) -> None:
    entry = read_entry(put(tmp_path))
    settings = entry.settings({"port": 9090}, "x.yaml")
    assert entry.tests(settings)[1]["http"] == "http://127.0.0.1:9090/"
    assert entry.files(settings)[0]["content"] == "port 9090\nname localhost\n"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"surprise": 1}, "unknown key"),
        ({"tests": []}, "tests"),
        ({"tests": [{"service": "a", "port": "80/tcp"}]}, "exactly one of"),
        ({"tests": [{"http": "http://127.0.0.1:${prot}/"}]}, "${prot}, which is no setting"),
        ({"tests": [{"command": "reboot"}]}, "tests.0.command"),
        ({"source": {}}, "names nothing to install"),
        ({"source": {"packages": ["a b"]}}, "source.packages.0"),
        ({"data": ["/"]}, "data.0"),
        ({"data": ["/var"]}, "no directory of one software"),
        ({"services": ["a; reboot"]}, "services.0"),
        ({"requires": {"ports": ["http"]}}, "requires.ports.0"),
        ({"configuration": {"templates": [{"template": "../x", "path": "/etc/x"}]}}, "leads out of the entry"),
        ({"configuration": {"templates": [{"template": "x", "path": "/etc/../x"}]}}, "no absolute path"),
        ({"configuration": {"templates": [{"template": "none.j2", "path": "/etc/x"}]}}, "cannot be read"),
    ],
)
def test_an_entry_that_is_not_sound_is_one_line(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    if "configuration" in changes:
        changes["tests"] = [{"service": "agenda"}]
    with pytest.raises(BadInput) as refused:
        read_entry(put(tmp_path, **changes))
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "software.yaml" in str(refused.value) or "none.j2" in str(refused.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"prot": 1}, "did you mean 'port'?"),
        ({"port": "80"}, "is no such number"),
        ({"port": True}, "is no such number"),
        ({"port": 70000}, "from 1024 to 65535"),
        ({"name": "a b"}, "may not hold"),
        ({"name": "$(id)"}, "may not hold"),
        ({"title": "{{ 7*7 }}"}, "may not hold"),
        ({"title": "a\nb"}, "may not hold"),
        ({"title": "x" * 201}, "too long"),
        ({"title": 7}, "is no text"),
        ({"log": "yes"}, "is no flag"),
        ({"mode": "slow"}, "write one of: fast, safe"),
        ({"folder": "srv; reboot"}, "may not hold"),
        ([], "is not a mapping"),
    ],
)
def test_a_setting_that_is_not_sound_is_one_line(tmp_path: Path, given: Any, told: str) -> None:
    entry = read_entry(put(tmp_path))
    with pytest.raises(BadInput) as refused:
        entry.settings(given, "settings/agenda.yaml")
    assert told in str(refused.value)
    assert str(refused.value).isprintable()


def test_what_a_setting_holds_is_not_looked_at_again() -> None:
    assert render("{{ a }}", {"a": "{{ 7*7 }} {% raw %} ${b}"}, "x") == "{{ 7*7 }} {% raw %} ${b}"


@pytest.mark.parametrize("template", ["{{ missing }}", "{% for", "{{ ''.__class__.__mro__ }}", "{{ 1/0 }}"])
def test_a_template_that_does_not_work_is_one_line(template: str) -> None:
    with pytest.raises(BadInput, match="the template does not work"):
        render(template, {}, "x.j2")


def test_a_file_that_a_link_leads_out_of_the_entry_is_refused(tmp_path: Path) -> None:
    entry = put(tmp_path)
    (entry / "agenda.conf.j2").unlink()
    (entry / "agenda.conf.j2").symlink_to("/etc/passwd")
    with pytest.raises(BadInput, match="leads out of the entry"):
        read_entry(entry)


def test_an_unknown_entry_names_the_known() -> None:
    with pytest.raises(BadInput, match="known: apache-php, chrony"):
        Shelf().get("../nginx")
