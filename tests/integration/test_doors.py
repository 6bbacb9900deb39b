"""Door controllers: a real HTTP server on loopback with faults, and the file for a vendor's program."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from lab.controller import Controller
from sopauto.access.door import DoorCard
from sopauto.access_settings import DoorAt
from sopauto.drivers.door_csv import CsvDoor
from sopauto.drivers.door_http import HttpDoor
from sopauto.errors import BadInput, StepFailed

CARD = DoorCard(card="KA-1", zones=("ruang-server",), valid_from=date(2026, 11, 23), valid_until=date(2026, 12, 31))


@pytest.fixture
def controller() -> Iterator[Controller]:
    with Controller() as opened:
        yield opened


def door(controller: Controller, **changes: object) -> HttpDoor:
    at = DoorAt.model_validate(
        {"kind": "http", "zones": ["ruang-server"], "url": controller.url, "seconds": 1.0, **changes}
    )
    return HttpDoor("utama", at, sleep=lambda _: None)


def test_a_card_is_put_read_back_and_removed(controller: Controller) -> None:
    http = door(controller)
    assert http.read("KA-1") is None
    http.put(CARD)
    assert http.read("KA-1") == CARD
    assert controller.cards == {"KA-1": CARD.as_json()}
    http.remove("KA-1")
    http.remove("KA-1")
    assert controller.cards == {}


def test_only_card_zones_and_days_leave_the_house(controller: Controller) -> None:
    door(controller).put(CARD)
    assert set(controller.cards["KA-1"]) == {"card", "zones", "valid_from", "valid_until"}


@pytest.mark.parametrize("faults", [["busy"], ["lost"], ["half"], ["busy", "lost"]])
def test_a_passing_fault_and_a_lost_answer_are_asked_again(controller: Controller, faults: list[str]) -> None:
    controller.faults = list(faults)
    door(controller).put(CARD)
    assert controller.requests == ["PUT KA-1"] * (len(faults) + 1)
    assert controller.cards == {"KA-1": CARD.as_json()}
    controller.faults = ["lost"]
    door(controller).remove("KA-1")
    assert controller.cards == {}


def test_a_controller_that_stays_down_is_named(controller: Controller) -> None:
    controller.faults = ["busy"] * 3
    with pytest.raises(StepFailed, match="door utama: answered HTTP 503"):
        door(controller).put(CARD)
    controller.__exit__()
    with pytest.raises(StepFailed, match="door utama: does not answer"):
        door(controller).read("KA-1")
    controller.__enter__()


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b"{}", b"<html>", b"[" * 60000, b'{"card": "KA-1", "zones": 3}', json.dumps({}).encode()],
)
def test_nonsense_is_refused(controller: Controller, answer: bytes) -> None:
    controller.answer = answer
    with pytest.raises(StepFailed, match="no card"):
        door(controller).read("KA-1")


def test_a_flood_another_card_and_a_way_elsewhere_are_refused(controller: Controller) -> None:
    controller.answer = b" " * 200_000
    with pytest.raises(StepFailed, match="more than 65536 bytes"):
        door(controller).read("KA-1")
    controller.answer = json.dumps({**CARD.as_json(), "card": "KA-2\x1b[31m"}).encode()
    with pytest.raises(StepFailed, match=r"asked for KA-1 and told of KA-2\\x1b\[31m;"):
        door(controller).read("KA-1")
    with Controller(answer=b"{}") as other:
        controller.location = other.url
        with pytest.raises(StepFailed, match="HTTP 302"):
            door(controller).read("KA-1")
        assert other.requests == []


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.0 200 OK\r\nContent-Length: 900\r\n\r\n"])
def test_who_answers_a_byte_at_a_time_is_cut_off(begin: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:

        def drip() -> None:
            caller, _ = server.accept()
            with caller, contextlib.suppress(OSError):
                caller.sendall(begin)
                for byte in b"a" * 1000:
                    caller.sendall(bytes([byte]))
                    time.sleep(0.05)

        pool.submit(drip)
        at = DoorAt(kind="http", zones=("a",), url=f"http://127.0.0.1:{server.getsockname()[1]}", seconds=0.5, tries=1)
        begun = time.monotonic()
        with pytest.raises(StepFailed, match="no whole answer within"):
            HttpDoor("utama", at).read("KA-1")
        assert time.monotonic() - begun < 3


UNKNOWN = {"card": "KA-1", "known": False}


@pytest.mark.parametrize("status", [200, 404])
def test_a_card_is_unknown_when_the_controller_says_so_of_this_very_card(controller: Controller, status: int) -> None:
    controller.answer, controller.status = json.dumps(UNKNOWN).encode(), status
    assert door(controller).read("KA-1") is None
    with pytest.raises(StepFailed):
        door(controller).read("KA-2")


@pytest.mark.parametrize(
    ("status", "media_type", "answer"),
    [
        (404, "application/json", b""),
        (404, "text/html", b"<h1>Not Found</h1>"),
        (404, "text/html", json.dumps(UNKNOWN).encode()),
        (404, "application/json", b"{}"),
        (404, "application/json", b'{"error": "not found"}'),
        (404, "application/json", json.dumps({**UNKNOWN, "card": "KA-9"}).encode()),
        (404, "application/json", json.dumps({**UNKNOWN, "known": 0}).encode()),
        (404, "application/json", b'{"card": "KA-1", "known": true, "known": false}'),
        (404, "application/json", json.dumps([UNKNOWN]).encode()),
        (404, "application/json", json.dumps(CARD.as_json()).encode()),
        (410, "application/json", json.dumps(UNKNOWN).encode()),
        (200, "application/json", json.dumps({**CARD.as_json(), "known": False}).encode()),
        (404, "application/json", json.dumps({**UNKNOWN, "zones": ["ruang-server"]}).encode()),
        (204, "application/json", b""),
        (201, "application/json", json.dumps(CARD.as_json()).encode()),
        (301, "application/json", json.dumps(UNKNOWN).encode()),
        (200, "text/html", b"<form>login</form>"),
        (200, "text/html", json.dumps(CARD.as_json()).encode()),
        (200, "application/json", b"null"),
        (200, "application/json", b'{"cards": []}'),
        (200, "application/json", json.dumps({**CARD.as_json(), "zones": "ruang"}).encode()),
        (200, "application/json", json.dumps({**CARD.as_json(), "valid_until": ""}).encode()),
    ],
)
def test_any_other_answer_is_a_fault_and_never_a_card_forgotten(
    controller: Controller, status: int, media_type: str, answer: bytes
) -> None:
    controller.answer, controller.status, controller.media_type = answer, status, media_type
    with pytest.raises(StepFailed, match="door utama"):
        door(controller).read("KA-1")


def test_a_removal_that_meets_an_unknown_404_is_a_fault(controller: Controller) -> None:
    controller.media_type = "text/html"
    with pytest.raises(StepFailed, match="answered HTTP 404"):
        door(controller).remove("KA-1")


def test_the_token_comes_from_the_environment(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    controller.token = "rahasia"
    with pytest.raises(BadInput, match=r"\$DOOR does not hold a token"):
        door(controller, token_env="DOOR").put(CARD)
    monkeypatch.setenv("DOOR", "salah")
    with pytest.raises(StepFailed, match="HTTP 401") as refused:
        door(controller, token_env="DOOR").put(CARD)
    assert "salah" not in str(refused.value)
    assert controller.requests == ["PUT KA-1"]
    monkeypatch.setenv("DOOR", "rahasia")
    door(controller, token_env="DOOR").put(CARD)


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
