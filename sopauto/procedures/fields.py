"""What a letter or a step's actor has to state: the kinds of field and their checks.

Values come from outside. Each is checked once, here, and comes back in one form: whole numbers as `int`, all else as
one line of text (dates as ISO 8601, MAC addresses as `aa:bb:cc:dd:ee:ff`, host names in lower case).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sopauto.data_file import unseen
from sopauto.email_address import is_email
from sopauto.errors import BadInput
from sopauto.procedures.bounds import DATED, Asked, fault
from sopauto.procedures.finding import suggestion
from sopauto.procedures.model import Field

TEXT: Final = "teks"
UNIT: Final = "opd"
PLACEHOLDERS: Final = frozenset(
    {
        "belum ada",
        "belum diketahui",
        "kosong",
        "menyusul",
        "n/a",
        "na",
        "nihil",
        "nil",
        "none",
        "null",
        "tak ada",
        "tba",
        "tbd",
        "tdk ada",
        "tidak ada",
        "tidak diketahui",
        "tidak tahu",
        "todo",
        "unknown",
    }
)
"""Texts that only stand in for an answer. A field for which one of them is an answer states `pengganti: true`."""
FILLERS: Final = "\u115f\u1160"
"""Letters by their category that show as blanks (U+3164 and U+FFA0 are written so after NFKC)."""
MAX_TEXT: Final = 4000
"""Longest text (characters) that any field may allow."""
DEFAULT_TEXT: Final = 500
MAX_NUMBER: Final = 10**15
MAX_FAULTS: Final = 20
"""How many faults of one letter are told at once."""
MAX_HOST_NAME: Final = 253  # RFC 1123, 2.1

DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
FINGERPRINT: Final = re.compile(r"SHA256:[A-Za-z0-9+/]{43}", re.ASCII)
IDENTITY: Final = re.compile(r"\d{16}|\d{18}", re.ASCII)
MAC: Final = re.compile(r"([0-9a-f]{2}[:-]){5}[0-9a-f]{2}|([0-9a-f]{4}\.){2}[0-9a-f]{4}", re.ASCII)

Where = str | Callable[[str], str]
"""Where the values stand: one text for all, or a function from the field's name to its own place (`file:line`)."""


class _WrongError(ValueError):
    """A value is not what its field asks for: what is wrong, and how to write it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


class _PlaceholderError(ValueError):
    """A text only stands in for an answer."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def validate(
    fields: Sequence[Field], data: Mapping[str, Any], where: Where, *, asked: Asked | None = None
) -> dict[str, Any]:
    """Return the checked values by field name; optional fields that were left blank are left out.

    `asked` is what days, moments and the unit are held against (None: they are not).
    Raises: BadInput (fields are missing, unknown, or not of their kind), with all faults in one line.
    """
    if not isinstance(data, Mapping):
        raise BadInput("expected names with values", where=_at(where, ""), mend="write `name: value` lines")
    known = [field.name for field in fields]
    faults = [_unknown(str(name), known, where) for name in data if name not in known]
    values: dict[str, Any] = {}
    for field in fields:
        try:
            values[field.name] = _value(field, data.get(field.name), where)
        except BadInput as fault:
            faults.append(fault)
    if asked is not None:
        faults += [wrong for field in fields if (wrong := _unfit(field, values, asked, where)) is not None]
    if faults:
        raise _together(faults)
    return {name: value for name, value in values.items() if value is not None}


def _unfit(field: Field, values: dict[str, Any], asked: Asked, where: Where) -> BadInput | None:
    """Return what is wrong with a value where and when it is stated; a unit's value becomes the unit's own name."""
    if values.get(field.name) is None:
        return None
    wrong = None
    if field.kind in DATED:
        wrong = fault(asked, values, field)
    elif field.kind == UNIT:
        name = asked.unit[1]
        if _folded(values[field.name]) not in {_folded(word) for word in asked.unit}:
            what = f"is {visible(values[field.name])!r}, and the ticket is opened for {name!r}"
            wrong = what, f"write {name!r}, or let the other unit ask for it"
        values[field.name] = name
    if wrong is None:
        return None
    return BadInput(f"{field.label!r} {wrong[0]}", where=_at(where, field.name), mend=wrong[1])


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", str(text)).casefold().split())


def is_placeholder(text: str) -> bool:
    """Tell whether a text only stands in for an answer: `-`, `n/a`, `xxx`, `tidak ada`."""
    words = re.sub(rf"^[\W{FILLERS}]+|[\W{FILLERS}]+$", "", _folded(text))
    return not words or words.replace(".", "") in PLACEHOLDERS or re.fullmatch(r"x{2,}", words) is not None


def _unknown(name: str, known: Sequence[str], where: Where) -> BadInput:
    shown = visible(name)
    mend = suggestion(shown, known) if known else "leave it out: nothing is asked here"
    return BadInput(f"unknown field {shown!r}", where=_at(where, name), mend=mend)


def _together(faults: Sequence[BadInput]) -> BadInput:
    """Return the faults as one, each with its place and mend; of very many the first ones."""
    if len(faults) == 1:
        return faults[0]
    told = [str(fault) for fault in faults[:MAX_FAULTS]]
    left = len(faults) - len(told)
    return BadInput("; ".join([*told, f"and {left} more"] if left else told))


