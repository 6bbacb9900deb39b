"""Occasions of SOP 004 and its two procedures: a grant as the register holds it, and a review with its answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from lab.entering import removal, request
from sopauto.access.model import Answer, Grant, Kind, Line, Request, State
from sopauto.tickets.desk import Occasion
from sopauto.tickets.model import Letter, Verb
from tests.unit.documents.occasions import BEGIN, Books, begin

TICKET = "AR-2026-0001"
GRANT = Grant(
    ticket=TICKET,
    serial=1,
    card="KA-000001",
    unit="dinkes",
    request=Request(
        name="Siti Rahmawati",
        identity="199912312020011001",
        kind=Kind.PERMANENT,
        purpose="Pemeliharaan",
        zones=("ruang-server",),
        valid_from=date(2026, 11, 20),
        valid_until=None,
    ),
    approved_by="ratna",
    approved_at=BEGIN,
    state=State.ACTIVE,
)


@dataclass
class Book:
    """The register of access, as far as forms look at it."""

    known: list[Grant] = field(default_factory=lambda: [GRANT])
    answers: list[Answer | None] = field(default_factory=lambda: [Answer.CONFIRMED])

    def grant(self, ticket: str) -> Grant | None:
        return next((grant for grant in self.known if grant.ticket == ticket), None)

    def of_card(self, card: str) -> Grant | None:
        return next((grant for grant in self.known if grant.card == card), None)

    def lines(self, review: str) -> list[Line]:
        pairs = zip(self.known, self.answers, strict=True)
        return [Line(review=review, grant=g, answer=a, by="bambang" if a else "") for g, a in pairs]


def asked(answer: Verb = Verb.APPROVE, **letter: Any) -> Occasion:
    """Return the occasion of row 5."""
    trail = begin(request(**letter), Books(book=Book()), ticket=TICKET).jump("akses.5")
    return trail.act(answer, note="" if answer is Verb.APPROVE else "belum jelas")


def registered() -> Occasion:
    """Return the occasion of row 9."""
    return begin(request(), Books(book=Book()), ticket=TICKET).jump("akses.9").act(Verb.DONE)


def removed(**letter: Any) -> Occasion:
    """Return the occasion of the removal's row 5."""
    trail = begin(removal("KA-000001", **letter), Books(book=Book()), ticket="HA-2026-0001")
    return trail.jump("penghapusan.5").act(Verb.APPROVE)


def reviewed(book: Book | None = None) -> Occasion:
    """Return the occasion of the review's row 2."""
    fields = {
        "tanggal": "2026-11-23",
        "perihal": "Review akses ruang server",
        "peninjau": "kasi-layanan-infrastruktur",
        "masa_dari": "2026-08-23",
        "masa_sampai": "2026-11-23",
    }
    letter = Letter(procedure="review-akses", unit="kominfo", applicant="wawan", fields=fields)
    trail = begin(letter, Books(book=book or Book()), ticket="RA-2026-0001")
    return trail.jump("review.2").act(Verb.APPROVE)


def many(count: int) -> Book:
    """Return a register of so many grants, the last of which has no answer."""
    grants = [replace(GRANT, ticket=f"AR-{n}", serial=n, card=f"KA-{n:06}") for n in range(count)]
    return Book(known=grants, answers=[Answer.WITHDRAWN] * (count - 1) + [None])
