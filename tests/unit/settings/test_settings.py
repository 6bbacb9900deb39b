"""`sopauto.toml`: defaults, places, and faults in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sopauto.errors import BadInput
from sopauto.settings import load_settings

LEAST = '[agency]\nname = "Kominfo"\n'


def write(tmp_path: Path, text: str) -> Path:
    (tmp_path / "sopauto.toml").write_text(text)
    return tmp_path


@pytest.fixture(autouse=True)
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOPAUTO_HOME", raising=False)


def test_an_agency_is_all_that_must_be_stated(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, LEAST))
    assert settings.time_zone == "Asia/Jakarta"
    assert settings.database == f"sqlite:///{tmp_path / 'sopauto.db'}"
    assert settings.people == tmp_path / "people.yaml"
    assert settings.custody.unused_vlan == 999


def test_a_reminder_is_left_one_office_day_unless_stated(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, LEAST)).office.escalate_after == 1
    assert load_settings(write(tmp_path, f"{LEAST}[office]\nescalate_after = 0\n")).office.escalate_after == 0
    with pytest.raises(BadInput, match=r"office\.escalate_after"):
        load_settings(write(tmp_path, f"{LEAST}[office]\nescalate_after = -1\n"))


def test_it_is_found_from_a_directory_below(tmp_path: Path) -> None:
    write(tmp_path, LEAST)
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert load_settings(tmp_path / "a" / "b").root == tmp_path


def test_the_variable_names_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, LEAST)
    monkeypatch.setenv("SOPAUTO_HOME", str(tmp_path))
    assert load_settings().root == tmp_path


def test_without_a_workspace_it_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPAUTO_HOME", str(tmp_path))
    with pytest.raises(BadInput, match=r"workspace\.init"):
        load_settings()


def test_key_files_are_relative_to_the_file(tmp_path: Path) -> None:
    text = LEAST + '[credentials.switch]\nuser = "x"\nkey_file = "keys/switch"\n'
    assert load_settings(write(tmp_path, text)).credentials["switch"].key_file == tmp_path / "keys" / "switch"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "agency"),
        ("[agency\n", "malformed TOML"),
        (LEAST + "colour = 1\n", "unknown key"),
        ('time_zon = "x"\n' + LEAST, "did you mean 'time_zone'"),
        ('time_zone = "Asia/Trenggalek"\n' + LEAST, "unknown time zone"),
        (LEAST + '[mail]\nport = "x"\n', "mail.port"),
        (LEAST + '[mail]\npassword = "x"\n', "secrets do not belong into a file"),
        (LEAST + '[credentials.switch]\nuser = "x"\ntoken = "y"\n', "secrets do not belong into a file"),
        (LEAST + '[office.hours]\nfriday = ["08:00-12:00"]\n', "unknown day friday"),
        (LEAST + '[office.hours]\nsenin = ["12:00-08:00"]\n', "ends before it begins"),
        (LEAST + "[custody]\nunused_vlan = 5000\n", "custody.unused_vlan"),
    ],
)
def test_a_fault_is_one_line_with_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told) as caught:
        load_settings(write(tmp_path, text))
    assert "sopauto.toml" in str(caught.value)
    assert "\n" not in str(caught.value)
