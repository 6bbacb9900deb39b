"""What a playbook says at its head of what differs from run to run, so that plan and run can be compared without it.

    - hosts: all
      vars:
        sopauto_varies:
          - {pattern: "cadangan-########", why: date of the backup}

A `#` stands for one digit, a `?` for one letter or digit, all else for itself. So a pattern is as long as what it
stands for: it hides no more than it says, and comparing takes no time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sopauto.data_file import parse_document
from sopauto.errors import BadInput, Refused
from sopauto.procedures.fields import one_line

KEY: Final = "sopauto_varies"
MOST: Final = 20
LONGEST: Final = 100
LEAST: Final = 3
"""Characters of a pattern that stand for themselves, without blanks: those are everywhere."""
WILD: Final = {"#": "[0-9]", "?": "[A-Za-z0-9]"}
FORMS: Final = ("%Y%m%d", "%Y-%m-%d", "%Y_%m_%d", "%d%m%Y", "%d-%m-%Y", "%Y/%m/%d", "%y%m%d")
CLOCKS: Final = re.compile(rb"ansible_date_time|date_time|strftime|now\s*\(|to_datetime")
EACH_TIME: Final = re.compile(rb"\b(random|shuffle|password_hash)\b|%[fST]|\.(micro)?second\b|\.time\b")
"""What differs from one look to the next."""
EPOCH: Final = re.compile(r"(?<!\d)\d{10}(?!\d)")
WRITTEN: Final = (".yml", ".yaml", ".json", ".j2")
DAY: Final = 24 * 60 * 60
HOW: Final = f'declare it at the playbook\'s head: vars: {KEY}: [{{pattern: "name-########", why: date}}]'


@dataclass(frozen=True, slots=True, kw_only=True)
class Varies:
    """One thing that differs from run to run, and why."""

    pattern: str
    why: str

    def __str__(self) -> str:
        """Return it as the approver reads it."""
        return f"{self.pattern} ({self.why})"

    @property
    def expression(self) -> str:
        """The pattern as a regular expression of fixed length."""
        return "".join(WILD.get(character) or re.escape(character) for character in self.pattern)


def varying(content: bytes, where: str) -> tuple[Varies, ...]:
    """Return what a playbook declares; raises BadInput (it is no sound declaration)."""
    data, _ = parse_document(content, where)
    plays = data if isinstance(data, list) else []
    variables = [play.get("vars") for play in plays if isinstance(play, Mapping)]
    declared = [said[KEY] for said in variables if isinstance(said, Mapping) and KEY in said]
    entries = [entry for part in declared for entry in (part if isinstance(part, list) else [part])]
    if len(entries) > MOST:
        raise BadInput(f"{KEY} holds more than {MOST} patterns", where=where, mend="declare what really differs")
    return tuple(_varies(entry, where) for entry in entries)


def _varies(entry: Any, where: str) -> Varies:
    if not isinstance(entry, Mapping) or set(entry) != {"pattern", "why"}:
        raise BadInput(f"{KEY} is no list of pattern and why", where=where, mend=HOW)
    pattern, why = str(entry["pattern"]), one_line(str(entry["why"])).strip()
    plain = [character for character in pattern if character not in WILD and not character.isspace()]
    if not why or len(why) > LONGEST or len(pattern) > LONGEST or "\n" in pattern:
        raise BadInput(f"{KEY}: pattern and why take 1 to {LONGEST} characters of one line", where=where, mend=HOW)
    if len(plain) < LEAST or not set(pattern) & set(WILD):
        what = f"{KEY}: {pattern!r} needs {LEAST} characters that stand for themselves, and a # or ?"
        raise BadInput(what, where=where, mend=HOW)
    return Varies(pattern=pattern, why=why)


def without(text: str, declared: Sequence[Varies]) -> str:
    """Return a text with what varies replaced by its pattern."""
    for each in declared:
        text = each.pattern.join(re.split(each.expression, text))
    return text


def unsteady(files: Mapping[str, bytes]) -> bool:
    """Tell whether files ask for chance, or for the time of day to the second."""
    return any(EACH_TIME.search(content) for name, content in files.items() if name.endswith(WRITTEN))


def refuse_dates(
    texts: Sequence[str], files: Mapping[str, bytes], declared: Sequence[Varies], *, now: datetime, where: str
) -> None:
    """Refuse a plan that holds today's date, or this very time, without a word: tomorrow it would be another plan.

    Looked for is what a playbook that asks for the time writes and no file of it holds.
    Raises: Refused.
    """
    if not any(CLOCKS.search(content) for name, content in files.items() if name.endswith(WRITTEN)):
        return
    for text in texts:
        found = _date(without(text, declared), now)
        if found and not any(found.encode() in content for content in files.values()):
            raise Refused(f"the plan holds {found}, which differs from day to day", where=where, mend=HOW)


def _date(text: str, now: datetime) -> str | None:
    """Return today's date as a text holds it, or a count of seconds of about now."""
    dates = (format(now + timedelta(days=days), form) for days in (0, -1, 1) for form in FORMS)
    seconds = (one for one in EPOCH.findall(text) if abs(int(one) - now.timestamp()) < DAY)
    return next((date for date in dates if re.search(rf"(?<!\d){date}", text)), None) or next(seconds, None)
