"""What people write into a form, value by value: texts, days, sizes, addresses, with what is wrong in one line."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field

from sopauto.inventory.reading.answer import MAX_TEXT, address, interface_address, text, text_or_none
from sopauto.inventory.reading.network import MAC

DAY: Final = re.compile(r"(19[7-9]|[2-9][0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}", re.ASCII)
"""From 1970 on: earlier days were mistyped."""
SIZE: Final = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,2}))? ?([MGT])(i?)B", re.ASCII)
POWERS: Final = {"M": 2, "G": 3, "T": 4}
BINARY, DECIMAL = 1024, 1000


def _day(value: object) -> date:
    if isinstance(value, str) and DAY.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass  # 30 February looks like a day
    raise ValueError("is no day; write e.g. 2026-11-21")


def _bytes(value: object, base: int) -> int:
    """Return a size such as `480 GB` in bytes; `GiB` always counts by 1,024."""
    found = SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    size = 0
    if found:
        whole, part, unit, binary = found.groups()
        size = int(Decimal(f"{whole}.{part or 0}") * (BINARY if binary else base) ** POWERS[unit])
    if not size:
        raise ValueError("is no size; write e.g. 64 GiB or 1,92 TB")
    return size


def _memory(value: object) -> int:
    # Modules hold powers of two, whatever the label says.
    return _bytes(value, BINARY)


def _capacity(value: object) -> int:
    return _bytes(value, DECIMAL)


def _mac(value: str) -> str:
    written = value.strip().lower().replace("-", ":")
    if not MAC.fullmatch(written):
        raise ValueError("is no MAC address; write e.g. 00:11:22:33:44:55")
    return written


def _held(value: str) -> str:
    found = interface_address(value.strip()) if "/" in value else None
    if found is None:
        raise ValueError("is no address with its prefix length; write e.g. 192.0.2.61/24")
    return found


def _host(value: str) -> str:
    found = address(value.strip())
    if found is None:
        raise ValueError("is no IP address; write e.g. 192.0.2.1")
    return found


def listed(value: object) -> object:
    """Take one text for a list of one."""
    return [value] if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(text)]
Told = Annotated[Annotated[str, Field(max_length=MAX_TEXT)] | None, AfterValidator(text_or_none)]
Day = Annotated[date, BeforeValidator(_day)]
Count = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Memory = Annotated[int, BeforeValidator(_memory)]
Capacity = Annotated[int, BeforeValidator(_capacity)]
Mac = Annotated[str, AfterValidator(_mac)]
Held = Annotated[str, AfterValidator(_held)]
Host = Annotated[str, AfterValidator(_host)]
