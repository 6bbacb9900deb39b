"""Reading the parts of an SOP's YAML: each value with its place, faults collected instead of raised."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sopauto.data_file import LineOf, Place
from sopauto.procedures.fields import visible
from sopauto.procedures.finding import Finding, suggestion

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Sheet:
    """A whole file: its lines, and what is wrong with it so far."""

    file: str
    line_of: LineOf
    findings: list[Finding] = field(default_factory=list)

    def find(self, place: Place, what: str, mend: str) -> None:
        """Add a finding at a place, once."""
        shown = ".".join(str(part) for part in place)
        line = self.line_of(*place)
        finding = Finding(file=self.file, line=line, field=shown, what=what, mend=mend)
        if finding not in self.findings:
            self.findings.append(finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A mapping of the file."""

    sheet: Sheet
    place: Place
    data: dict[str, Any]

    @classmethod
    def of(cls, sheet: Sheet, place: Place, value: Any, known: Collection[str]) -> Part:
        """Return a mapping whose keys are all known; what is wrong becomes findings."""
        if not isinstance(value, dict):
            sheet.find(place, "is not a mapping", "write `key: value` lines")
            return cls(sheet=sheet, place=place, data={})
        for key in value:
            if key not in known:
                sheet.find((*place, key), f"unknown key {visible(key)!r}", suggestion(key, sorted(known)))
        return cls(sheet=sheet, place=place, data=value)

    @property
    def line(self) -> int:
        """The line on which the part begins."""
        return self.sheet.line_of(*self.place)

    def find(self, key: str, what: str, mend: str) -> None:
        """Add a finding at one of the part's keys."""
        self.sheet.find((*self.place, key), what, mend)

    def text(self, key: str, *, required: bool = True) -> str:
        """Return a text as it was written, without blanks around it; empty when it is left out."""
        value = self.data.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is None:
            if required:
                self.find(key, f"{key!r} is missing", f"state `{key}`")
            return ""
        if not isinstance(value, str):
            self.find(key, f"{key!r} is not a text", "write it in quotes")
            return ""
        return value.strip()

    def texts(self, key: str) -> tuple[str, ...]:
        """Return one text or a list of texts as a tuple."""
        value = self.data.get(key)
        if value is None:
            return ()
        items = value if isinstance(value, list) else [value]
        for item in items:
            if not isinstance(item, str | int) or isinstance(item, bool):
                self.find(key, f"{key!r} is not a list of texts", "write one text for each `- `")
                return ()
        return tuple(str(item).strip() for item in items)

    def number(self, key: str) -> int | None:
        """Return a whole number (None when it is left out)."""
        value = self.data.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.find(key, f"{key!r} is not a whole number", "write digits only")
        return None

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return true or false."""
        value = self.data.get(key, default)
        if isinstance(value, bool):
            return value
        self.find(key, f"{key!r} is neither true nor false", "write true or false")
        return default

    def one_of(self, key: str, choices: Sequence[str], default: str) -> str:
        """Return one of a few words."""
        value = self.text(key, required=False) or default
        if value in choices:
            return value
        self.find(key, f"{visible(value)!r} is unknown", suggestion(value, list(choices)))
        return default

    def inferred(self) -> frozenset[str]:
        """Return the keys that do not stand in the paper (`inferred: true` means all of them)."""
        value = self.data.get("inferred")
        if value is True:
            return frozenset(self.data) - {"inferred"}
        names = frozenset(self.texts("inferred"))
        for name in sorted(names - self.data.keys()):
            self.find("inferred", f"names {visible(name)!r}, which does not stand here", "leave it out, or state it")
        return names

    def part(self, key: str, known: Collection[str]) -> Part | None:
        """Return a mapping below this one (None when it is left out)."""
        if self.data.get(key) is None:
            return None
        return Part.of(self.sheet, (*self.place, key), self.data[key], known)

    def parts(self, key: str, known: Collection[str], read: Callable[[Part], T]) -> tuple[T, ...]:
        """Return each mapping of a list, read."""
        value = self.data.get(key) or []
        if not isinstance(value, list):
            self.find(key, f"{key!r} is not a list", "begin each entry with `- `")
            return ()
        return tuple(read(Part.of(self.sheet, (*self.place, key, i), item, known)) for i, item in enumerate(value))