def visible(text: str) -> str:
    """Return at most 80 characters of a text, those that cannot be seen escaped."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:80])
    return f"{shown}…" if len(text) > len(text[:80]) else shown


def one_line(text: str, longest: int = MAX_TEXT) -> str:
    """Return a text as one line to be printed or sent: white space becomes blanks, what cannot be seen is escaped.

    What is longer than so many characters ends in `…`.
    """
    words = " ".join(text.split())
    if len(words) > longest:
        words = words[:longest] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)


def _at(where: Where, name: str) -> str:
    return where(name) if callable(where) else f"{where} {visible(name)}".rstrip()


def _value(field: Field, value: Any, where: Where) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        if not field.required:
            return None
        raise BadInput(f"{field.label!r} is missing", where=_at(where, field.name), mend=f"state `{field.name}`")
    try:
        return KINDS[field.kind](field, value)
    except _PlaceholderError as placeholder:
        if not field.required:
            return None  # a way to leave it blank
        what = f"{field.label!r} is {visible(placeholder.what)!r}: that is no answer"
        raise BadInput(what, where=_at(where, field.name), mend=f"state `{field.name}`") from None
    except _WrongError as wrong:
        raise BadInput(f"{field.label!r} {wrong.what}", where=_at(where, field.name), mend=wrong.mend) from None


def _text(field: Field, value: Any) -> str:
    """Return one line of text. A whole number is taken as written: serial numbers need no quotes."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _WrongError("is not a text", "write it in quotes")
    # The longest text that YAML may hold is 1 MiB; look at the length before looking at each character.
    limit = min(field.max_length or DEFAULT_TEXT, MAX_TEXT)
    if isinstance(value, int) and abs(value) > MAX_NUMBER * 1000:
        raise _WrongError("is a number beyond all measure", "write it in quotes")
    text = str(value).strip()
    if len(text) > limit:
        raise _WrongError(f"has {len(text)} characters, more than {limit}", f"shorten it to {limit}")
    if hidden := unseen(text):
        raise _WrongError(f"holds the control character {hidden}", "write it on one line, as plain text")
    text = unicodedata.normalize("NFC", text)
    if field.kind == TEXT and not field.placeholders and is_placeholder(text):
        raise _PlaceholderError(text)
    return text


def _number(field: Field, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _WrongError("is not a whole number", "write digits only")
    low = -MAX_NUMBER if field.minimum is None else field.minimum
    high = MAX_NUMBER if field.maximum is None else field.maximum
    if not low <= value <= high:
        raise _WrongError("is outside its bounds", f"write a number from {low} to {high}")
    return value


def _date(field: Field, value: Any) -> str:
    text = _text(field, value)
    try:
        if DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise _WrongError(f"is not a date: {visible(text)!r}", "write year-month-day, e.g. 2026-11-21")


def _moment(field: Field, value: Any) -> str:
    text = _text(field, value)
    try:
        if MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).isoformat(timespec="minutes")
    except ValueError:
        pass
    raise _WrongError(f"is not a date and time: {visible(text)!r}", "write e.g. 2026-11-21 09:00")


def _email(field: Field, value: Any) -> str:
    text = _text(field, value)
    if not is_email(text):
        raise _WrongError(f"is not an e-mail address: {visible(text)!r}", "write e.g. nama@contoh.go.id")
    return text


def _host_name(field: Field, value: Any) -> str:
    text = _text(field, value).lower()
    if len(text) > MAX_HOST_NAME or not all(LABEL.fullmatch(label) for label in text.split(".")):
        raise _WrongError(f"is not a host name: {visible(text)!r}", "letters, digits and hyphens, parts joined by dots")
    return text


def _mac(field: Field, value: Any) -> str:
    text = _text(field, value).lower()
    digits = re.sub(r"[:.-]", "", text)
    if not MAC.fullmatch(text) or int(digits[:2], 16) & 1 or not int(digits, 16):
        raise _WrongError(f"is not a server's MAC address: {visible(text)!r}", "write e.g. 52:54:00:12:34:56")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def _ip(field: Field, value: Any) -> str:
    text = _text(field, value)
    try:
        if "%" not in text:
            return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    raise _WrongError(f"is not an IP address: {visible(text)!r}", "write e.g. 10.20.30.40")


def _choice(field: Field, value: Any) -> str:
    text = _text(field, value)
    if text not in field.choices:
        raise _WrongError(f"is none of the choices: {visible(text)!r}", f"write one of: {', '.join(field.choices)}")
    return text


def _fingerprint(field: Field, value: Any) -> str:
    """Return the fingerprint of a host key as `ssh-keygen -l` and the login screen show it."""
    text = _text(field, value)
    if not FINGERPRINT.fullmatch(text):
        raise _WrongError("is no fingerprint of a key", "write SHA256:… as `ssh-keygen -lf` shows it")
    return text


def _identity(field: Field, value: Any) -> str:
    """Return a NIP (18 digits) or the NIK of a KTP (16 digits); blanks between its groups are taken out."""
    text = _text(field, value).replace(" ", "")
    if not IDENTITY.fullmatch(text) or len(set(text)) == 1:
        raise _WrongError("is neither a NIP nor a NIK", "write the 18 digits of a NIP or the 16 of a KTP, in quotes")
    return text


KINDS: Final[Mapping[str, Callable[[Field, Any], Any]]] = {
    TEXT: _text,
    UNIT: _text,
    "bilangan": _number,
    "tanggal": _date,
    "tanggal-jam": _moment,
    "email": _email,
    "nama-host": _host_name,
    "mac": _mac,
    "ip": _ip,
    "pilihan": _choice,
    "sidik-kunci": _fingerprint,
    "identitas": _identity,
}
"""The kinds of field by their name in the YAML (`jenis`), each with the function that checks a value."""
