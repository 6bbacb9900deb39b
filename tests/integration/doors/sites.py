"""Doors to try: each kind with a controller of its own, and ways to break it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lab.controller import Controller
from sopauto.access.doors.by_csv import CsvDoor
from sopauto.access.doors.by_http import HttpDoor
from sopauto.access.doors.door import Door, DoorCard
from sopauto.access_settings import DoorAt

CARD = DoorCard(card="KA-1", zones=("ruang-server",), valid_from=date(2026, 11, 23), valid_until=date(2026, 12, 31))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A door with its controller: `kept` is what that holds of a card, `lose` and `cut` break it."""

    door: Door
    kept: Callable[[str], set[str] | None]
    lose: Callable[[], None]
    cut: Callable[[], None]


def http_door(controller: Controller, **changes: object) -> HttpDoor:
    at = DoorAt.model_validate(
        {"kind": "http", "zones": ["ruang-server"], "url": controller.url, "seconds": 1.0, **changes}
    )
    return HttpDoor("utama", at, sleep=lambda _: None)


@contextmanager
def http_site(_: Path) -> Iterator[Site]:
    with Controller() as controller:

        def kept(card: str) -> set[str] | None:
            return set(controller.cards[card]) if card in controller.cards else None

        def lose() -> None:
            controller.location = "http://127.0.0.1:9/"

        def cut() -> None:
            controller.answer = b'{"card": "KA-1", "zo'

        yield Site(door=http_door(controller), kept=kept, lose=lose, cut=cut)


@contextmanager
def csv_site(folder: Path) -> Iterator[Site]:
    file = folder / "share" / "kartu.csv"
    door = CsvDoor("utama", file)
    door.begin()

    def kept(card: str) -> set[str] | None:
        return next((set(row) for row in csv.DictReader(file.open()) if row["card"] == card), None)

    def cut() -> None:
        file.write_text(file.read_text()[:-4])

    yield Site(door=door, kept=kept, lose=file.unlink, cut=cut)


SITES: Mapping[str, Callable[[Path], object]] = {"csv": csv_site, "http": http_site}
"""A kind of door is tried by the suite as soon as it stands here."""
