"""Letters and reports: what each is composed of, and one way to fill them.

They share one template, `naskah.typ`. Nothing of them is asked for: what nobody stated is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sopauto.documents.form import Form
from sopauto.documents.parts import PASSED_ON, Body, Filling, Pairs, lacking, shown
from sopauto.documents.sections import Sections
from sopauto.tickets.model import Verb

TEMPLATE: Final = "naskah"

Box = Mapping[str, Any]
"""One who signs: in which role (`sebagai`), with the electronic signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What a letter or report consists of. `opening` may name `{hari}`, `{pemilik}` and `{instansi}`."""

    title: str
    opening: str
    contents: tuple[Callable[[Filling], Sections], ...]
    boxes: tuple[Callable[[Filling], Box], ...]
    address: Callable[[Filling], Pairs]
    closing: str = ""

    def fill(self, filling: Filling) -> dict[str, Any]:
        """Return what the paper says and who signs it."""
        words = {
            "hari": filling.moment(filling.occasion.action.at),
            "pemilik": filling.owner,
            "instansi": shown(filling.settings.agency.name),
        }
        return {
            "alamat": self.address(filling),
            "pembuka": self.opening.format(**words),
            "bagian": [section for content in self.contents for section in content(filling)],
            "penutup": self.closing,
            "tanda_tangan": [signed for box in self.boxes if (signed := dict(box(filling)))],
        }


def present(role: str) -> Callable[[Filling], Box]:
    """Return the box of who acts now."""
    return lambda filling: {"sebagai": role, **filling.signature()}


def before(role: str) -> Callable[[Filling], Box]:
    """Return the box of who passed the ticket on to the present row."""
    return lambda filling: {"sebagai": role, **passed_on(filling)}


def applicant(role: str) -> Callable[[Filling], Box]:
    """Return the box of who opened the ticket."""
    return lambda filling: {"sebagai": role, **_opened(filling)}


def receiver(role: str) -> Callable[[Filling], Box]:
    """Return the box of who receives what the applicant wrote (none yet when the ticket is just being opened)."""
    return lambda filling: {} if filling.occasion.action.verb is Verb.OPEN else present(role)(filling)


def nobody(_: Filling) -> Pairs:
    """Address a paper to nobody: it is a record of both parties."""
    return []


def who_is_next(filling: Filling) -> Pairs:
    """Address a paper to who acts at the next row."""
    to = filling.actors(filling.occasion.after.step) if filling.occasion.after.is_open else ""
    return [["Kepada", to], ["Dari", filling.signature()["jabatan"]]] if to else []


def who_decides(filling: Filling) -> Pairs:
    """Address a request to who first decides, by way of those who pass it on (SOP 000, row 1)."""
    steps = filling.occasion.procedure.steps
    first = next((place for place, step in enumerate(steps) if step.approval), None)
    if first is None:
        return []
    through = dict.fromkeys(filling.actors(step.id) for step in steps[1:first])
    return [["Kepada", filling.actors(steps[first].id)], *([["Melalui", ", ".join(through)]] if through else [])]


def outlined(outlines: Mapping[str, Outline]) -> dict[str, Form]:
    """Return the forms that outlines describe; they share one template."""
    return {name: Form(title=one.title, fill=one.fill, template=TEMPLATE) for name, one in outlines.items()}


def _opened(filling: Filling) -> Box:
    """Return who opened the ticket. While it is being opened, nothing is kept of that yet."""
    opening = next(filling.entries(), None)
    return _signed_before(filling, *opening) if opening else filling.signature()


def passed_on(filling: Filling) -> Box:
    """Return who passed the ticket on to the present row; raises BadInput (nobody did)."""
    here = filling.occasion.step.id
    came: list[tuple[Body, str]] = [
        (body, key) for body, key in filling.entries() if body["to"] == here and body["verb"] in PASSED_ON
    ]
    if not came:
        raise lacking(filling, f"nobody passed the ticket on to {here}", "name this form at a later row of the SOP")
    return _signed_before(filling, *came[-1])


def _signed_before(filling: Filling, body: Body, key: str) -> Box:
    """Return the signature of an earlier entry with its row: it was made there, not over this paper."""
    return {**filling.signed_by(body, key), "keterangan": f"pada baris {body['step']}"}
