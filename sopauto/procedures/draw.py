"""The flowchart of an SOP as SVG: a column per actor and the five symbols of Permen PAN-RB 35/2012.

Terminator, process, decision, arrow, and the off-page connector where an arrow leads to another sheet or table.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final
from xml.sax import saxutils

from sopauto.procedures.fields import one_line
from sopauto.procedures.model import ENDS, Fork, Procedure, Step, StepKind, Table, Target

TEXT: Final = 330
"""Width of the column with the words of each row, in pixels."""
COLUMN: Final = 130
ROW: Final = 96
HEAD: Final = 56
BOX: Final = (84, 34)
GAP: Final = 18
LETTERS: Final = 46
LINES: Final = 5
TIP: Final = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
)


def escape(text: str) -> str:
    """Return a text as an image can hold it: markup escaped, and characters that nobody sees."""
    return saxutils.escape(one_line(text))


def draw(procedure: Procedure) -> str:
    """Return all tables of an SOP as one SVG, the tables below each other."""
    charts = [_Chart(procedure, table) for table in procedure.tables]
    width = max(chart.width for chart in charts)
    height = sum(chart.height + GAP for chart in charts)
    body: list[str] = []
    top = 0
    for chart in charts:
        body += [f'<g transform="translate(0 {top})">', *chart.lines(), "</g>"]
        top += chart.height + GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">'
        f"<title>{escape(procedure.head.name)}</title>"
        f'{TIP}<rect width="{width}" height="{height}" fill="white"/>'
    )
    return "\n".join([head, *body, "</svg>\n"])


class _Chart:
    """One table: rows downwards, actors sideways."""

    def __init__(self, procedure: Procedure, table: Table) -> None:
        self.procedure = procedure
        self.table = table
        self.steps = [step for step in procedure.steps if step.table == table.id]
        used = {actor for step in self.steps for actor in step.actors}
        own_titles = dict(table.columns)
        self.actors = [
            (actor.id, own_titles.get(actor.id, actor.title)) for actor in procedure.actors if actor.id in used
        ]
        self.width = TEXT + COLUMN * len(self.actors) + GAP
        self.ends = any(name in ENDS for step in self.steps for name in step.targets())
        self.height = HEAD + ROW * (len(self.steps) + (1 if self.ends else 0))

    def lines(self) -> Iterator[str]:
        """Yield the SVG elements."""
        yield from self._grid()
        for i, step in enumerate(self.steps):
            yield from self._words(i, step)
            yield from self._symbol(i, step)
        if self.ends:
            yield from _terminator(*self._end(), "Selesai")
        for i, step in enumerate(self.steps):
            yield from self._arrows(i, step)

    def _grid(self) -> Iterator[str]:
        yield f'<text x="6" y="16" font-weight="bold">{escape(self.table.title)}</text>'
        for i, (_, title) in enumerate(self.actors):
            x = TEXT + COLUMN * i
            yield f'<line class="actor" x1="{x}" y1="22" x2="{x}" y2="{self.height}" stroke="#bbb"/>'
            for j, piece in enumerate(textwrap.wrap(title, 20)[:3]):
                yield _text(x + COLUMN / 2, 34 + 11 * j, piece, anchor="middle", size=10)
        for i in range(len(self.steps) + 1):
            y = HEAD + ROW * i
            yield f'<line x1="0" y1="{y}" x2="{self.width}" y2="{y}" stroke="#ddd"/>'

    def _words(self, i: int, step: Step) -> Iterator[str]:
        pieces = textwrap.wrap(f"{step.number}. {' '.join(step.text.split())}", LETTERS)
        if len(pieces) > LINES:
            pieces = [*pieces[: LINES - 1], pieces[LINES - 1][: LETTERS - 1] + "…"]
        for j, piece in enumerate(pieces):
            yield _text(6, HEAD + ROW * i + 18 + 14 * j, piece)

    def _symbol(self, i: int, step: Step) -> Iterator[str]:
        x, y = self._centre(i, step)
        if step.kind is StepKind.DECISION:
            yield from _decision(x, y, step.number)
        elif step.id == self.procedure.start:
            yield from _terminator(x, y, f"Mulai {step.number}")
        else:
            yield from _process(x, y, step.number)

    def _centre(self, i: int, step: Step) -> tuple[float, float]:
        ids = [actor for actor, _ in self.actors]
        column = ids.index(step.actors[0]) if step.actors and step.actors[0] in ids else 0
        return TEXT + COLUMN * (column + 0.5), HEAD + ROW * (i + 0.5)

    def _end(self) -> tuple[float, float]:
        return self._centre(len(self.steps) - 1, self.steps[-1])[0], HEAD + ROW * (len(self.steps) + 0.5)

    def _arrows(self, i: int, step: Step) -> Iterator[str]:
        for target, label in ((step.next, ""), (step.yes, step.yes_label), (step.no, step.no_label)):
            for name in _names(target):
                yield from self._arrow(i, step, name, label)

    def _arrow(self, i: int, step: Step, name: str, label: str) -> Iterator[str]:
        x, y = self._centre(i, step)
        index = {other.id: j for j, other in enumerate(self.steps)}
        if name in ENDS:
            to: tuple[float, float] | None = self._end()
        else:
            to = self._centre(index[name], self.steps[index[name]]) if name in index else None
        if to is None:
            yield from _connector(x + BOX[0] / 2 + 16, y + 26, name)
            return
        below = HEAD + ROW * (i + 1.5)
        half, top = self._half(step), to[1] - self._half(index.get(name))
        side = BOX[0] / 2
        if to[1] < y:  # back, on the right
            path, label_at = f"M{x + side} {y}H{x + side + 14}V{top - 9}H{to[0] + 8}V{top}", (x + side + 2, y - 5)
        elif to[1] > below:  # past other rows, on the left
            path, label_at = f"M{x - side} {y}H{x - side - 14}V{top - 9}H{to[0] - 8}V{top}", (x - side - 24, y - 5)
        else:
            path, label_at = f"M{x} {y + half}V{(y + to[1]) / 2}H{to[0]}V{top}", (x + 4, y + half + 12)
        yield f'<path class="arrow" d="{path}" fill="none" stroke="black" marker-end="url(#tip)"/>'
        if label:
            yield _text(*label_at, label, size=9)

    def _half(self, step: Step | int | None) -> float:
        """Return half the height of a row's symbol (None: the terminator)."""
        found = self.steps[step] if isinstance(step, int) else step
        return BOX[1] / 2 + (5 if found is not None and found.kind is StepKind.DECISION else 0)


