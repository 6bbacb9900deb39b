"""Door controllers that speak HTTP: passing faults, nonsense, floods, and answers that say nothing of a card."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.controller import Controller
from sopauto.access.doors.by_http import HttpDoor
from sopauto.access_settings import DoorAt
from sopauto.errors import BadInput, StepFailed
from tests.integration.doors.sites import CARD, http_door


@pytest.fixture
def controller() -> Iterator[Controller]:
    with Controller() as opened:
        yield opened


@pytest.mark.parametrize("faults", [["busy"], ["lost"], ["half"], ["busy", "lost"]])
def test_a_passing_fault_and_a_lost_answer_are_asked_again(controller: Controller, faults: list[str]) -> None:
    controller.faults = list(faults)
    http_door(controller).put(CARD)
    assert controller.requests == ["PUT KA-1"] * (len(faults) + 1)
    assert controller.cards == {"KA-1": CARD.as_json()}
    controller.faults = ["lost"]
    http_door(controller).remove("KA-1")
    assert controller.cards == {}


def test_a_controller_that_stays_down_is_named(controller: Controller) -> None:
    controller.faults = ["busy"] * 3
    with pytest.raises(StepFailed, match="door utama: answered HTTP 503"):
        http_door(controller).put(CARD)
    controller.__exit__()
    with pytest.raises(StepFailed, match="door utama: does not answer"):
        http_door(controller).read("KA-1")
    controller.__enter__()


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b"{}", b"<html>", b"[" * 60000, b'{"card": "KA-1", "zones": 3}', json.dumps({}).encode()],
)
def test_nonsense_is_refused(controller: Controller, answer: bytes) -> None:
    controller.answer = answer
    with pytest.raises(StepFailed, match="no card"):
        http_door(controller).read("KA-1")


def test_a_flood_another_card_and_a_way_elsewhere_are_refused(controller: Controller) -> None:
    controller.answer = b" " * 200_000
    with pytest.raises(StepFailed, match="more than 65536 bytes"):
        http_door(controller).read("KA-1")
    controller.answer = json.dumps({**CARD.as_json(), "card": "KA-2\x1b[31m"}).encode()
    with pytest.raises(StepFailed, match=r"asked for KA-1 and told of KA-2\\x1b\[31m;"):
        http_door(controller).read("KA-1")
    with Controller(answer=b"{}") as other:
        controller.location = other.url
        with pytest.raises(StepFailed, match="HTTP 302"):
            http_door(controller).read("KA-1")
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
    assert http_door(controller).read("KA-1") is None
    with pytest.raises(StepFailed):
        http_door(controller).read("KA-2")


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
        http_door(controller).read("KA-1")


def test_a_removal_that_meets_an_unknown_404_is_a_fault(controller: Controller) -> None:
    controller.media_type = "text/html"
    with pytest.raises(StepFailed, match="answered HTTP 404"):
        http_door(controller).remove("KA-1")


def test_the_token_comes_from_the_environment(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    controller.token = "rahasia"
    with pytest.raises(BadInput, match=r"\$DOOR does not hold a token"):
        http_door(controller, token_env="DOOR").put(CARD)
    monkeypatch.setenv("DOOR", "salah")
    with pytest.raises(StepFailed, match="HTTP 401") as refused:
        http_door(controller, token_env="DOOR").put(CARD)
    assert "salah" not in str(refused.value)
    assert controller.requests == ["PUT KA-1"]
    monkeypatch.setenv("DOOR", "rahasia")
    http_door(controller, token_env="DOOR").put(CARD)
