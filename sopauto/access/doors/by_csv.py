"""Doors whose vendor has a program of its own: one CSV file with every card that it is to know, for its import.

The file is replaced as a whole, under a lock: the vendor's program never sees half of it, and two writers lose nothing.
Cards, zones and days stand in it, no names; none of these can be a formula.

That a card stands in the file is believed at once. That it does not stand there only of a whole file: one that is
there, with its heading, its last line ended, and with at least as many cards as were written last (the number stands
beside it). A file that is missing is a share that is not mounted, until somebody
says with `begin` that the door is new.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sopauto.access.doors.door import DoorCard
from sopauto.errors import BadInput, StepFailed

COLUMNS: Final = ("card", "zones", "valid_from", "valid_until")
MAX_BYTES: Final = 64 * 1024 * 1024
LONGEST_NUMBER: Final = 20
CARD: Final = re.compile(r"[!-~]+", re.ASCII)
"""What a number of a card is made of: with a blank beside it, the vendor's program may read it otherwise than we do."""


class CsvDoor:
    """One file. Fulfils `access.door.Door`."""

    def __init__(self, name: str, file: Path) -> None:
        self._name = name
        self._file = file
        self._number = file.with_name(f".{file.name}.cards")

    def read(self, card: str) -> DoorCard | None:
        """Return a card as it stands in the file (None: the file is whole, and the card does not stand in it).

        Raises: StepFailed (the file cannot be read, or nobody can tell that it is whole).
        """
        before = self._written()
        cards = self._cards()
        if card in cards:
            return cards[card]
        if alike := [found for found in cards if _plain(found) == _plain(card)]:
            raise self._failed(f"holds {alike[0]} and not {card}: another program wrote it so")
        # A writer at work lowers the number before the file, or raises it after: the lower one holds for what was read.
        self._refuse_cut(cards, min(before, self._written()))
        return None

    def put(self, card: DoorCard) -> None:
        """Write a card into the file; raises StepFailed."""
        with self._locked():
            cards = self._cards()
            self._refuse_cut(cards, self._written())
            self._write({**cards, card.card: card})

    def remove(self, card: str) -> None:
        """Take a card out of the file; raises StepFailed."""
        with self._locked():
            cards = self._cards()
            if cards.pop(card, None):
                self._write(cards)

    def begin(self) -> None:
        """Make the empty file of a door that is new; raises BadInput (there is one, or something else at its place)."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._locked():
                if self._file.exists() or self._file.is_symlink() or self._number.exists():
                    what = "there is a file of this door already"
                    raise BadInput(what, where=str(self._file), mend="a door that was in use is not begun anew")
                self._write({})
        except OSError as error:
            raise BadInput(f"cannot be made ({error.strerror})", where=str(self._file), mend="check rights") from None

    def _cards(self) -> dict[str, DoorCard]:
        """Return the cards of the file; raises StepFailed (it is not there, or is no file of cards)."""
        text = self._text()
        if not text.endswith("\n"):
            raise self._failed("is empty" if not text else "ends within a line: it is cut")
        rows = csv.DictReader(io.StringIO(text), strict=True)
        found: dict[str, DoorCard] = {}
        try:
            if sorted(rows.fieldnames or ()) != sorted(COLUMNS):
                raise self._failed(f"has no heading {','.join(COLUMNS)}")
            for row in rows:
                card = _card(row)
                if card.card in found:
                    raise self._failed(f"line {rows.line_num}: card {card.card} stands there twice")
                found[card.card] = card
        except (KeyError, TypeError, ValueError, AttributeError, csv.Error):
            raise self._failed(f"line {rows.line_num} is no card") from None
        return found

    def _text(self) -> str:
        try:
            # Without O_NONBLOCK a named pipe would hold us for ever.
            with os.fdopen(os.open(self._file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise self._failed("cannot be read (it is not a regular file)")
                content = file.read(MAX_BYTES + 1)
            if len(content) > MAX_BYTES:
                raise self._failed("is larger than 64 MiB")
            return content.decode("utf-8-sig").replace("\r\n", "\n")
        except FileNotFoundError:
            raise self._missing() from None
        except (OSError, UnicodeDecodeError) as error:
            raise self._failed(f"cannot be read ({error})") from None

    def _written(self) -> int:
        """Return how many cards were written last; raises StepFailed (what stands there is no number).

        A file without that number was made by hand or by an earlier version: nothing is known of it, which counts as 0.
        """
        try:
            with self._number.open(encoding="ascii") as file:
                written = file.read(LONGEST_NUMBER + 1).strip()
        except FileNotFoundError:
            return 0
        except (OSError, UnicodeDecodeError) as error:
            raise self._failed(f"the number of its cards cannot be read ({error})") from None
        if not (written.isdecimal() and len(written) <= LONGEST_NUMBER):
            raise self._failed(f"{self._number.name} beside it holds no number")
        return int(written)

    def _refuse_cut(self, cards: dict[str, DoorCard], written: int) -> None:
        """Refuse to believe that a card is gone from a file that lost lines; raises StepFailed."""
        if len(cards) < written:
            mend = f"bring the whole file back; if it is right as it is, remove {self._number.name} beside it"
            raise self._failed(f"holds {len(cards)} cards where {written} were written: it is cut", mend)

    def _write(self, cards: dict[str, DoorCard]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for card in sorted(cards.values(), key=lambda card: card.card):
            until = card.valid_until.isoformat() if card.valid_until else ""
            writer.writerow([card.card, " ".join(card.zones), card.valid_from.isoformat(), until])
        try:
            # Whatever a crash leaves behind, the number is never more than what the file holds.
            if len(cards) < self._written():
                _replace(self._number, f"{len(cards)}\n")
            _replace(self._file, text.getvalue())
            _replace(self._number, f"{len(cards)}\n")
        except OSError as error:
            raise self._failed(f"cannot be written ({error.strerror})") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock beside the file. No folder is made: a share that is not mounted stays as it is."""
        try:
            with self._file.with_name(f".{self._file.name}.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except FileNotFoundError:
            raise self._missing() from None
        except OSError as error:
            raise self._failed(f"cannot be locked ({error.strerror})") from None

    def _missing(self) -> StepFailed:
        return self._failed("is not there", f"mount its share; if the door is new: `inv access.make-door {self._name}`")

    def _failed(self, what: str, mend: str = "mend the file, then run again") -> StepFailed:
        return StepFailed(what, where=f"door {self._name} {self._file}", mend=mend)


def _card(row: dict[str, str]) -> DoorCard:
    """Return the card of a line; raises KeyError, TypeError, ValueError or AttributeError (it is none)."""
    if set(row) != set(COLUMNS) or None in row.values() or not CARD.fullmatch(row["card"]):
        raise ValueError("a line of another length, or no number of a card")
    return DoorCard.from_json({**row, "zones": row["zones"].split(), "valid_until": row["valid_until"] or None})


def _plain(card: str) -> str:
    """Return a card's number as programs may keep it that know no capital letters, or take it for a number."""
    return card.casefold().lstrip("0")


def _replace(file: Path, text: str) -> None:
    """Replace a file as a whole; raises OSError."""
    fresh = file.with_name(f".{file.name.lstrip('.')}.new")
    with fresh.open("w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)
