"""`access.grant` and `access.revoke`: cards at door controllers (SOP 004, row 7; removal, row 7; review, row 4).

A plan names for each controller and card what the controller knows now and what it is to know. What was done is read
back. A card that could be put at some doors only is taken out again, so that no door opens for a card that the
register does not show; a removal is never taken back: what is left is removed by the next run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sopauto.access.doors.door import DoorCard, Doors
from sopauto.errors import BadInput, OutcomeUnknown, SopautoError, Stale, StepFailed
from sopauto.work import Artifact, Json, Plan, Probe, Report, Result, WorkOrder, canonical

EVIDENCE = "bukti-pintu.json"

Place = tuple[str, str]
"""A controller and a card."""


class CardWork:
    """What both modules share. `parameters["wanted"]` is controller → card → the card as JSON (None: unknown there)."""

    name: str
    mutates = True

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def materials(self, parameters: Json) -> Mapping[str, bytes]:  # noqa: ARG002 - the Protocol's signature
        """Return nothing: cards need no file."""
        return {}

    def plan(self, parameters: Json, report: Report) -> Plan:
        """Read each controller; raises StepFailed (not reachable), BadInput (a controller is not set)."""
        wanted = parameters["wanted"]
        before: dict[str, dict[str, Any]] = {}
        lines: list[str] = []
        for door, card in _places(wanted):
            report(f"reading card {card} at {door}")
            now = self._read(door, card)
            before.setdefault(door, {})[card] = now
            if now != wanted[door][card]:
                lines.append(_line(door, card, wanted[door][card]))
        return Plan(
            module=self.name,
            targets=tuple(sorted(wanted)),
            parameters=parameters,
            before=before,
            lines=tuple(lines),
            after=wanted,
        )

    def apply(self, order: WorkOrder, report: Report) -> Result:
        """Bring each card at each controller to what the plan says, and read it back.

        Raises: Stale (a controller knows something else than the plan says), StepFailed (nothing is left of it),
        OutcomeUnknown (a card may be at a door, and the way back could not be proven).
        """
        before, after = _states(order)
        todo = [place for place, now in self._now(before).items() if self._is_open(place, now, before, after)]
        try:
            for door, card in todo:
                report(_line(door, card, after[door][card]))
                self._bring(door, card, after[door][card])
        except SopautoError as error:
            failed = (
                error if isinstance(error, StepFailed) else StepFailed(error.what, where=error.where, mend=error.mend)
            )
            self._back(order, todo, before, failed)
            raise failed from None
        seen = {door: {card: self._read(door, card) for card in cards} for door, cards in after.items()}
        evidence = Artifact(name=EVIDENCE, media_type="application/json", content=canonical(seen))
        cards = sorted({card for _, card in _places(after)})
        what = f"{', '.join(cards[:5])}{f' and {len(cards) - 5} more' if len(cards) > 5 else ''}"  # noqa: PLR2004
        told = "read back" if todo else "already as wanted; nothing was sent"
        return Result(
            changed=bool(todo),
            summary=f"{what} at {', '.join(sorted(after))}: {told}",
            facts={"cards": cards, "doors": sorted(after)},
            artifacts=(evidence,),
        )

    def probe(self, order: WorkOrder, report: Report) -> Probe:  # noqa: ARG002 - the Protocol's signature
        """Tell from the controllers what became of an attempt."""
        before, after = _states(order)
        now = self._now(before)
        if all(found == after[door][card] for (door, card), found in now.items()):
            return Probe.DONE
        if all(found == before[door][card] for (door, card), found in now.items()):
            return Probe.NOT_BEGUN
        known = all(found in (before[door][card], after[door][card]) for (door, card), found in now.items())
        return Probe.PARTLY if known else Probe.UNKNOWN

    def undo(self, order: WorkOrder, report: Report) -> Result:
        """Bring back what each controller knew before; raises StepFailed."""
        before, _ = _states(order)
        for door, card in _places(before):
            report(_line(door, card, before[door][card]))
            self._bring(door, card, before[door][card])
        return Result(changed=True, summary=f"{', '.join(sorted(before))}: as before", facts={})

    def _back(self, order: WorkOrder, todo: list[Place], before: Json, error: StepFailed) -> None:
        """Take a half-made grant out again. A removal stays as far as it came."""

    def _now(self, before: Json) -> dict[Place, Any]:
        return {(door, card): self._read(door, card) for door, card in _places(before)}

    def _is_open(self, place: Place, now: Any, before: Json, after: Json) -> bool:
        door, card = place
        if now == after[door][card]:
            return False
        if now != before[door][card]:
            raise Stale(f"{door} knows something else of card {card} than the plan says", mend="plan it again")
        return True

    def _bring(self, door: str, card: str, wanted: Any) -> None:
        controller = self._door(door)
        if wanted is None:
            controller.remove(card)
        else:
            controller.put(DoorCard.from_json(wanted))
        if self._read(door, card) != wanted:
            raise StepFailed(f"{door} took the change of card {card} and does not show it", mend="see its own log")

    def _read(self, door: str, card: str) -> dict[str, Any] | None:
        found = self._door(door).read(card)
        return found.as_json() if found else None

    def _door(self, name: str) -> Any:
        if name not in self._doors:
            raise BadInput(f"there is no door {name!r}", where="[access.doors]", mend="add it to sopauto.toml")
        return self._doors[name]


class GrantAccess(CardWork):
    """The technical module `access.grant`."""

    name = "access.grant"

    def _back(self, order: WorkOrder, todo: list[Place], before: Json, error: StepFailed) -> None:
        try:
            for door, card in todo:
                if self._read(door, card) != before[door][card]:
                    self._bring(door, card, before[door][card])
        except SopautoError as second:
            raise OutcomeUnknown(
                f"{error}; the way back did not hold: {second}",
                where=order.ticket,
                mend=f"look at the door, then `inv ticket.settle {order.ticket}`",
            ) from None


class RevokeAccess(CardWork):
    """The technical module `access.revoke`."""

    name = "access.revoke"


def _places(state: Json) -> Iterator[Place]:
    return ((door, card) for door in sorted(state) for card in sorted(state[door]))


def _line(door: str, card: str, wanted: Any) -> str:
    if wanted is None:
        return f"{door}: forget card {card}"
    until = f"until {wanted['valid_until']}" if wanted["valid_until"] else "without end"
    return f"{door}: let card {card} into {', '.join(wanted['zones'])} from {wanted['valid_from']} {until}"


def _states(order: WorkOrder) -> tuple[Json, Json]:
    if order.plan is None:
        raise BadInput("the order has no plan", where=order.ticket, mend="plan it first")
    return order.plan.before, order.plan.after
