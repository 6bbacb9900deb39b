"""Doors whose vendor has a program of its own: one CSV file with every card that it is to know, for its import.

The file is replaced as a whole, under a lock: the vendor's program never sees half of it, and two writers lose nothing.
Cards, zones and days stand in it, no names; none of these can be a formula.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sopauto.access.door import DoorCard
from sopauto.errors import StepFailed

COLUMNS: Final = ("card", "zones", "valid_from", "valid_until")
MAX_BYTES: Final = 64 * 1024 * 1024


class CsvDoor:
    """One file. Fulfils `access.door.Door`."""

    def __init__(self, name: str, file: Path) -> None:
        self._name = name
        self._file = file

    def read(self, card: str) -> DoorCard | None:
        """Return a card as it stands in the file (None: it does not); raises StepFailed (unreadable)."""
        return self._cards().get(card)

    def put(self, card: DoorCard) -> None:
        """Write a card into the file; raises StepFailed."""
        with self._locked():
            self._write({**self._cards(), card.card: card})

    def remove(self, card: str) -> None:
        """Take a card out of the file; raises StepFailed."""
        with self._locked():
            cards = self._cards()
            if cards.pop(card, None):
                self._write(cards)

    def _cards(self) -> dict[str, DoorCard]:
        try:
            if self._file.stat().st_size > MAX_BYTES:
                raise self._failed("is larger than 64 MiB")
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise self._failed(f"cannot be read ({error})") from None
        rows = csv.DictReader(io.StringIO(text))
        try:
            return {row["card"]: DoorCard.from_json({**row, "zones": row["zones"].split()}) for row in rows}
        except (KeyError, TypeError, ValueError, AttributeError, csv.Error):
            raise self._failed(f"line {rows.line_num} is no card") from None

    def _write(self, cards: dict[str, DoorCard]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for card in sorted(cards.values(), key=lambda card: card.card):
            until = card.valid_until.isoformat() if card.valid_until else ""
            writer.writerow([card.card, " ".join(card.zones), card.valid_from.isoformat(), until])
        fresh = self._file.with_name(f".{self._file.name}.new")
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.write(text.getvalue())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._file)
        except OSError as error:
            raise self._failed(f"cannot be written ({error.strerror})") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.with_name(f".{self._file.name}.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise self._failed(f"cannot be locked ({error.strerror})") from None

    def _failed(self, what: str) -> StepFailed:
        return StepFailed(what, where=f"door {self._name} {self._file}", mend="mend the file, then run again")
