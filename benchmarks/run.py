"""`inv bench`: every benchmark, its figures in one table."""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module

from benchmarks.measure import Figure
from sopauto.cli.console import print_json, say, table
from sopauto.errors import BadInput

NAMES = ("startup", "tickets", "verify", "switch", "playbook", "software", "harden", "access", "scan", "history")


def run(only: str, *, json: bool) -> None:
    """Run all benchmarks, or one; raises BadInput (unknown name)."""
    if only and only not in NAMES:
        raise BadInput(f"there is no benchmark {only}", where="--only", mend=f"use one of {', '.join(NAMES)}")
    figures: list[Figure] = []
    for name in NAMES:
        if only in {"", name}:
            if not json:
                say(f"measuring {name}")
            figures += import_module(f"benchmarks.{name}").run()
    if json:
        print_json([{**asdict(figure), "ratio": figure.ratio} for figure in figures])
        return
    table(["what", "ours", "peer", "unit", "ratio", "aim", "against"], [_row(figure) for figure in figures])


def _row(figure: Figure) -> list[str]:
    peer = "-" if figure.peer is None else f"{figure.peer:.3f}"
    ratio = "-" if figure.ratio is None else f"{figure.ratio:.2f}"
    return [figure.what, f"{figure.ours:.3f}", peer, figure.unit, ratio, figure.aim, figure.peer_name]
