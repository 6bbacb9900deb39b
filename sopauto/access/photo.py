"""The photo of an access card: a real picture, bounded before anything of it is read, and nothing but its pixels kept.

It is made anew from its pixels: what a camera wrote beside them (place, owner) goes no further, nor does anything else
that hides in the file. The photo itself is kept nowhere but on the card (UU 27/2022).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from sopauto.data_file import read_bounded
from sopauto.errors import BadInput

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_PIXELS: Final = 40_000_000
SMALLEST: Final = (180, 240)
SIZE: Final = (360, 480)
"""Width and height on the card, in pixels: 3 by 4, at 18 mm some 500 dpi."""
FORMATS: Final = ("JPEG", "PNG")


def read_photo(path: Path) -> bytes:
    """Return the photo as a JPEG of `SIZE`; raises BadInput (no picture, too large, too small)."""
    from PIL import Image, ImageOps

    content = read_bounded(path, most=MAX_BYTES, mend="take a photo of at most 8 MiB")
    where, mend = str(path), "name a photo as JPEG or PNG"
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS or width < SMALLEST[0] or height < SMALLEST[1]:
                size = f"at least {SMALLEST[0]} by {SMALLEST[1]} and at most {MAX_PIXELS // 10**6} million pixels"
                raise BadInput(f"the photo has {width} by {height} pixels", where=where, mend=f"it needs {size}")
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except BadInput:
        raise
    except Exception:  # a decoder of hostile files raises whatever it likes
        raise BadInput("this is no picture", where=where, mend=mend) from None
    fitted = ImageOps.fit(upright, SIZE)
    out = io.BytesIO()
    fitted.save(out, format="JPEG", quality=88)
    return out.getvalue()
