"""SOPs: list, show, check and draw them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sopauto.cli.console import Context, app, command, library, print_json, say, table
from sopauto.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sopauto.procedures.finding import Finding
    from sopauto.procedures.library import Library

ALL = "all"

CODE = {"code": "the SOP's code, such as penitipan-server", "json": "print JSON"}


@command(name="list", help={"json": "print JSON"})
def list_(c: Context, json: bool = False) -> None:
    """List the SOPs: the agency's own and the shipped ones."""
    procedures = library(c).all()
    if json:
        print_json([{"code": p.code, "name": p.head.name, "rows": len(p.steps), "file": p.source} for p in procedures])
        return
    rows = [[p.code, p.prefix, len(p.steps), p.head.number or "-", p.head.name] for p in procedures]
    table(["code", "tickets", "rows", "number", "name"], rows)


@command(help=CODE)
def show(c: Context, code: str, json: bool = False) -> None:
    """Print an SOP as its paper does. Example: `inv sop.show penitipan-server`."""
    from sopauto.procedures.show import as_json
    from sopauto.procedures.show import show as show_text

    procedure = library(c).get(code)
    if json:
        print_json(as_json(procedure))
    else:
        for line in show_text(procedure).splitlines():
            say(line)


@command(help={"file": "YAML file to check, or `all` for every SOP", "json": "print JSON"})
def check(c: Context, file: str, json: bool = False) -> None:
    """Check SOPs: every fault with file, line and how to mend it. Example: `inv sop.check my_sop.yaml`."""
    here = library(c)
    findings = here.findings() if file == ALL else here.check(Path(file))
    if json:
        print_json([finding.as_json() for finding in findings])
    else:
        _tell(findings, file, here.codes())
        for note in () if findings else _not_defined(c, here, file):
            say(note)
    if findings:
        raise BadInput(f"{len(findings)} things to mend", where=file, mend="see above")


def _not_defined(c: Context, here: Library, file: str) -> Iterator[str]:
    """Yield which positions the people file does not define: no fault of the SOP, and it opens no ticket until then."""
    from sopauto.app import shipped_library
    from sopauto.data_file import read_bounded
    from sopauto.tickets.duties import unknown_positions

    try:
        people = app(c).people
    except BadInput:
        return  # outside of a workspace, or its people file tells `inv people.check`
    shipped = set(shipped_library().files())
    for path in [each for each in here.files() if each not in shipped] if file == ALL else [Path(file)]:
        procedure = here.parse(read_bounded(path), str(path))
        if missing := unknown_positions(procedure, people):
            yield f"note: {people.source} does not define {', '.join(missing)}: until then {procedure.code} is closed"


def _tell(findings: list[Finding], file: str, codes: list[str]) -> None:
    for finding in findings:
        say(str(finding))
    if not findings:
        say(f"{len(codes)} SOPs: sound" if file == ALL else f"{file}: sound")


@command(help=CODE | {"out": "file to write (default: CODE.svg)"})
def draw(c: Context, code: str, out: str = "") -> None:
    """Draw an SOP's flowchart as SVG, a column per actor."""
    from sopauto.procedures.draw import draw as draw_svg

    path = Path(out or f"{code}.svg")
    path.write_text(draw_svg(library(c).get(code)))
    say(f"wrote {path}")
