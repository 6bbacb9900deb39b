"""What a door controller is asked for and answers, as a Protocol; `drivers/` speaks to the real ones.

A controller is told card, zones and days, and never a name: who holds the card is nobody's business but the
register's (UU 27/2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorCard:
    """A card as a controller knows it. `valid_until` None: without end."""

    card: str
    zones: tuple[str, ...]
    valid_from: date
    valid_until: date | None

    def as_json(self) -> dict[str, Any]:
        """Return the card as a JSON object: the form in which plans hold it and controllers are told it."""
        return {
            "card": self.card,
            "zones": list(self.zones),
            "valid_from": self.valid_from.isoformat(),
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DoorCard:
        """Return the card that `as_json` wrote; raises KeyError, TypeError or ValueError (it is none)."""
        card, zones, until = data["card"], data["zones"], data["valid_until"]
        if not isinstance(card, str) or not isinstance(zones, list) or not all(isinstance(z, str) for z in zones):
            raise TypeError("a card is a text, its zones are a list of texts")
        return cls(
            card=card,
            zones=tuple(sorted(zones)),
            valid_from=date.fromisoformat(data["valid_from"]),
            # Only null means "without end": nothing that was forgotten or is empty does.
            valid_until=None if until is None else date.fromisoformat(until),
        )


class Door(Protocol):
    """One controller. Putting and removing may be repeated: the second time changes nothing."""

    def read(self, card: str) -> DoorCard | None:
        """Return a card as the controller has it (None: it says itself that it does not know the card).

        Raises: StepFailed (it cannot be reached, or says neither: silence never means that a card is gone).
        """

    def put(self, card: DoorCard) -> None:
        """Let a card in; raises StepFailed."""

    def remove(self, card: str) -> None:
        """Forget a card; raises StepFailed."""


Doors = Mapping[str, Door]
"""The controllers by the name that the settings give them."""
