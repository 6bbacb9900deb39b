"""What is kept of an inventory that a ticket took, beside its entry."""

from __future__ import annotations

from typing import Final

from sopauto.tickets.domain import Reading
from sopauto.tickets.placed import pin_host_key
from sopauto.tickets.storage import Change
from sopauto.work import Artifact, sha256

SNAPSHOT: Final = "inventaris.json"
"""The artifact that holds an inventory."""


def keep_snapshot(reading: Reading) -> tuple[Change, ...]:
    """Return what pins the server's host key and records its inventory."""
    server = reading.order.parameters.get("server")
    if server is None:
        return ()
    found = [artifact for artifact in reading.artifacts if artifact.name == SNAPSHOT]
    return (*pin_host_key(reading), *(_snapshot(server, artifact, reading) for artifact in found))


def _snapshot(server: str, artifact: Artifact, reading: Reading) -> Change:
    digest = sha256(artifact.content)
    return lambda writer: writer.add_snapshot(server, reading.at, digest)
