"""JSON schemas of other systems, and whether a document fits what they take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, SchemaError
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

from sopauto.data_file import read_document
from sopauto.errors import BadInput
from sopauto.procedures.fields import one_line

LONGEST = 200
"""Characters that are told of a misfit."""


class Schema:
    """A schema of draft 7; raises BadInput when it is none. Nothing is fetched for it."""

    def __init__(self, content: Mapping[str, Any], where: str) -> None:
        self._where = where
        try:
            Draft7Validator.check_schema(content)
        except SchemaError as error:
            raise self._fault(f"is no JSON schema: {error.message}") from None
        self._validator = Draft7Validator(content, registry=Registry())

    def refuse_unfit(self, document: Mapping[str, Any], *, name: str) -> None:
        """Raise BadInput with the worst misfit when a document does not fit."""
        try:
            error = best_match(self._validator.iter_errors(document))
        except Unresolvable as unknown:
            raise self._fault(f"refers to {unknown.ref}, which does not stand in it") from None
        except RecursionError:
            raise self._fault("refers to itself without an end") from None
        if error is not None:
            place = "/".join(str(part) for part in error.absolute_path) or "the document"
            what = one_line(f"{place}: {error.message}", LONGEST)
            raise BadInput(what, where=name, mend=f"{self._where} does not take that")

    def _fault(self, what: str) -> BadInput:
        return BadInput(one_line(what, LONGEST), where=self._where, mend="take the one of the other system")


def load_schema(path: Path) -> Schema:
    """Return the schema in a file; raises BadInput (not readable, no schema)."""
    content, _ = read_document(path)
    return Schema(content, str(path))
