"""Reading the letter that opens a ticket, and what an actor states in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sopauto.data_file import read_document
from sopauto.errors import BadInput
from sopauto.procedures.fields import validate
from sopauto.procedures.model import Field
from sopauto.tickets.model import Letter

ENVELOPE = (
    Field(name="sop", label="the SOP's code"),
    Field(name="opd", label="the requesting unit"),
    Field(name="pemohon", label="the requesting person"),
)
"""What every letter states; the SOP itself says what stands under `surat`."""


def read_letter(path: Path) -> Letter:
    """Return the letter in a YAML or JSON file; its fields are validated against the SOP when the ticket is opened.

    Raises: BadInput, with file and line.
    """
    data = read_data(path)
    fields = data.pop("surat", None)
    if not isinstance(fields, dict):
        raise BadInput("the letter has no `surat`", where=str(path), mend="write the SOP's fields under `surat:`")
    envelope = validate(ENVELOPE, data, str(path))
    return Letter(procedure=envelope["sop"], unit=envelope["opd"], applicant=envelope["pemohon"], fields=fields)


def read_data(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML or JSON file; raises BadInput."""
    data, _ = read_document(path)
    if not isinstance(data, dict):
        raise BadInput("this is not a mapping of names to values", where=str(path), mend="write `name: value` lines")
    return data
