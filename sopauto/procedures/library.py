"""The SOPs that tickets can run: the agency's own before the shipped ones. Fulfils `tickets.desk.Procedures`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from sopauto.data_file import read_bounded
from sopauto.errors import BadInput
from sopauto.procedures.check import check, check_procedure
from sopauto.procedures.finding import Finding, Known, refusal, suggestion
from sopauto.procedures.load import load
from sopauto.procedures.model import Procedure

SHIPPED: Final = Path(__file__).parent / "library"
CODE: Final = re.compile(rb"^kode:\s*[\"']?([a-z0-9-]+)", re.MULTILINE)


class Library:
    """SOPs by code, from directories of YAML files; the first directory that has a code wins."""

    def __init__(self, directories: Sequence[Path], *, known: Known | None = None) -> None:
        self._directories = (*directories, SHIPPED)
        self._known = known or Known()

    def files(self) -> Iterator[Path]:
        """Yield every SOP's file, the agency's own first; a code that was met before is passed over."""
        seen: set[str] = set()
        for directory in self._directories:
            for path in sorted(directory.glob("*.y*ml")):
                code = _code(path)
                if code is None or code not in seen:
                    yield path
                if code is not None:
                    seen.add(code)

    def codes(self) -> list[str]:
        """Return the codes of all SOPs."""
        return sorted({code for path in self.files() if (code := _code(path))})

    def get(self, code: str) -> Procedure:
        """Return the present version of an SOP; raises BadInput (unknown code, or its file is not sound)."""
        for path in self.files():
            if _code(path) == code:
                procedure = self.parse(read_bounded(path), str(path))
                findings = check_procedure(procedure, self._known)
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
        """Return what is wrong with one file; raises BadInput (it cannot be read at all)."""
        return check(read_bounded(path), str(path), self._known)

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
        return [finding for path in self.files() if _code(path) == code for finding in self.check(path)]


@lru_cache(maxsize=64)
def _parse(source: bytes, where: str) -> Procedure:
    return load(source, where)


def _code(path: Path) -> str | None:
    """Return the code that a file states, without reading all of the YAML (None: none, or it cannot be read)."""
    try:
        match = CODE.search(read_bounded(path))
    except BadInput:
        return None
    return match[1].decode() if match else None
