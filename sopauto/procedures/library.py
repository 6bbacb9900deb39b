"""The SOPs that tickets can run: the agency's own before the shipped ones. Fulfils `tickets.desk.Procedures`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from sopauto.data_file import parse_document, read_bounded
from sopauto.errors import BadInput
from sopauto.procedures.check import check, check_procedure
from sopauto.procedures.finding import Finding, at_row, refusal, suggestion
from sopauto.procedures.known import Known
from sopauto.procedures.load import load
from sopauto.procedures.model import Procedure

SHIPPED: Final = Path(__file__).parent / "library"
CODE: Final = re.compile(rb"^kode:[ \t]+([a-z0-9-]+)[ \t\r]*(?:[ \t]#.*)?$", re.MULTILINE)


class Library:
    """SOPs by code, from directories of YAML files. The agency's own file replaces the shipped one of the same code.

    Two files of the agency with one code are refused, in whatever of its directories they stand: nobody could tell from
    a ticket which of them the agency meant.
    """

    def __init__(self, directories: Sequence[Path], *, known: Known | None = None) -> None:
        self._own = tuple(directories)
        self._known = known or Known()

    def files(self) -> Iterator[Path]:
        """Yield every SOP's file, the agency's own first; a shipped one is passed over where an own one replaces it."""
        own = self._of_agency()
        yield from own
        replaced = {code for path in own if (code := _code(path)) is not None}
        yield from (path for path in _in(SHIPPED) if _code(path) not in replaced)

    def codes(self) -> list[str]:
        """Return the codes of all SOPs."""
        return sorted({code for path in self.files() if (code := _code(path))})

    def get(self, code: str) -> Procedure:
        """Return the present version of an SOP; raises BadInput (unknown code, or its file is not sound)."""
        for path in self.files():
            if _code(path) == code:
                procedure = self.parse(read_bounded(path), str(path))
                findings = [*self._twice(path), *check_procedure(procedure, self._known)]
                if findings:
                    raise refusal(findings)
                return procedure
        raise BadInput(f"there is no SOP {code!r}", mend=suggestion(code, self.codes()))

    def all(self) -> list[Procedure]:
        """Return every sound SOP, by code; what is wrong with the others tells `findings`."""
        return [self.get(code) for code in self.codes() if not self._faults_of(code)]

    def findings(self) -> list[Finding]:
        """Return what is wrong with the SOPs' files."""
        return [finding for path in self.files() for finding in self.check(path)]

    def check(self, path: Path) -> list[Finding]:
        """Return what is wrong with one file and its playbooks; raises BadInput (it cannot be read at all)."""
        found = self._sound(path)
        return found or list(self._carried(self.parse(read_bounded(path), str(path))))

    def _sound(self, path: Path) -> list[Finding]:
        """Return what is wrong with one file itself."""
        return [*self._twice(path), *check(read_bounded(path), str(path), self._known)]

    def _carried(self, procedure: Procedure) -> Iterator[Finding]:
        """Find what is wrong with the playbooks of the rows, each told once."""
        told: set[tuple[str, str]] = set()
        carried = self._known.carried
        for step in procedure.steps if carried else ():
            for module in step.technical.modules if step.technical else ():
                assert step.technical is not None
                for what, mend in carried(module, step.technical.parameters) if carried else ():
                    if (step.id, what) not in told:
                        told.add((step.id, what))
                        yield at_row(procedure, step, "teknis", what, mend)

    def _of_agency(self) -> list[Path]:
        """Return the files of the agency's directories, each once."""
        found = {path.resolve(): path for directory in self._own for path in reversed(_in(directory))}
        return [path for directory in self._own for path in _in(directory) if found[path.resolve()] == path]

    def _twice(self, path: Path) -> Iterator[Finding]:
        """Find another file of the agency with the code of one of them; a draft elsewhere is none of them yet."""
        own, code = self._of_agency(), _code(path)
        if code is None or path.resolve() not in {each.resolve() for each in own}:
            return
        for other in own:
            if other.resolve() != path.resolve() and _code(other) == code:
                what = f"{code!r} is the code of {other} too"
                mend = "keep one of the two files, or give one another `kode`"
                yield Finding(file=str(path), line=_line(path), field="kode", what=what, mend=mend)

    def source(self, procedure: Procedure) -> bytes:
        """Return the YAML that the procedure was read from; raises BadInput (it changed meanwhile)."""
        source = read_bounded(Path(procedure.source))
        if load(source, procedure.source).digest != procedure.digest:
            raise BadInput("the SOP was changed just now", where=procedure.source, mend="repeat the command")
        return source

    def parse(self, source: bytes, where: str) -> Procedure:
        """Return the procedure that a YAML describes (read once per content); raises BadInput."""
        return _parse(source, where)

    def _faults_of(self, code: str) -> list[Finding]:
        # Not its playbooks: an SOP is listed, and its tickets go on, whatever somebody writes into them meanwhile.
        paths = (path for path in self.files() if _code(path) == code)
        return [finding for path in paths for finding in self._sound(path)]


@lru_cache(maxsize=64)
def _parse(source: bytes, where: str) -> Procedure:
    return load(source, where)


def _in(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.y*ml"))


def _code(path: Path) -> str | None:
    """Return the code that a file states (None: none, or it cannot be read)."""
    try:
        return _stated(read_bounded(path))
    except BadInput:
        return None


@lru_cache(maxsize=256)
def _stated(source: bytes) -> str | None:
    """Return the code that a YAML states; all of it is read only where that line is written otherwise than usual."""
    found = CODE.findall(source)
    if len(found) == 1:
        return str(found[0].decode())
    try:
        data, _ = parse_document(source, "sop.yaml")
    except BadInput:
        return None
    code = data.get("kode") if isinstance(data, dict) else None
    return code.strip() if isinstance(code, str) else None


def _line(path: Path) -> int:
    """Return on which line a file states its code."""
    match = CODE.search(read_bounded(path))
    return read_bounded(path)[: match.start()].count(b"\n") + 1 if match else 1
