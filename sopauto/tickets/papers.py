"""Which documents a ticket's entries carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def papers_of(bodies: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return name, digest, row and entry of each document, each content once under each name, in their order."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for body in bodies:
        for document in body["documents"]:
            key = document["name"], document["sha256"]
            found.setdefault(key, {**document, "step": body["step"], "entry": body["number"]})
    return list(found.values())