def _names(target: Target | None) -> tuple[str, ...]:
    if isinstance(target, Fork):
        return (target.yes, target.no)
    return () if target is None else (target,)


def _process(x: float, y: float, number: int) -> Iterator[str]:
    w, h = BOX
    yield f'<rect class="process" x="{x - w / 2}" y="{y - h / 2}" width="{w}" height="{h}" fill="#fff" stroke="#000"/>'
    yield _text(x, y + 4, str(number), anchor="middle")


def _decision(x: float, y: float, number: int) -> Iterator[str]:
    w, h = BOX[0] / 2, BOX[1] / 2 + 5
    points = f"{x},{y - h} {x + w},{y} {x},{y + h} {x - w},{y}"
    yield f'<polygon class="decision" points="{points}" fill="#fff" stroke="#000"/>'
    yield _text(x, y + 4, str(number), anchor="middle")


def _terminator(x: float, y: float, text: str) -> Iterator[str]:
    w, h = BOX
    yield (
        f'<rect class="terminator" x="{x - w / 2}" y="{y - h / 2}" width="{w}" height="{h}" rx="{h / 2}" '
        'fill="#fff" stroke="#000"/>'
    )
    yield _text(x, y + 4, text, anchor="middle")


def _connector(x: float, y: float, name: str) -> Iterator[str]:
    points = f"{x - 15},{y - 12} {x + 15},{y - 12} {x + 15},{y + 4} {x},{y + 14} {x - 15},{y + 4}"
    yield f'<polygon class="connector" points="{points}" fill="#fff" stroke="#000"/>'
    yield _text(x, y + 2, name.replace("konfigurasi", "konf"), anchor="middle", size=7)


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 11) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
