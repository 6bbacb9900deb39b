"""Commands named as they are typed here: `inv` in a checkout, `sopauto` where the package is installed.

Texts of this program name commands as `inv DOMAIN.VERB`. The faces say them to whoever has typed `sopauto`.
"""

from __future__ import annotations

import re
import sys
from pathlib import PurePath
from typing import Final

from sopauto.errors import SopautoError

INSTALLED: Final = "sopauto"
NAMED: Final = re.compile(r"\binv (?=[a-z]+\.[a-z]|doctor\b)")


def as_typed(text: str) -> str:
    """Return a text of ours with its commands as they are typed here; text from outside is never given to it."""
    return NAMED.sub(f"{INSTALLED} ", text) if PurePath(sys.argv[0]).name == INSTALLED else text


def one_line(error: Exception) -> str:
    """Return an error's one line, the command that mends it as it is typed here."""
    if isinstance(error, SopautoError) and error.mend:
        error.mend = as_typed(error.mend)
    return str(error)
