"""What an agency sets about access."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sopauto.errors import BadInput
from sopauto.settings import load_settings

ZONES = '[access.zones.ruang-server]\ntitle = "Ruang Server"\n'


def load(home: Path, text: str) -> Any:
    (home / "sopauto.toml").write_text('[agency]\nname = "Kominfo"\n' + text)
    return load_settings(home).access


def test_files_are_those_of_the_workspace(tmp_path: Path) -> None:
    door = '[access.doors.a]\nkind = "csv"\nfile = "pintu.csv"\nzones = ["ruang-server"]\n'
    access = load(tmp_path, ZONES + door)
    assert access.doors["a"].file == tmp_path / "pintu.csv"
    assert access.card_key == tmp_path / "keys" / "kartu-akses.pem"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[access]\ncard_digits = 2\nlast_card = 100\nfirst_card = 1\n", "does not fit"),
        ("[access]\nfirst_card = 9\nlast_card = 8\n", "range of card numbers is empty"),
        ('[access]\ncard_prefix = "=A"\n', "card_prefix"),
        ("[access]\nzone = 1\n", r"access.zone: unknown key; did you mean 'zones'"),
        ('[access.zones."A B"]\ntitle = "x"\n', "'A B' is no name"),
        (ZONES + '[access.doors.a]\nkind = "csv"\nzones = ["ruang-server"]\n', "needs `file`"),
        (ZONES + '[access.doors.a]\nkind = "http"\nzones = ["ruang-server"]\n', "needs `url`"),
        (ZONES + '[access.doors.a]\nkind = "http"\nurl = "http://"\nzones = ["ruang-server"]\n', "is no address"),
        (ZONES + '[access.doors.a]\nkind = "http"\nurl = "http://a:x/"\nzones = ["ruang-server"]\n', "is no address"),
        (ZONES + '[access.doors.a]\nkind = "http"\nurl = "http://u:p@a/"\nzones = ["ruang-server"]\n', "without user"),
        (ZONES + '[access.doors.a]\nkind = "csv"\nfile = "x"\nzones = ["gudang"]\n', "names the zone 'gudang'"),
        (ZONES + '[access.doors.a]\nkind = "csv"\nfile = "x"\ntoken = "s"\nzones = ["gudang"]\n', "secrets"),
    ],
)
def test_what_is_not_sound_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        load(tmp_path, text)
