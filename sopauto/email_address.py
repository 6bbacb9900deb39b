"""What an e-mail address is, wherever one is stated: in letters, SOPs and the people file."""

from __future__ import annotations

import re
from typing import Final

MAX_EMAIL: Final = 254  # RFC 5321, 4.5.3.1
MAX_LOCAL_PART: Final = 64
EMAIL: Final = re.compile(
    r"[A-Za-z0-9_%+-]+(\.[A-Za-z0-9_%+-]+)*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)


def is_email(text: str) -> bool:
    """Tell whether a text is an address that a mail server can be given."""
    return len(text) <= MAX_EMAIL and len(text.partition("@")[0]) <= MAX_LOCAL_PART and bool(EMAIL.fullmatch(text))
