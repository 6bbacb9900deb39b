"""The file for a vendor's own program: whole or a fault, and never begun anew."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sopauto.access.doors.by_csv import CsvDoor
from sopauto.access.doors.door import DoorCard
from sopauto.errors import BadInput, StepFailed
from tests.integration.doors.sites import CARD


def test_the_file_holds_each_card_once_and_two_writers_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "pintu" / "kartu.csv"
    cards = [
        DoorCard(card=f"KA-{n:02}", zones=("a", "b"), valid_from=CARD.valid_from, valid_until=None) for n in range(20)
    ]
    CsvDoor("belakang", file).begin()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda card: CsvDoor("belakang", file).put(card), cards))
    door = CsvDoor("belakang", file)
    door.put(cards[3])
    assert file.read_text().splitlines()[:2] == ["card,zones,valid_from,valid_until", "KA-00,a b,2026-11-23,"]
    assert [door.read(card.card) for card in cards] == cards
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda card: CsvDoor("belakang", file).remove(card.card), cards[1:]))
    assert len(file.read_text().splitlines()) == 2
    door.remove("KA-77")
    assert door.read("KA-77") is None


def test_a_spoiled_file_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "kartu.csv"
    file.write_text("card,zones,valid_from,valid_until\nKA-1,a,gestern,\n")
    with pytest.raises(StepFailed, match=r"kartu.csv: line 2 is no card"):
        CsvDoor("belakang", file).put(CARD)
    file.unlink()
    file.mkdir()
    with pytest.raises(StepFailed, match="cannot be read"):
        CsvDoor("belakang", file).read("KA-1")


HEADING = "card,zones,valid_from,valid_until\n"


@pytest.fixture
def back(tmp_path: Path) -> CsvDoor:
    """Return a door of three cards."""
    made = CsvDoor("belakang", tmp_path / "share" / "kartu.csv")
    made.begin()
    for number in range(1, 4):
        made.put(DoorCard(card=f"KA-{number}", zones=("a",), valid_from=CARD.valid_from, valid_until=None))
    return made


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "is not there; mount its share"),
        ("", "is empty"),
        (HEADING, "holds 0 cards where 3 were written"),
        (HEADING.strip(), "is cut"),
        (HEADING + "KA-1,a,2026-11-23,\n", "holds 1 cards where 3 were written"),
        (HEADING + "KA-1,a,2026-11-23,\nKA-2,a,20", "is cut"),
        ("KA-1,a,2026-11-23,\n", "has no heading"),
        ("<html>masuk</html>\n", "has no heading"),
        ("\0" * 64 + "\n", "has no heading"),
        (HEADING + "KA-1,a,2026-11-23\n", "line 2 is no card"),
        (HEADING + "KA-1,a,2026-11-23,,,\n", "line 2 is no card"),
        (HEADING + "KA-1,a,2026-11-23,\n" * 3, "stands there twice"),
        (HEADING + " KA-7 ,a,2026-11-23,\nKA-2,a,2026-11-23,\nKA-3,a,2026-11-23,\n", "line 2 is no card"),
        (HEADING + "KA-7\0,a,2026-11-23,\nKA-2,a,2026-11-23,\nKA-3,a,2026-11-23,\n", "line 2 is no card"),
    ],
)
def test_a_file_that_is_not_whole_says_of_no_card_that_it_is_gone(
    back: CsvDoor, tmp_path: Path, content: str | None, told: str
) -> None:
    file = tmp_path / "share" / "kartu.csv"
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    with pytest.raises(StepFailed, match=told):
        back.read("KA-7")
    with pytest.raises(StepFailed, match=told):
        back.put(CARD.__class__(card="KA-8", zones=("a",), valid_from=CARD.valid_from, valid_until=None))
    assert file.exists() is (content is not None)


@pytest.mark.parametrize(("kept", "asked"), [("ka-7", "KA-7"), ("77", "0077"), ("0077", "77")])
def test_a_card_that_another_program_wrote_otherwise_is_not_gone(tmp_path: Path, kept: str, asked: str) -> None:
    file = tmp_path / "kartu.csv"
    file.write_text(f"{HEADING}{kept},a,2026-11-23,\n")
    with pytest.raises(StepFailed, match=f"holds {kept} and not {asked}"):
        CsvDoor("belakang", file).read(asked)


def test_a_share_that_is_not_mounted_stays_as_it_is(tmp_path: Path) -> None:
    gone = CsvDoor("belakang", tmp_path / "share" / "kartu.csv")
    for act in (lambda: gone.read("KA-1"), lambda: gone.put(CARD), lambda: gone.remove("KA-1")):
        with pytest.raises(StepFailed, match="mount its share"):
            act()
    assert list(tmp_path.iterdir()) == []


def test_a_named_pipe_and_a_folder_hold_nobody_and_are_faults(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    for name in ("pipe.csv", "folder.csv"):
        with pytest.raises(StepFailed, match="cannot be read"):
            CsvDoor("belakang", tmp_path / name).read("KA-1")


def test_a_card_that_stands_in_an_old_copy_is_believed_and_can_be_removed(back: CsvDoor, tmp_path: Path) -> None:
    file = tmp_path / "share" / "kartu.csv"
    old = file.read_text()
    back.remove("KA-2")
    assert back.read("KA-2") is None
    file.write_text(old)
    assert back.read("KA-2") is not None
    back.remove("KA-2")
    assert back.read("KA-2") is None


def test_a_door_that_was_in_use_is_not_begun_anew(back: CsvDoor, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is a file of this door already"):
        back.begin()
    (tmp_path / "share" / "kartu.csv").unlink()
    with pytest.raises(BadInput, match="there is a file of this door already"):
        back.begin()
