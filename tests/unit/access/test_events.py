"""Reading a controller's event file."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sopauto.access.events import read_events
from sopauto.access_settings import Access, Events, Zone
from sopauto.errors import BadInput

JAKARTA = ZoneInfo("Asia/Jakarta")
ACCESS = Access(zones={"ruang-server": Zone(title="Ruang Server")}, events=Events(zones={"RDR-1": "ruang-server"}))
HEAD = "waktu,kartu,zona\n"


def read(path: Path, text: str | bytes, access: Access = ACCESS) -> list[object]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_events(path, access, JAKARTA))


def test_moments_are_the_offices_and_readers_become_zones(tmp_path: Path) -> None:
    [one, two] = read(
        tmp_path / "e.csv", HEAD + "2026-11-24 00:30:00, KA-1 ,RDR-1\n2026-11-23T20:00:00Z,KA-2,ruang-server\n"
    )
    assert (one.day, one.card, one.zone) == (date(2026, 11, 24), "KA-1", "ruang-server")  # type: ignore[attr-defined]
    assert (two.day, two.at.tzinfo is not None) == (date(2026, 11, 24), True)  # type: ignore[attr-defined]


def test_a_vendors_own_columns_and_moments(tmp_path: Path) -> None:
    events = Events(delimiter=";", at="TIME", card="ID", zone="GATE", time_format="%d/%m/%Y %H:%M")
    access = ACCESS.model_copy(update={"events": events})
    [event] = read(tmp_path / "e.csv", "ID;GATE;TIME;NAME\nKA-1;ruang-server;24/11/2026 08:15;Siti\n", access)
    assert event.at == datetime(2026, 11, 24, 8, 15, tzinfo=JAKARTA)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", r"e.csv:1: there is no column 'kartu'"),
        ("", "there is no column"),
        (HEAD + "gestern,KA-1,RDR-1\n", r"e.csv:2: 'gestern' is no moment"),
        (HEAD + "2026-11-24 08:00,,RDR-1\n", "no card number"),
        (HEAD + "2026-11-24 08:00,KA-\x1b[31m,RDR-1\n", "no card number"),
        (HEAD + f"2026-11-24 08:00,{'9' * 41},RDR-1\n", "no card number"),
        (HEAD + "2026-11-24 08:00,KA-1,RDR-9\n", r"e.csv:2: there is no zone 'RDR-9'"),
        (HEAD + "2026-11-24 08:00\n", "no card number"),
        (HEAD + '2026-11-24 08:00,"' + "x" * 200_000, "malformed CSV"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_what_is_no_event_file_is_refused_with_its_line(tmp_path: Path, text: str | bytes, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        read(tmp_path / "e.csv", text)


def test_no_file_and_a_pipe_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a regular file"):
        list(read_events(tmp_path / "none", ACCESS, JAKARTA))
