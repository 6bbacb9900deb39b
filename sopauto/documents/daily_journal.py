"""The jurnal harian: what was done on a ticket day by day, told from its signed entries (SOP 000, row 18)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from sopauto.clock import DAYS, OfficeHours, day_in_words
from sopauto.documents import sections
from sopauto.documents.machine_work import OUTCOMES, WORDS
from sopauto.documents.parts import Body, Filling, Pairs, shown
from sopauto.machines.host_keys import fingerprint
from sopauto.procedures.model import Step
from sopauto.tickets.record import outcome_of

SHORT_KEY: Final = len("SHA256:") + 12
LONGEST_TEXT: Final = 300
TOLD: Final = {
    "open": "mengajukan permohonan",
    "done": "diselesaikan",
    "approve": "disetujui",
    "reject": "dikembalikan",
    "cancel": "dibatalkan",
    "plan": "rencana dilampirkan",
    "wake": "dilanjutkan setelah menunggu",
    "clock": "waktu entri sebelumnya dibetulkan",
    **WORDS,
}
"""What each verb records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry, with the keys that signed it (or may sign it) and when the ticket had come to its row."""

    number: int
    body: Body
    keys: tuple[str, ...]
    since: datetime | None

    @property
    def at(self) -> datetime:
        """When it was done."""
        return datetime.fromisoformat(self.body["at"])

    @property
    def moves(self) -> bool:
        """Whether the ticket left the row by it."""
        return bool(self.body["to"] != self.body["step"])


def fill(filling: Filling) -> dict[str, Any]:
    """Return every entry so far by day, the present one last, and the end of the chain that they are read from."""
    days = groupby(_lines(filling), key=lambda line: filling.local(line.at).date())
    return {
        "bagian": [*sections.request(filling), *sections.server(filling), *sections.stated_here(filling)],
        "hari": [{"tanggal": _day(day), "entri": [_told(filling, line) for line in lines]} for day, lines in days],
        "rantai": _chain(filling),
        "tanda_tangan": [{"sebagai": "Yang mendokumentasikan,", **filling.signature()}],
    }


def office_time(hours: OfficeHours, start: datetime, end: datetime) -> timedelta:
    """Return how much office time lies between two moments."""
    first, last = start.astimezone(hours.zone), end.astimezone(hours.zone)
    spent = timedelta()
    for number in range((last.date() - first.date()).days + 1):
        day = first.date() + timedelta(days=number)
        for begin, close in hours.week[day.weekday()] if hours.is_open_on(day) else ():
            opened, closed = (datetime.combine(day, moment, tzinfo=hours.zone) for moment in (begin, close))
            spent += max(min(closed, last) - max(opened, first), timedelta())
    return spent


def _lines(filling: Filling) -> Iterator[Line]:
    """Yield the entries so far, and what the present one will say: it is signed after the form."""
    action = filling.occasion.action
    todays = tuple(key.public for key in filling.people.keys(action.person, action.at.date()))
    since: datetime | None = None
    entries = [(body, (key,)) for body, key in filling.entries()]
    for number, (body, keys) in enumerate([*entries, (sections.present(filling), todays)], start=1):
        line = Line(number=number, body=body, keys=keys, since=since)
        yield line
        since = line.at if line.moves else since


def _told(filling: Filling, line: Line) -> dict[str, str]:
    body, step = line.body, filling.step(line.body["step"])
    return {
        "nomor": str(line.number),
        "pukul": f"{filling.local(line.at):%H.%M}",
        "baris": shown(body["step"]),
        "oleh": shown(filling.people.person(body["person"]).name),
        "jabatan": shown(filling.people.position(body["position"]).title),
        "tindakan": _deed(body, step),
        "kegiatan": shown(step.text, LONGEST_TEXT) if step else "",
        "catatan": shown(body["note"], LONGEST_TEXT),
        "berkas": ", ".join(_files(body)),
        "kunci": ", ".join(f"{fingerprint(key)[:SHORT_KEY]}…" for key in line.keys),
        "dipakai": _used(filling, line, step),
        "waktu": shown(step.time_limit.text) if step and line.moves else "",
    }


def _deed(body: Body, step: Step | None) -> str:
    """Return what was done in a few words: a decision's answer, how machine work ended, or the verb."""
    answer = sections.answer_of(step, body["verb"]) if step else ""
    told = answer or TOLD.get(body["verb"], body["verb"])
    outcome = outcome_of(body)
    return shown(f"{told}: {OUTCOMES.get(outcome, outcome)}" if outcome else told)


def _files(body: Body) -> Iterator[str]:
    """Yield the names of the documents, those of the JSON beside a PDF left out."""
    names = [document["name"] for document in body["documents"]]
    return (shown(name) for name in names if name.removesuffix(".json") + ".pdf" not in names)


def _used(filling: Filling, line: Line, step: Step | None) -> str:
    """Return the office time that a row took, and whether its limit was kept (empty: the ticket stays at the row)."""
    hours = filling.hours
    if hours is None or step is None or line.since is None or not line.moves:
        return ""
    limit = step.time_limit
    due = hours.deadline(line.since, limit.office_time, limit.office_days)
    late = " (terlambat)" if due is not None and line.at > due else ""
    return _duration(office_time(hours, line.since, line.at)) + late


def _duration(spent: timedelta) -> str:
    hours, minutes = divmod(int(spent.total_seconds()) // 60, 60)
    return f"{hours} jam {minutes} menit" if hours else f"{minutes} menit"


def _day(day: date) -> str:
    return f"{DAYS[day.weekday()]}, {day_in_words(day)}"


def _chain(filling: Filling) -> Pairs:
    before = filling.occasion.before
    return [["Dibuat dari", f"{before.entries} entri jurnal dan entri ini"], ["SHA-256 entri terakhir", before.head]]
